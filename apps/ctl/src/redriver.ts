import { backoffMs, type BackoffPolicy } from '@wherry/core/backoff';
import type { Surroundings } from '@wherry/core/clock';
import { type PermitStore, StoreError } from '@wherry/core/coordination';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { FailedBatch, FailedStore } from '@wherry/core/failed-store';
import type { InvokeResult, Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, StreamMapping, WherryConfig } from '@wherry/core/mapping';
import { readFailedEvent } from '@wherry/core/stream/failed-event';
import { STREAM_BACKOFF } from '@wherry/core/stream/stream-batch';
import { judgeInvocation } from '@wherry/core/stream/stream-verdict';
import { judgeWindowCall } from '@wherry/core/stream/window-answer';
import { FleetPermits } from '@wherry/engine/fleet-permits';
import { restOfBatch, type StoredBatch } from './redrive-rest.ts';

/** What became of one batch. Whatever did not succeed is still in the store. */
export type RedriveResult =
  | { readonly outcome: 'succeeded' }
  /** The beginning is done and gone; what remains is a batch of its own. */
  | { readonly outcome: 'partial'; readonly succeeded: number; readonly restId: string; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string }
  /** The function did not run, though it was tried for a while. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Nobody tried: no function to call, or one that refused the batch before. */
  | { readonly outcome: 'notTried'; readonly reason: string }
  /** Somebody else redrives it at this moment. */
  | { readonly outcome: 'busy' }
  /** It is no longer there: redriven or discarded by somebody else. */
  | { readonly outcome: 'gone' }
  /** It succeeded, but the store did not answer when it was to be taken out: it will come again. */
  | { readonly outcome: 'notRemoved'; readonly reason: string };

/** What of a stored batch a redrive begins with. */
export type RedriveBatch = Pick<FailedBatch, 'id' | 'mapping' | 'mappingUuid'>;

/** What a redrive works with. */
export interface RedriverOptions {
  readonly config: Pick<WherryConfig, 'fleet' | 'functions' | 'mappings'>;
  readonly surroundings: Surroundings;
  readonly store: FailedStore;
  readonly permits: PermitStore;
  readonly createInvoker: (fn: FunctionDefinition) => Invoker;
}

/** Tries in a row that do not reach the function before it is left alone, some 30 s after the first. [I] */
const REFUSALS_MAX = 8;
/** How soon a reached cap is looked at again, and for how long. [I] */
const PERMIT_RETRY_MS = 250;
const PERMIT_WAIT_MS_MAX = 60_000;
/** How far a claim outlives the deadline of its invocation, so that a redrive that was killed still keeps others away until the function has ended. */
const CLAIM_MARGIN_MS = 15_000;
/** A claim after which so much time went by is not used: its time began when it was asked for, and must outlast the invocation. */
const CLAIM_AGE_MS_MAX = 3_000;
/** Tries to store what an invocation has done, and the pauses between them. [I] */
const SETTLE_TRIES = 5;
const SETTLE_BACKOFF: BackoffPolicy = { firstMs: 250, maxMs: 4_000, leastMs: 100 };

/** A mapping of which batches are redriven. */
interface Work {
  readonly mapping: StreamMapping;
  readonly definition: FunctionDefinition;
  readonly invoker: Invoker;
  readonly permits: FleetPermits;
  /** Why the function is left alone for the rest of this redrive. */
  refusal?: string;
}

type Attempt =
  | RedriveResult
  | { readonly outcome: 'again'; readonly reason: string; readonly atLeastMs: number; readonly isPermanent: boolean };

/**
 * Invokes functions with batches of the fleet's own store, one at a time, while the fleet runs: under the fleet's caps, with the target
 * and the rules that the configuration has now. A batch is claimed before it is invoked, so that no two redrives invoke it at once.
 * Nothing is taken out before it is done, so a crash may repeat a batch and never loses one.
 */
