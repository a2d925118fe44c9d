import { type BackoffPolicy, backoffMs } from '@wherry/core/backoff';
import type { Surroundings } from '@wherry/core/clock';
import type { PermitStore } from '@wherry/core/coordination';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { FunctionDefinition, SqsMapping } from '@wherry/core/mapping';
import { rieCapacity } from '@wherry/core/slots';

/**
 * How far a permit outlives the deadline of its invocation. Nobody hands back the permit of a poller that was killed, and the
 * invocation that it started may well run on until the deadline: neither Lambda nor a container ends a function because its caller
 * is gone. So the permit counts until then, and a cap holds through crashes. The permit's time begins before that of the
 * invocation, which is what the margin is for: `ANSWER_MS_MAX` for the store's answer, and as much again for a process that stood
 * still between the answer and the call, and for clocks that do not run alike. A shorter one would let a cap of 1 be 2 for a moment.
 */
const PERMIT_MARGIN_MS = 10_000;
/** A permit whose answer took longer is not used: its time began when it was asked for, and must outlast the invocation. */
const ANSWER_MS_MAX = 5_000;
/** Pauses between tries to hand a permit back while the store does not answer. */
const RETURN_BACKOFF: BackoffPolicy = { firstMs: 200, maxMs: 5_000, leastMs: 100 };

/** What of a mapping its caps depend on. A stream mapping has no `MaximumConcurrency`: its shards and lanes bound it. */
export type CappedMapping = Pick<SqsMapping, 'uuid' | 'maximumConcurrency'>;

/** Whose caps these are, and where they are counted. */
export interface FleetPermitsOptions {
  readonly surroundings: Surroundings;
  readonly store: PermitStore;
  readonly mapping: CappedMapping;
  readonly function: FunctionDefinition;
  readonly kill: AbortSignal;
}

/**
 * The caps that hold across the fleet: `MaximumConcurrency` of the mapping, `ReservedConcurrentExecutions` of the function,
 * and the capacity of its RIE containers. Where none applies nothing is asked of the store.
 */
export class FleetPermits {
  readonly #options: FleetPermitsOptions;
  readonly #scopes: readonly { readonly scope: string; readonly limit: number }[];
  readonly #ttlMs: number;

  constructor(options: FleetPermitsOptions) {
    this.#options = options;
    this.#scopes = capScopes(options.mapping, options.function);
    this.#ttlMs = deadlineMsOf(options.function) + PERMIT_MARGIN_MS;
  }

  get isCapped(): boolean {
    return this.#scopes.length > 0;
  }

  /**
   * Takes one permit in every scope, or none.
   * @returns gives the permit back; `undefined` if a cap is reached, or the store cannot say that it is not
   */
  async tryTake(): Promise<(() => void) | undefined> {
    if (!this.isCapped) return () => undefined;
    const { clock, newId } = this.#options.surroundings;
    const token = newId();
    const askedAtMs = clock.monotonicMs();
    const giveBack = (): void => void this.#giveBack(token);
    try {
      const taken = await this.#options.store.acquire(this.#options.function.name, this.#scopes, token, this.#ttlMs);
      if (!taken) return undefined;
      if (clock.monotonicMs() - askedAtMs <= ANSWER_MS_MAX) return giveBack;
      giveBack();
      return undefined;
    } catch {
      // Nobody knows whether it was taken. Without a permit there is no invocation; a permit that was taken goes back.
      giveBack();
      return undefined;
    }
  }

  /** Keeps trying until the permit would have lapsed by itself: a lost release would shut a cap of 1 for a whole `Timeout`. */
  async #giveBack(token: string): Promise<void> {
    const { surroundings, store, kill } = this.#options;
    const lapsesAtMs = surroundings.clock.monotonicMs() + this.#ttlMs;
    const scopes = this.#scopes.map(({ scope }) => scope);
    for (let failures = 1; surroundings.clock.monotonicMs() < lapsesAtMs; failures += 1) {
      try {
        await store.release(this.#options.function.name, scopes, token);
        return;
      } catch {
        // The store is down; its own renewals tell of that.
        if (kill.aborted) return;
        await surroundings.clock.sleep(backoffMs(failures, RETURN_BACKOFF, surroundings.random), kill);
      }
    }
  }
}

function capScopes(mapping: CappedMapping, fn: FunctionDefinition): { scope: string; limit: number }[] {
  const caps = [
    { scope: `mapping-${mapping.uuid}`, limit: mapping.maximumConcurrency },
    { scope: 'reserved', limit: fn.reservedConcurrentExecutions },
    { scope: 'rie', limit: rieCapacity(fn) },
  ];
  return caps.flatMap(({ scope, limit }) => (limit === undefined ? [] : [{ scope, limit }]));
}
