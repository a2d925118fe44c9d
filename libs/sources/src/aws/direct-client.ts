import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { isDeepStrictEqual } from 'node:util';
import type {
  AuthScheme,
  Client,
  Command,
  HttpRequest,
  HttpResponse,
  MetadataBearer,
  RequestSigner,
  RetryStrategy,
  RetryStrategyV2,
} from '@smithy/types';

/** Headers that are the same in every request for one operation. */
const CONSTANT_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'host',
  'user-agent',
  'x-amz-target',
  'x-amz-user-agent',
  'x-amzn-query-mode',
]);

/** Headers that belong to one request alone. Signing makes those it needs anew; the SDK's own count of attempts is left out. */
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'authorization',
  'content-length',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
]);

/** `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …` */
const SIGNING_SCOPE = /^AWS4-HMAC-SHA256 Credential=[^,]+\/\d{8}\/([^/,]+)\/([^/,]+)\/aws4_request,/;

/** What is used of an SDK client's configuration; every client of the SDK has it. */
interface UsedConfig {
  readonly requestHandler: {
    handle(request: HttpRequest, options?: { readonly abortSignal?: AbortSignal }): Promise<{ response: HttpResponse }>;
  };
  readonly signer: (authScheme?: AuthScheme) => Promise<RequestSigner>;
  readonly retryStrategy: () => Promise<RetryStrategy | RetryStrategyV2>;
  readonly systemClockOffset: number;
}

/**
 * Takes from an answer what the caller needs, or nothing if the answer is not made exactly as expected.
 *
 * @param answer the parsed JSON
 * @param chunks the bytes that it was parsed from, as they came
 */
export type ReadAnswer<Result> = (answer: unknown, chunks: readonly Buffer[]) => Result | undefined;

/** All that one operation's requests have in common, and what makes one of them. */
interface DirectWay {
  readonly sign: (body: string) => Promise<HttpRequest>;
  readonly recordSuccess: () => void;
}

/** What became of the one request that was sent directly, if the SDK has to go on from there. */
type Attempt = { readonly kind: 'answered'; readonly response: HttpResponse } | { readonly kind: 'failed'; readonly error: unknown };

/**
 * An SDK client that leaves out most of the SDK for calls that go well. The SDK spends more than half of a call's CPU time on its
 * schemas and middleware; here a call is the text of its input, the SDK's signer and the SDK's connections, nothing else.
 *
 * The SDK stays the authority. It makes the first call of every operation, and later ones repeat what it sent: the address, the
 * headers, the region and service it signed for. A call it did not send as foreseen is never sent directly. And whatever comes
 * back that is not a plain answer, be it an error, a cut connection or another protocol, is handed to the SDK as the outcome of
 * its first attempt, without being sent again: what that means, and whether it is worth another attempt, the SDK decides.
 *
 * All calls of one operation must go to one address: where the SDK makes the host from an input (the account in the ARN of a
 * Kinesis stream), that input needs a `DirectClient` of its own. The SDK client under it may be shared.
 */
export class DirectClient<ClientInput extends object, ClientOutput extends MetadataBearer, Config extends UsedConfig> {
  readonly #client: Client<ClientInput, ClientOutput, Config>;
  /** By the class of the command. */
  readonly #ways = new Map<unknown, DirectWay>();

  constructor(client: Client<ClientInput, ClientOutput, Config>) {
    this.#client = client;
  }

  /** Throws what the SDK's `send` throws. */
  async send<Input extends ClientInput, Output extends ClientOutput, Result>(
    command: Command<ClientInput, Input, ClientOutput, Output, Config>,
    read: ReadAnswer<Result>,
    abortSignal?: AbortSignal,
  ): Promise<Result | Output> {
    const options = abortSignal === undefined ? {} : { abortSignal };
    const way = this.#ways.get(command.constructor);
    if (way === undefined) return await this.#sendWhole(command, options);
    const body = JSON.stringify(command.input);
    let request: HttpRequest;
    try {
      request = await way.sign(body);
    } catch {
      // There are no keys to sign with. The SDK will find out too, and say it as it always does.
      return await this.#sendWhole(command, options);
    }
    const { result, attempt } = await this.#attempt(request, read, options);
    if (attempt !== undefined) return await this.#sendWhole(command, options, attempt);
    way.recordSuccess();
    return result;
  }

