import { createHmac } from 'node:crypto';
import type { Clock } from '@wherry/core/clock';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { Target } from '@wherry/core/mapping';
import { deliveryHeaders } from './delivery.ts';
import { functionError, parseFunctionError } from './function-error.ts';
import type { HttpClient } from './http-client.ts';
import { headerOf, type HttpAnswer } from './http-exchange.ts';
import { retryAfterMs } from './retry-after.ts';
import { unanswered } from './unanswered.ts';

/** `target.http` of a function. */
export type HttpTargetSettings = Extract<Target, { kind: 'http' }>;

/** Statuses by which a service or something in front of it says that the request did not get through. */
const SERVICE_STATUSES: ReadonlySet<number> = new Set([408, 502, 503, 504]);

/**
 * A plain HTTP service: the event is posted as it is, and the status tells the class of the outcome.
 *
 * 2xx is the function's answer (an error of the function if it carries `X-Amz-Function-Error`); 429 is a throttle; 408, 502,
 * 503, 504 and broken connections are faults of the service, not counted; any other status is an error of the function, its
 * body the error. Redirects are among those: they are never followed.
 */
export class HttpTarget implements Invoker {
  readonly #url: URL;
  readonly #target: HttpTargetSettings;
  readonly #client: HttpClient;
  readonly #clock: Clock;

  constructor(target: HttpTargetSettings, client: HttpClient, clock: Clock) {
    this.#url = new URL(target.url);
    this.#target = target;
    this.#client = client;
    this.#clock = clock;
  }

  async invoke(request: InvokeRequest): Promise<InvokeResult> {
    const startedAtMs = this.#clock.monotonicMs();
    const outcome = await this.#client.post({
      url: this.#url,
      headers: this.#headers(request),
      body: request.payload,
      deadlineMs: deadlineMsOf(request.function),
      signal: request.signal,
    });
    const durationMs = this.#clock.monotonicMs() - startedAtMs;
    return outcome.kind === 'answer' ? classify(outcome, durationMs, this.#clock.nowMs()) : unanswered(outcome, durationMs);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #headers(request: InvokeRequest): Record<string, string> {
    const { bearer, headers, hmac } = this.#target;
    const configured = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    return {
      'content-type': 'application/json',
      ...Object.fromEntries(configured),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer.token}` }),
      ...(hmac === undefined ? {} : sign(request.payload, hmac, Math.floor(this.#clock.nowMs() / 1_000))),
      ...deliveryHeaders(request),
    };
  }
}

/**
 * The signature covers the timestamp and the raw body, `<timestamp>.<body>`, so that a receiver can refuse old requests that
 * somebody recorded.
 */
function sign(payload: Uint8Array, hmac: { secret: string; header: string }, timestampSeconds: number): Record<string, string> {
  const digest = createHmac('sha256', hmac.secret).update(`${timestampSeconds}.`).update(payload).digest('hex');
  return { 'x-wherry-timestamp': String(timestampSeconds), [hmac.header.toLowerCase()]: `sha256=${digest}` };
}

function classify(answer: HttpAnswer, durationMs: number, nowMs: number): InvokeResult {
  const { body, headers, status } = answer;
  if (status >= 200 && status < 300) {
    const marked = headerOf(headers, 'x-amz-function-error') ?? '';
    if (marked === '') return { kind: 'success', body, durationMs };
    return functionError(
      parseFunctionError(body, { errorType: marked, errorMessage: 'the target reported a function error' }),
      body,
      durationMs,
    );
  }
  if (status === 429) {
    const waitMs = retryAfterMs(headers, nowMs);
    return { kind: 'throttled', reason: 'HTTP status 429', ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }), durationMs };
  }
  if (SERVICE_STATUSES.has(status)) return { kind: 'unavailable', reason: `HTTP status ${status}`, permanent: false, durationMs };
  const errorMessage = status >= 300 && status < 400 ? `HTTP status ${status}: redirect not followed` : `HTTP status ${status}`;
  return functionError(parseFunctionError(body, { errorType: `Http.Status${status}`, errorMessage }), body, durationMs);
}