export class Redriver {
  readonly #options: RedriverOptions;
  /** By mapping UUID: what there is to call, or why there is nothing. */
  readonly #works = new Map<string, Work | string>();
  readonly #never = new AbortController();

  constructor(options: RedriverOptions) {
    this.#options = options;
  }

  /** One batch, until the function has run or refused it for a while. Throws `StoreError` if the store cannot be asked before that. */
  async redrive(batch: RedriveBatch): Promise<RedriveResult> {
    const work = this.#works.get(batch.mappingUuid) ?? this.#open(batch);
    this.#works.set(batch.mappingUuid, work);
    if (typeof work === 'string') return { outcome: 'notTried', reason: work };
    const { clock, random } = this.#options.surroundings;
    for (let refusals = 1; ; refusals += 1) {
      if (work.refusal !== undefined) return { outcome: 'notTried', reason: work.refusal };
      const attempt = await this.#attempt(batch.id, work);
      if (attempt.outcome !== 'again') return attempt;
      if (attempt.isPermanent || refusals === REFUSALS_MAX) {
        work.refusal = `function "${work.definition.name}" refused a batch before: ${attempt.reason}`;
        return { outcome: 'refused', reason: attempt.reason };
      }
      await clock.sleep(Math.max(attempt.atLeastMs, backoffMs(refusals, STREAM_BACKOFF, random)));
    }
  }

  /** What became of a batch that was `busy`: waits until the other's claim has ended. */
  async awaitOther({ id, mappingUuid }: RedriveBatch): Promise<RedriveResult> {
    const { permits, store, surroundings } = this.#options;
    while ((await permits.inUse(mappingUuid, claimScope(id))) > 0) await surroundings.clock.sleep(PERMIT_RETRY_MS);
    if ((await store.get(id)) === undefined) return { outcome: 'gone' };
    return { outcome: 'failed', reason: 'somebody else redrove it at the same time, and it is still there' };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#works.values()].flatMap((work) => (typeof work === 'string' ? [] : [work.invoker.close()])));
  }

  #open({ mapping: name, mappingUuid }: RedriveBatch): Work | string {
    const { config, surroundings, permits: store, createInvoker } = this.#options;
    const mapping = [...config.mappings.values()].find(({ uuid }) => uuid === mappingUuid);
    if (mapping === undefined || mapping.source === 'sqs') {
      return `the configuration has no stream mapping "${name}" any more: bring it back, or discard the batch`;
    }
    const definition = config.functions.get(mapping.functionName);
    if (definition === undefined) return `the configuration has no function "${mapping.functionName}"`;
    if (definition.reservedConcurrentExecutions === 0)
      return `function "${definition.name}" is stopped: its ReservedConcurrentExecutions is 0`;
    const permits = new FleetPermits({ surroundings, store, mapping, function: definition, kill: this.#never.signal });
    return { mapping, definition, invoker: createInvoker(definition), permits };
  }

  async #attempt(id: string, work: Work): Promise<Attempt> {
    const giveBack = await this.#takePermit(work);
    if (giveBack === undefined) return again('all that its caps allow is in use by the fleet');
    try {
      return await this.#claimed(id, work);
    } finally {
      giveBack();
    }
  }

