import { SQSClient } from '@aws-sdk/client-sqs';
import type { Surroundings } from '@wherry/core/clock';
import type { AwsSettings } from '@wherry/core/mapping';
import { clientSettings, CONTROL_TIMEOUT_MS, trimSteps, type ClientTraffic } from '../aws/client-settings.ts';
import { CredentialsByRole, type CredentialsProvider } from '../aws/credentials.ts';
import { DirectClient } from '../aws/direct-client.ts';
import { SharedConnections } from '@wherry/core/shared-connections';
import { createSqsCalls, type SqsCalls } from './sqs-calls.ts';

/**
 * Long polls. An answer may take the 20 s that a poll may last, and what a slow network adds. One poll holds one socket and the
 * number of slots bounds the polls, so a limit of sockets could only starve a slot.
 */
const POLLS: ClientTraffic = { timeoutMs: 20_000 + CONTROL_TIMEOUT_MS, maxSockets: Infinity };

/** Everything else. Deletes are coalesced, so a few sockets carry thousands of messages a second. */
const CONTROL: ClientTraffic = { timeoutMs: CONTROL_TIMEOUT_MS, maxSockets: 64 };

/** A share in the connections of one set of settings. */
export interface SqsConnection {
  readonly calls: SqsCalls;
  /** For everything that is not hot: looking queues up and reading their attributes. */
  readonly controlClient: SQSClient;
  /** Gives the share back; the last one closes the sockets. Calling it again does nothing. */
  release(): void;
}

/** The SQS clients of one process, one pair for all mappings with equal settings. */
export class SqsClients {
  readonly #connections: SharedConnections<ReturnType<typeof openConnection>>;

  /** @param credentials those of the process, where other clients use the same roles */
  constructor(surroundings: Pick<Surroundings, 'clock' | 'random'>, credentials = new CredentialsByRole(surroundings)) {
    this.#connections = new SharedConnections((aws) => openConnection(aws, credentials.provider(aws)));
  }

  /** A share in the connections for these settings, opened if nobody has them yet. */
  acquire(aws: AwsSettings): SqsConnection {
    const share = this.#connections.acquire(aws);
    const { calls, controlClient } = share.connection;
    return { calls, controlClient, release: () => share.release() };
  }
}

function openConnection(aws: AwsSettings, credentials: CredentialsProvider) {
  const pollClient = createClient(aws, credentials, POLLS);
  const controlClient = createClient(aws, credentials, CONTROL);
  return {
    calls: createSqsCalls(new DirectClient(pollClient), new DirectClient(controlClient)),
    controlClient,
    close: (): void => {
      pollClient.destroy();
      controlClient.destroy();
    },
  };
}

function createClient(aws: AwsSettings, credentials: CredentialsProvider, traffic: ClientTraffic): SQSClient {
  const client = new SQSClient({
    ...clientSettings(aws, credentials, traffic),
    // Without this and an endpoint the SDK sends to the host of the queue's URL, which for an emulator may be real AWS.
    useQueueUrlAsEndpoint: false,
    md5: false,
  });
  trimSteps(client);
  return client;
}
