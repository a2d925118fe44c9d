import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AwsSettings } from '@wherry/core/mapping';
import type { CredentialsProvider } from './credentials.ts';

/** Longest wait for a TCP and TLS connection. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Longest wait for the answer of a call that neither polls nor brings much, in milliseconds. */
export const CONTROL_TIMEOUT_MS = 10_000;

/**
 * Steps of the SDK that every call pays for and nobody here has a use for. The logger walks through every message that comes in,
 * to blank out secrets for a line that is not printed; the user agent is put together anew for each call, where a constant does;
 * recursion is detected by variables that only Lambda sets.
 */
const UNUSED_STEPS = ['loggerMiddleware', 'getUserAgentMiddleware', 'recursionDetectionMiddleware'] as const;

/** What the calls are known by in AWS's own logs. */
const USER_AGENT = 'wherry';

/** How one SDK client talks. */
export interface ClientTraffic {
  /** Longest wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly maxSockets: number;
}

/** The part of an SDK client's configuration that is the same for every service. */
export interface ClientSettings {
  readonly region: string;
  readonly credentials: CredentialsProvider;
  readonly maxAttempts: number;
  readonly endpoint?: string;
  readonly requestHandler: NodeHttpHandler;
}

/**
 * How a client of any service is made from the settings of a mapping. Always HTTP/1.1: the Kinesis client would choose HTTP/2,
 * which emulators do not speak, and opens a connection for each of its calls.
 */
export function clientSettings(
  aws: AwsSettings,
  credentials: CredentialsProvider,
  { timeoutMs, maxSockets }: ClientTraffic,
): ClientSettings {
  const agentOptions = { keepAlive: true, noDelay: true, maxSockets };
  return {
    region: aws.region,
    credentials,
    maxAttempts: aws.maxAttempts,
    ...(aws.endpoint === undefined ? {} : { endpoint: aws.endpoint }),
    requestHandler: new NodeHttpHandler({
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
    }),
  };
}

/** What `trimSteps` asks of a client. */
interface TrimmableClient {
  readonly middlewareStack: {
    remove(step: string): boolean;
    add(
      middleware: <Args extends { readonly request: unknown }, Result>(next: (args: Args) => Result) => (args: Args) => Result,
      options: { step: 'build'; name: string },
    ): void;
  };
}

/** Takes the unused steps out of a new client and names Wherry as its user agent. */
export function trimSteps(client: TrimmableClient): void {
  for (const step of UNUSED_STEPS) client.middlewareStack.remove(step);
  client.middlewareStack.add((next) => (args) => next(withUserAgent(args)), { step: 'build', name: 'userAgent' });
}

function withUserAgent<Args extends { readonly request: unknown }>(args: Args): Args {
  const { request } = args;
  if (typeof request === 'object' && request !== null && 'headers' in request) {
    Object.assign(request.headers as Record<string, string>, { 'user-agent': USER_AGENT });
  }
  return args;
}