  async #attempt<Result>(
    request: HttpRequest,
    read: ReadAnswer<Result>,
    options: { abortSignal?: AbortSignal },
  ): Promise<{ result: Result; attempt?: undefined } | { result?: undefined; attempt: Attempt }> {
    try {
      const { response } = await this.#client.config.requestHandler.handle(request, options);
      if (response.statusCode !== 200) return { attempt: { kind: 'answered', response } };
      const chunks = (await (response.body as Readable).toArray()) as Buffer[];
      const result = readJson(chunks, read);
      if (result !== undefined) return { result };
      response.body = Buffer.concat(chunks);
      return { attempt: { kind: 'answered', response } };
    } catch (error) {
      return { attempt: { kind: 'failed', error } };
    }
  }

  /** Sends through the SDK. With an attempt, the SDK's first one is not made but ends as that one did. */
  async #sendWhole<Input extends ClientInput, Output extends ClientOutput>(
    command: Command<ClientInput, Input, ClientOutput, Output, Config>,
    options: { abortSignal?: AbortSignal },
    attempt?: Attempt,
  ): Promise<Output> {
    let known = attempt;
    command.middlewareStack.add(
      (next) => async (args) => {
        const made = known;
        known = undefined;
        if (made === undefined) {
          await this.#learn(command, args.request as HttpRequest);
          return await next(args);
        }
        if (made.kind === 'failed') throw made.error;
        return { response: made.response };
      },
      // The last step before the connection: the request is signed, and the answer not yet read.
      { step: 'deserialize', priority: 'low', name: 'firstAttempt' },
    );
    return await this.#client.send(command, options);
  }

  /** Looks at what the SDK is about to send, and if calls like it can be sent directly, remembers how. */
  async #learn(command: { readonly input: object }, request: HttpRequest): Promise<void> {
    if (this.#ways.has(command.constructor)) return;
    const { config } = this.#client;
    const [, signingRegion, signingService] = SIGNING_SCOPE.exec(request.headers['authorization'] ?? '') ?? [];
    const names = Object.keys(request.headers);
    const retryStrategy = await config.retryStrategy();
    if (
      signingRegion === undefined ||
      signingService === undefined ||
      !names.every((name) => CONSTANT_HEADERS.has(name) || REQUEST_HEADERS.has(name)) ||
      !isTextOf(request.body, command.input) ||
      // The adaptive mode wants to see every call, and to hold some back.
      !('recordSuccess' in retryStrategy) ||
      !('mode' in retryStrategy && retryStrategy.mode === 'standard')
    ) {
      return;
    }
    const constant = names.filter((name) => CONSTANT_HEADERS.has(name)).map((name) => [name, request.headers[name] ?? '']);
    const signer = await config.signer();
    const token = await retryStrategy.acquireInitialRetryToken('');
    this.#ways.set(command.constructor, {
      sign: async (body) => {
        const headers = { ...Object.fromEntries(constant), 'content-length': String(Buffer.byteLength(body)) };
        // By the clock of the service, as far as the SDK has had to learn that it differs.
        const signingDate = new Date(Date.now() + config.systemClockOffset);
        return await signer.sign({ ...request, headers, body }, { signingDate, signingRegion, signingService });
      },
      // Successes fill the budget that the SDK's retries are paid from.
      recordSuccess: () => retryStrategy.recordSuccess(token),
    });
  }
}

function isTextOf(body: unknown, input: object): boolean {
  try {
    return body instanceof Uint8Array && isDeepStrictEqual(JSON.parse(new TextDecoder().decode(body)), input);
  } catch {
    return false;
  }
}

function readJson<Result>(chunks: readonly Buffer[], read: ReadAnswer<Result>): Result | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(textOf(chunks));
  } catch {
    // Not JSON at all; the SDK words the complaint.
    return undefined;
  }
  return read(answer, chunks);
}

/**
 * The text, chunk by chunk. In one piece, the bytes of a large answer and its text would lie outside of V8's heap, each of them once more,
 * and V8 collects all of its garbage whenever it has seen 64 MB of such memory: with full pages of a stream, several times a second.
 */
function textOf(chunks: readonly Buffer[]): string {
  const decoder = new StringDecoder('utf8');
  return chunks.reduce((text, chunk) => text + decoder.write(chunk), '') + decoder.end();
}
