import type { Clock } from '@wherry/core/clock';
import type { EngineEvent, InvocationOutcome, Observe } from '@wherry/core/engine-event';
import { oneLine } from './error-fields.ts';

/** Seconds over which rates are taken. */
const WINDOW_SECONDS = 10;

/** What one mapping did in this process since it started, and lately. */
export interface MappingTotals {
  readonly polled: number;
  readonly filtered: number;
  readonly invoked: number;
  /** Invoked and not failed. */
  readonly succeeded: number;
  readonly failed: number;
  readonly deleted: number;
  /** Events per second over the last 10 s. */
  readonly rates: { readonly polled: number; readonly filtered: number; readonly succeeded: number; readonly failed: number };
  /** Age of the oldest event invoked in the last 10 s; absent when none was. */
  readonly oldestAgeMs?: number;
  readonly lastFailure?: { readonly atMs: number; readonly outcome: InvocationOutcome; readonly error: string };
}

interface Slot {
  second: number;
  polled: number;
  filtered: number;
  succeeded: number;
  failed: number;
  ageMs: number;
}

/** Counts events per mapping for `/v1/status`: totals since the start and rates over a sliding window of 10 s. */
export class Totals {
  readonly #clock: Clock;
  readonly #mappings = new Map<string, Counted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly observe: Observe = (event) => {
    switch (event.type) {
      case 'polled':
      case 'filtered':
      case 'invoked':
      case 'settled':
        this.#of(event.mapping).add(event, this.#clock.nowMs(), this.#second());
        return;
      case 'expired':
      case 'lease':
      case 'scaled':
      case 'mappingState':
      case 'problem':
      case 'gate':
      case 'storeUp':
      case 'crashed':
        return; // No event was polled, invoked or deleted.
    }
  };

  /** Totals of one mapping; zeros for one that has done nothing yet. */
  read(mapping: string): MappingTotals {
    return this.#of(mapping).read(this.#second());
  }

  /** Forgets mappings that left the configuration. */
  keep(mappings: Iterable<string>): void {
    const kept = new Set(mappings);
    for (const name of this.#mappings.keys()) if (!kept.has(name)) this.#mappings.delete(name);
  }

  #second(): number {
    return Math.floor(this.#clock.monotonicMs() / 1000);
  }

  #of(mapping: string): Counted {
    let counted = this.#mappings.get(mapping);
    if (counted === undefined) this.#mappings.set(mapping, (counted = new Counted()));
    return counted;
  }
}

/** The counters of one mapping: plain sums, and a ring of one slot a second. */
class Counted {
  #polled = 0;
  #filtered = 0;
  #invoked = 0;
  #failed = 0;
  #deleted = 0;
  #lastFailure: MappingTotals['lastFailure'];
  // One slot more than the window: the running second is incomplete and left out of rates.
  readonly #ring: Slot[] = Array.from({ length: WINDOW_SECONDS + 1 }, () => ({
    second: -1,
    polled: 0,
    filtered: 0,
    succeeded: 0,
    failed: 0,
    ageMs: -1,
  }));

  add(event: Extract<EngineEvent, { type: 'polled' | 'filtered' | 'invoked' | 'settled' }>, nowMs: number, second: number): void {
    const slot = this.#slot(second);
    switch (event.type) {
      case 'polled':
        this.#polled += event.events;
        slot.polled += event.events;
        return;
      case 'filtered':
        this.#filtered += event.events;
        slot.filtered += event.events;
        return;
      case 'invoked':
        this.#invoked += event.events;
        this.#failed += event.failed;
        slot.succeeded += event.events - event.failed;
        slot.failed += event.failed;
        slot.ageMs = Math.max(slot.ageMs, event.ageMs, 0); // The producer’s clock may run ahead of ours.
        if (event.outcome !== 'success') this.#lastFailure = { atMs: nowMs, outcome: event.outcome, error: oneLine(event.error ?? '') };
        return;
      case 'settled':
        if (event.action === 'deleted') this.#deleted += event.done;
        return;
    }
  }

  read(second: number): MappingTotals {
    const recent = this.#ring.filter((slot) => slot.second >= second - WINDOW_SECONDS && slot.second < second);
    const rate = (field: keyof MappingTotals['rates']) => recent.reduce((sum, slot) => sum + slot[field], 0) / WINDOW_SECONDS;
    const ageMs = Math.max(-1, this.#slot(second).ageMs, ...recent.map((slot) => slot.ageMs));
    return {
      polled: this.#polled,
      filtered: this.#filtered,
      invoked: this.#invoked,
      succeeded: this.#invoked - this.#failed,
      failed: this.#failed,
      deleted: this.#deleted,
      rates: { polled: rate('polled'), filtered: rate('filtered'), succeeded: rate('succeeded'), failed: rate('failed') },
      ...(ageMs >= 0 ? { oldestAgeMs: ageMs } : {}),
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }

  #slot(second: number): Slot {
    const slot = this.#ring[second % this.#ring.length]!;
    if (slot.second !== second) Object.assign(slot, { second, polled: 0, filtered: 0, succeeded: 0, failed: 0, ageMs: -1 });
    return slot;
  }
}
