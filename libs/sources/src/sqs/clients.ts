import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Surroundings } from '@wherry/core/clock';
import type { AwsSettings } from '@wherry/core/mapping';
import { CredentialsByRole, type CredentialsProvider } from './credentials.ts';
import { DirectClient } from './direct-client.ts';
import { createSqsCalls, type SqsCalls } from './sqs-calls.ts';

/** Longest wait for a TCP and TLS connection. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Longest wait for the answer of a call that does not poll. */
const CONTROL_TIMEOUT_MS = 10_000;

/** Longest wait for the answer of a receive: the 20 s that a long poll may last, and what a slow network adds. */
const POLL_TIMEOUT_MS = 20_000 + CONTROL_TIMEOUT_MS;

/** Sockets for settling per set of settings. Deletes are coalesced, so a few carry thousands of messages a second. */
const CONTROL_SOCKETS = 64;

/**
 * Steps of the SDK that every call pays for and nobody here has a use for. The logger walks through every message that comes in,
 * to blank out secrets for a line that is not printed; the user agent is put together anew for each call, where a constant does;
 * recursion is detected by variables that only Lambda sets.
 */
const UNUSED_STEPS = ['loggerMiddleware', 'getUserAgentMiddleware', 'recursionDetectionMiddleware'] as const;

/** What the calls are known by in AWS's own logs. */
const USER_AGENT = 'wherry';

/** A share in the connections of one set of settings. */
export interface SqsConnection {
  readonly calls: SqsCalls;
  /** For everything that is not hot: looking queues up and reading their attributes. */
  readonly controlClient: SQSClient;
  /** Gives the share back; the last one closes the sockets. Calling it again does nothing. */
  release(): void;
}

interface SharedConnection {
  readonly calls: SqsCalls;
  readonly controlClient: SQSClient;
  readonly close: () => void;
  shares: number;
}

/**
 * The SQS clients of one process. Mappings with equal settings share one pair: a client costs about 100 KB and its own
 * credentials look-up, and a fleet may have thousands of mappings.
 */
export class SqsClients {
  readonly #connections = new Map<string, SharedConnection>();
  readonly #credentials: CredentialsByRole;

  constructor(surroundings: Pick<Surroundings, 'clock' | 'random'>) {
    this.#credentials = new CredentialsByRole(surroundings);
  }

  /** A share in the connections for these settings, opened if nobody has them yet. */
  acquire(aws: AwsSettings): SqsConnection {
    const { region, endpoint, stsEndpoint, profile, assumeRole, maxAttempts } = aws;
    const key = JSON.stringify([
      region,
      endpoint,
      stsEndpoint,
      profile,
      assumeRole?.roleArn,
      assumeRole?.externalId,
      assumeRole?.sessionName,
      maxAttempts,
    ]);
    const shared = this.#connections.get(key) ?? openConnection(aws, this.#credentials.provider(aws));
    this.#connections.set(key, shared);
    shared.shares += 1;
    let isReleased = false;
    return {
      calls: shared.calls,
      controlClient: shared.controlClient,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        shared.shares -= 1;
        if (shared.shares > 0) return;
        this.#connections.delete(key);
        shared.close();
      },
    };
  }
}

function openConnection(aws: AwsSettings, credentials: CredentialsProvider): SharedConnection {
  // One long poll holds one socket and the number of slots bounds the polls, so a limit here could only starve a slot.
  const pollClient = createClient(aws, credentials, POLL_TIMEOUT_MS, Infinity);
  const controlClient = createClient(aws, credentials, CONTROL_TIMEOUT_MS, CONTROL_SOCKETS);
  return {
    calls: createSqsCalls(new DirectClient(pollClient), new DirectClient(controlClient)),
    controlClient,
    close: () => {
      pollClient.destroy();
      controlClient.destroy();
    },
    shares: 0,
  };
}

function createClient(aws: AwsSettings, credentials: CredentialsProvider, timeoutMs: number, maxSockets: number): SQSClient {
  const agentOptions = { keepAlive: true, noDelay: true, maxSockets };
  const client = new SQSClient({
    region: aws.region,
    credentials,
    maxAttempts: aws.maxAttempts,
    // Without both of these the SDK sends to the host of the queue's URL, which for an emulator may be real AWS.
    ...(aws.endpoint === undefined ? {} : { endpoint: aws.endpoint }),
    useQueueUrlAsEndpoint: false,
    md5: false,
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
    }),
  });
  for (const step of UNUSED_STEPS) client.middlewareStack.remove(step);
  client.middlewareStack.add((next) => (args) => next(withUserAgent(args)), { step: 'build', name: 'userAgent' });
  return client;
}

function withUserAgent<Args extends { readonly request: unknown }>(args: Args): Args {
  const { request } = args;
  if (typeof request === 'object' && request !== null && 'headers' in request) {
    Object.assign(request.headers as Record<string, string>, { 'user-agent': USER_AGENT });
  }
  return args;
}
