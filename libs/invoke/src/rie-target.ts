import { createHash } from 'node:crypto';
import type { Surroundings } from '@wherry/core/clock';
import { StoreError, type PermitStore } from '@wherry/core/coordination';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { Target } from '@wherry/core/mapping';
import { clientContextHeader, deliveryHeaders } from './delivery.ts';
import type { HttpClient } from './http-client.ts';
import type { HttpOutcome } from './http-exchange.ts';
import { classifyRieAnswer } from './rie-answer.ts';
import { unanswered } from './unanswered.ts';

/** `target.rie` of a function. */
export type RieTargetSettings = Extract<Target, { kind: 'rie' }>;

/** The only path the emulator serves, whatever the function is called. */
const INVOCATION_PATH = '/2015-03-31/functions/function/invocations';

/** What a permit lives beyond the deadline of its call; also how long taking it may take at most. */
const PERMIT_SLACK_MS = 5_000;

/** How soon it is worth looking for a free endpoint again [I]. */
const NO_FREE_ENDPOINT_RETRY_MS = 250;

/** How soon the permit store is asked again when it did not answer [I]. */
const STORE_RETRY_MS = 1_000;

/** An endpoint that could not be connected to is passed over for this long while others are left [I]. */
const COOL_OFF_MS = 5_000;

/** One container, under a name that is the same on every poller. */
interface Endpoint {
  readonly url: URL;
  /** Store names are made from a hash, never from what somebody wrote into a configuration. */
  readonly partition: string;
  readonly scope: string;
  /** Calls of this process that hold a permit here. */
  running: number;
  /** Monotonic time before which it is passed over. */
  coolUntilMs: number;
}

/**
 * Containers with the Runtime Interface Emulator. The classic emulator survives exactly one request at a time: a second one
 * ends its process, and both callers get nothing. So a call needs a permit for its endpoint, counted across the whole fleet.
 */
export class RieTarget implements Invoker {
  readonly #endpoints: readonly Endpoint[];
  readonly #concurrency: number;
  readonly #client: HttpClient;
  readonly #permits: PermitStore;
  readonly #surroundings: Surroundings;
  /** Where the search for a free endpoint starts; chance at first, so that pollers do not all begin with the same one. */
  #turn: number;

  constructor(target: RieTargetSettings, client: HttpClient, permits: PermitStore, surroundings: Surroundings) {
    this.#endpoints = target.urls.map(endpointOf);
    this.#concurrency = target.concurrency;
    this.#client = client;
    this.#permits = permits;
    this.#surroundings = surroundings;
    this.#turn = Math.floor(surroundings.random() * this.#endpoints.length);
  }

  async invoke(request: InvokeRequest): Promise<InvokeResult> {
    const startedAtMs = this.#now();
    const token = this.#surroundings.newId();
    const deadlineMs = deadlineMsOf(request.function);
    for (const endpoint of this.#candidates()) {
      const taken = await this.#take(endpoint, token, deadlineMs + PERMIT_SLACK_MS);
      if (taken === 'failed') return this.#throttled('permit store does not answer', STORE_RETRY_MS, startedAtMs);
      if (taken === 'taken') return await this.#call(endpoint, token, request, deadlineMs);
    }
    return this.#throttled('no free RIE endpoint', NO_FREE_ENDPOINT_RETRY_MS, startedAtMs);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Endpoints worth asking for, in turn; those that could not be reached lately only if there is no other kind. */
  #candidates(): readonly Endpoint[] {
    const start = this.#turn++ % this.#endpoints.length;
    const inTurn = [...this.#endpoints.slice(start), ...this.#endpoints.slice(0, start)];
    const nowMs = this.#now();
    const reachable = inTurn.filter((endpoint) => endpoint.coolUntilMs <= nowMs);
    return (reachable.length === 0 ? inTurn : reachable).filter((endpoint) => endpoint.running < this.#concurrency);
  }

  async #take(endpoint: Endpoint, token: string, ttlMs: number): Promise<'taken' | 'busy' | 'failed'> {
    const askedAtMs = this.#now();
    // Counted before the store answers, so that another call of this process does not ask for the same place meanwhile.
    endpoint.running++;
    try {
      const limits = [{ scope: endpoint.scope, limit: this.#concurrency }];
      const isTaken = await this.#permits.acquire(endpoint.partition, limits, token, ttlMs);
      // The permit's time began when it was asked for at the earliest. After a pause of this process it could end while the
      // call still runs, so a late one is not used.
      if (isTaken && this.#now() - askedAtMs <= PERMIT_SLACK_MS) return 'taken';
      if (isTaken) await this.#release(endpoint, token);
      else endpoint.running--;
      return isTaken ? 'failed' : 'busy';
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // The store may have given the permit all the same; it then runs out by itself if this cannot reach it either.
      await this.#release(endpoint, token);
      return 'failed';
    }
  }

  async #call(endpoint: Endpoint, token: string, request: InvokeRequest, deadlineMs: number): Promise<InvokeResult> {
    const startedAtMs = this.#now();
    const outcome = await this.#client.post({
      url: endpoint.url,
      headers: { 'content-type': 'application/json', ...deliveryHeaders(request), ...clientContextHeader(request.delivery) },
      body: request.payload,
      deadlineMs,
      signal: request.signal,
    });
    const durationMs = this.#now() - startedAtMs;
    if (outcome.kind === 'failed' && !outcome.sent) endpoint.coolUntilMs = this.#now() + COOL_OFF_MS;
    if (mayStillRun(outcome)) endpoint.running--;
    else await this.#release(endpoint, token);
    return outcome.kind === 'answer' ? classifyRieAnswer(outcome, request.requestId, durationMs) : unanswered(outcome, durationMs);
  }

  async #release(endpoint: Endpoint, token: string): Promise<void> {
    try {
      await this.#permits.release(endpoint.partition, [endpoint.scope], token);
    } catch (error) {
      // It runs out by itself; the endpoint only stays unused until then.
      if (!(error instanceof StoreError)) throw error;
    } finally {
      endpoint.running--;
    }
  }

  #throttled(reason: string, retryAfterMs: number, startedAtMs: number): InvokeResult {
    return { kind: 'throttled', reason, retryAfterMs, durationMs: this.#now() - startedAtMs };
  }

  #now(): number {
    return this.#surroundings.clock.monotonicMs();
  }
}

/**
 * Whether the function may still be at work after the call: then the permit is kept until it runs out, because the emulator
 * goes on with an invocation whose caller has gone, and a second request would end its process. Nothing can run where
 * nothing was sent, and an answer (also one that was cut off for its size) comes only after the function has ended.
 */
function mayStillRun(outcome: HttpOutcome): boolean {
  return outcome.kind === 'timedOut' || ((outcome.kind === 'aborted' || outcome.kind === 'failed') && outcome.sent);
}

function endpointOf(text: string): Endpoint {
  const url = new URL(text);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${INVOCATION_PATH}`;
  const id = createHash('sha256').update(`${url.origin}${url.pathname}`).digest('hex').slice(0, 16);
  return { url, partition: `rie-${id}`, scope: `rie:${id}`, running: 0, coolUntilMs: 0 };
}
