import type { AwsSettings } from '@wherry/core/mapping';
import { CONTROL_TIMEOUT_MS, type ClientTraffic } from '../aws/client-settings.ts';
import type { CredentialsByRole, CredentialsProvider } from '../aws/credentials.ts';
import { SharedConnections, type Share } from '../aws/shared-connections.ts';

/**
 * How stream clients talk. A read may bring 10 MB over a slow network. A reader holds one socket while it reads, and the number of
 * shards that a poller leases bounds the readers.
 */
export const STREAM_TRAFFIC: ClientTraffic = { timeoutMs: 3 * CONTROL_TIMEOUT_MS, maxSockets: Infinity };

/** Makes an SDK client; the first call loads the SDK's code for the service. */
export type OpenClient<Client> = (aws: AwsSettings, credentials: CredentialsProvider) => Promise<Client>;

/** An SDK client that exists from the first call on. */
export class LazyClient<Client extends { destroy(): void }> {
  readonly #open: () => Promise<Client>;
  #opened: Promise<Client> | undefined;

  constructor(open: () => Promise<Client>) {
    this.#open = open;
  }

  get(): Promise<Client> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  close(): void {
    this.#opened?.then(
      (client) => client.destroy(),
      // It was never opened, and whoever asked for it has been told.
      () => {},
    );
  }
}

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
