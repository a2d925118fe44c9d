import { createHash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentials, CachedCredentials } from '@wherry/core/cached-credentials';
import type { Clock } from '@wherry/core/clock';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { AwsSettings, Target } from '@wherry/core/mapping';
import { clientContextHeader, deliveryHeaders } from './delivery.ts';
import type { HttpClient } from './http-client.ts';
import { headerOf, type HttpAnswer } from './http-exchange.ts';
import { classifyLambdaAnswer, isSignatureError, readServiceError } from './lambda-answer.ts';
import { NativeSha256 } from './native-sha256.ts';
import { unanswered } from './unanswered.ts';

/** `target.lambda` of a function. */
export type LambdaTargetSettings = Extract<Target, { kind: 'lambda' }>;

/** AWS refuses signatures whose time differs by five minutes; a difference that comes near is taken for the reason. */
const NOTABLE_SKEW_MS = 240_000;

/** Lambda takes only UUIDs as a caller's request id. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Domain suffixes of the partitions, by the beginning of their regions' names; all others are `amazonaws.com`. */
const DOMAIN_SUFFIXES: readonly (readonly [string, string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['eusc-', 'amazonaws.eu'],
];

/**
 * A function behind Lambda's Invoke API, called synchronously (`RequestResponse`) and once per attempt. Not through the
 * SDK's own client, which resends on throttles, 5xx and cut connections.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export class LambdaTarget implements Invoker {
  readonly #target: LambdaTargetSettings;
  readonly #client: HttpClient;
  readonly #credentials: CachedCredentials;
  readonly #clock: Clock;
  /** By qualifier; few, because they stand in the configuration. */
  readonly #urls = new Map<string | undefined, URL>();
  /** How far the service's clock is ahead of ours, once a signature was refused for its time. */
  #skewMs = 0;

  constructor(target: LambdaTargetSettings, client: HttpClient, credentials: CachedCredentials, clock: Clock) {
    this.#target = target;
    this.#client = client;
    this.#credentials = credentials;
    this.#clock = clock;
  }

  async invoke(request: InvokeRequest): Promise<InvokeResult> {
    const startedAtMs = this.#clock.monotonicMs();
    const credentials = await this.#getCredentials(request.signal);
    if (typeof credentials === 'string') {
      return { kind: 'unavailable', reason: credentials, permanent: false, durationMs: this.#clock.monotonicMs() - startedAtMs };
    }
    const url = this.#url(request.qualifier);
    const outcome = await this.#client.post({
      url,
      headers: await this.#signedHeaders(url, request, credentials),
      body: request.payload,
      deadlineMs: deadlineMsOf(request.function),
      signal: request.signal,
    });
    const durationMs = this.#clock.monotonicMs() - startedAtMs;
    if (outcome.kind !== 'answer') return unanswered(outcome, durationMs);
    const result = classifyLambdaAnswer(outcome, durationMs, this.#clock.nowMs());
    return result.kind === 'unavailable' ? this.#learn(outcome, result, credentials) : result;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #url(qualifier: string | undefined): URL {
    const known = this.#urls.get(qualifier);
    if (known !== undefined) return known;
    const url = invocationUrl(this.#target, qualifier);
    this.#urls.set(qualifier, url);
    return url;
  }

  /** Keys, or why there are none. A provider may hang for long; a stop does not wait for it. */
  async #getCredentials(signal: AbortSignal): Promise<AwsCredentials | string> {
    const stopped = Promise.withResolvers<string>();
    const onAbort = (): void => stopped.resolve('stopped before the answer');
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([stopped.promise, this.#credentials.get()]);
    } catch (error) {
      return `no AWS credentials: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #signedHeaders(url: URL, request: InvokeRequest, credentials: AwsCredentials): Promise<Record<string, string>> {
    const { 'x-amzn-requestid': requestId = '', ...delivery } = deliveryHeaders(request);
    const signer = new SignatureV4({ service: 'lambda', region: this.#target.aws.region, credentials, sha256: NativeSha256 });
    const signed = await signer.sign(
      {
        method: 'POST',
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: {
          host: url.host,
          'content-type': 'application/json',
          'x-amz-invocation-type': 'RequestResponse',
          // Hashed here because Node's own SHA-256 is many times faster than the signer's.
          'x-amz-content-sha256': createHash('sha256').update(request.payload).digest('hex'),
          ...delivery,
          ...(UUID.test(requestId) ? { 'x-amzn-requestid': requestId } : {}),
          ...clientContextHeader(request.delivery),
        },
      },
      { signingDate: new Date(this.#clock.nowMs() + this.#skewMs) },
    );
    return signed.headers;
  }

  /** Takes from a refused signature what makes the next one better. */
  #learn(answer: HttpAnswer, result: Extract<InvokeResult, { kind: 'unavailable' }>, credentials: AwsCredentials): InvokeResult {
    if (!isSignatureError(readServiceError(answer))) return result;
    this.#credentials.reject(credentials);
    const serverMs = Date.parse(headerOf(answer.headers, 'date') ?? '');
    const skewMs = serverMs - this.#clock.nowMs();
    if (!Number.isNaN(serverMs) && Math.abs(skewMs - this.#skewMs) >= NOTABLE_SKEW_MS) {
      this.#skewMs = skewMs;
      const reason = `${result.reason} (the clock of this machine differs by ${Math.round(skewMs / 1_000)} s; signing with the service's time from now on)`;
      return { ...result, reason, permanent: false };
    }
    return result;
  }
}

function invocationUrl(target: LambdaTargetSettings, qualifier = target.qualifier): URL {
  const base = (target.aws.endpoint ?? publicEndpoint(target.aws)).replace(/\/+$/, '');
  const query = qualifier === undefined ? '' : `?Qualifier=${encodeURIComponent(qualifier)}`;
  // A function may be named by its ARN, whose colons the SDKs encode; the signature then covers them encoded twice.
  return new URL(`${base}/2015-03-31/functions/${encodeURIComponent(target.functionName)}/invocations${query}`);
}

function publicEndpoint(aws: AwsSettings): string {
  const suffix = DOMAIN_SUFFIXES.find(([prefix]) => aws.region.startsWith(prefix))?.[1] ?? 'amazonaws.com';
  return `https://lambda.${aws.region}.${suffix}`;
}