  async #takePermit({ permits }: Work): Promise<(() => void) | undefined> {
    const { clock } = this.#options.surroundings;
    const untilMs = clock.monotonicMs() + PERMIT_WAIT_MS_MAX;
    for (;;) {
      const giveBack = await permits.tryTake();
      if (giveBack !== undefined || clock.monotonicMs() >= untilMs) return giveBack;
      await clock.sleep(PERMIT_RETRY_MS);
    }
  }

  async #claimed(id: string, work: Work): Promise<Attempt> {
    const { surroundings, permits, store } = this.#options;
    const claim = { scope: claimScope(id), limit: 1 };
    const token = surroundings.newId();
    const askedAtMs = surroundings.clock.monotonicMs();
    if (!(await permits.acquire(work.mapping.uuid, [claim], token, deadlineMsOf(work.definition) + CLAIM_MARGIN_MS)))
      return { outcome: 'busy' };
    try {
      const found = await store.get(id);
      if (found === undefined) return { outcome: 'gone' };
      if (surroundings.clock.monotonicMs() - askedAtMs > CLAIM_AGE_MS_MAX) return again('Redis answers too slowly');
      return await this.#invoke(found, work);
    } finally {
      // One that cannot be given back ends by itself.
      await permits.release(work.mapping.uuid, [claim.scope], token).catch(ignoreStoreError);
    }
  }

  async #invoke({ batch, event: payload }: StoredBatch, work: Work): Promise<Attempt> {
    const event = failedEventOf(payload);
    if (typeof event === 'string') return { outcome: 'failed', reason: event };
    const { config, surroundings } = this.#options;
    const { mapping, definition, invoker } = work;
    const requestId = surroundings.newId();
    const result = await invoker.invoke({
      function: definition,
      ...(mapping.qualifier === undefined ? {} : { qualifier: mapping.qualifier }),
      payload,
      requestId,
      delivery: {
        fleet: config.fleet.id,
        mapping: mapping.name,
        source: mapping.eventSourceArn,
        batch: batch.id,
        attempt: 1,
        records: batch.records,
        first: batch.firstSequenceNumber,
        last: batch.lastSequenceNumber,
        // No lease covers what was given up.
        epoch: 0,
      },
      signal: this.#never.signal,
    });
    const numbers = event.records.map(({ sequenceNumber }) => sequenceNumber);
    const { verdict, state } = judge(result, numbers, mapping, event.isWindowed);
    switch (verdict.kind) {
      case 'succeeded':
        return await this.#settle(batch.id, { outcome: 'succeeded' });
      case 'refused':
        return { ...again(verdict.error, verdict.atLeastMs), isPermanent: result.kind === 'unavailable' && result.permanent };
      case 'tooLarge':
        return { outcome: 'failed', reason: verdict.error };
      case 'failed': {
        if (verdict.failedFrom === 0) return { outcome: 'failed', reason: verdict.error };
        const success = { ...verdict, requestId: verdict.requestId ?? requestId, ...(state === undefined ? {} : { state }) };
        const rest = restOfBatch(batch, event, success, surroundings);
        return await this.#settle(
          batch.id,
          { outcome: 'partial', succeeded: verdict.failedFrom, restId: rest.batch.id, reason: verdict.error },
          rest,
        );
      }
    }
  }

  /** The rest is there before the whole is gone. */
  async #settle(id: string, result: RedriveResult, rest?: StoredBatch): Promise<RedriveResult> {
    const { store, surroundings } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        if (rest !== undefined) await store.put(rest.batch, rest.event);
        await store.remove([id]);
        return result;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (failures === SETTLE_TRIES) return { outcome: 'notRemoved', reason: error.message };
        await surroundings.clock.sleep(backoffMs(failures, SETTLE_BACKOFF, surroundings.random));
      }
    }
  }
}

function claimScope(id: string): string {
  return `redrive-${id}`;
}

function judge(result: InvokeResult, sequenceNumbers: readonly string[], { reportBatchItemFailures }: StreamMapping, isWindowed: boolean) {
  if (isWindowed) return judgeWindowCall(result, sequenceNumbers, reportBatchItemFailures);
  return { verdict: judgeInvocation(result, sequenceNumbers, reportBatchItemFailures), state: undefined };
}

function failedEventOf(payload: Uint8Array) {
  try {
    return readFailedEvent(new TextDecoder().decode(payload));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return error.message;
  }
}

function again(reason: string, atLeastMs = 0): Attempt & { readonly outcome: 'again' } {
  return { outcome: 'again', reason, atLeastMs, isPermanent: false };
}

function ignoreStoreError(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}
