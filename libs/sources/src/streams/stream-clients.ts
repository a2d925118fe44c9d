import { LazyClient } from '@wherry/core/lazy-client';
import type { AwsSettings } from '@wherry/core/mapping';
import { SharedConnections, type Share } from '@wherry/core/shared-connections';
import { CONTROL_TIMEOUT_MS, type ClientTraffic } from '../aws/client-settings.ts';
import type { CredentialsByRole, CredentialsProvider } from '../aws/credentials.ts';

/**
 * How stream clients talk. A read may bring 10 MB over a slow network. A reader holds one socket while it reads, and the number of
 * shards that a poller leases bounds the readers.
 */
export const STREAM_TRAFFIC: ClientTraffic = { timeoutMs: 3 * CONTROL_TIMEOUT_MS, maxSockets: Infinity };

/** Makes an SDK client; the first call loads the SDK's code for the service. */
export type OpenClient<Client> = (aws: AwsSettings, credentials: CredentialsProvider) => Promise<Client>;

/**
 * The clients of one stream service in one process, one for all mappings with equal settings. The SDK's code for the service is
 * loaded by the first call, so that a poller without such streams stays small.
 */
export class StreamClients<Client extends { destroy(): void }> {
  readonly #connections: SharedConnections<LazyClient<Client>>;

  constructor(credentials: CredentialsByRole, open: OpenClient<Client>) {
    this.#connections = new SharedConnections((aws) => new LazyClient(() => open(aws, credentials.provider(aws))));
  }

  /** A share in the client for these settings. */
  acquire(aws: AwsSettings): Share<LazyClient<Client>> {
    return this.#connections.acquire(aws);
  }
}
