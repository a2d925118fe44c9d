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
  /** Streams: given up, and not with a failure destination. */
  readonly dropped: number;
  /** Streams: given up, and confirmed by their failure destination. */
  readonly delivered: number;
  /** Events per second over the last 10 s. */
  readonly rates: { readonly polled: number; readonly filtered: number; readonly succeeded: number; readonly failed: number };
  /** Age of the oldest event invoked in the last 10 s; absent when none was. */
  readonly oldestAgeMs?: number;
  readonly lastFailure?: { readonly atMs: number; readonly outcome: InvocationOutcome; readonly error: string };
  /** What Lambda shows as `LastProcessingResult` of a stream mapping, and when it came to be; absent before there was any result. */
  readonly lastProcessing?: { readonly atMs: number; readonly result: string };
}

/** Lambda's words for the result of the last invocation; a valid partial response is `OK` as well. */
const PROCESSED = 'OK';
const NOT_PROCESSED = 'PROBLEM: Function call failed';

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
      case 'destination':
      case 'problem':
        this.#of(event.mapping).add(event, this.#clock.nowMs(), this.#second());
        return;
      case 'expired':
      case 'lease':
      case 'scaled':
      case 'mappingState':
      case 'gate':
      case 'storeUp':
      case 'crashed':
      case 'checkpointed':
      case 'iteratorAge':
      case 'blocked':
      case 'discarded':
      case 'shards':
      case 'paused':
      case 'resumed':
        return; // No event was polled, invoked, deleted or dropped.
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

type CountedEvent = Extract<EngineEvent, { type: 'polled' | 'filtered' | 'invoked' | 'settled' | 'destination' | 'problem' }>;

/** The counters of one mapping: plain sums, and a ring of one slot a second. */
class Counted {
  #polled = 0;
  #filtered = 0;
  #invoked = 0;
  #failed = 0;
  #deleted = 0;
  #dropped = 0;
  #delivered = 0;
  #lastFailure: MappingTotals['lastFailure'];
  #lastInvocation: MappingTotals['lastProcessing'];
  /** Why the source cannot be read, by the kind of trouble. */
  readonly #problems = new Map<string, { readonly atMs: number; readonly result: string }>();
  // One slot more than the window: the running second is incomplete and left out of rates.
  readonly #ring: Slot[] = Array.from({ length: WINDOW_SECONDS + 1 }, () => ({
    second: -1,
    polled: 0,
    filtered: 0,
    succeeded: 0,
    failed: 0,
    ageMs: -1,
  }));

  add(event: CountedEvent, nowMs: number, second: number): void {
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
        this.#lastInvocation = {
          atMs: nowMs,
          result: event.outcome === 'success' || event.outcome === 'partial' ? PROCESSED : NOT_PROCESSED,
        };
        if (event.outcome !== 'success') this.#lastFailure = { atMs: nowMs, outcome: event.outcome, error: oneLine(event.error ?? '') };
        return;
      case 'settled':
        if (event.action === 'deleted') this.#deleted += event.done;
        return;
      case 'destination':
        if (event.outcome === 'delivered') this.#delivered += event.events;
        if (event.outcome === 'dropped') this.#dropped += event.events;
        return;
      case 'problem':
        if (event.resolved) this.#problems.delete(event.code);
        else this.#problems.set(event.code, { atMs: nowMs, result: oneLine(event.message) });
        return;
    }
  }

  read(second: number): MappingTotals {
    const recent = this.#ring.filter((slot) => slot.second >= second - WINDOW_SECONDS && slot.second < second);
    const rate = (field: keyof MappingTotals['rates']) => recent.reduce((sum, slot) => sum + slot[field], 0) / WINDOW_SECONDS;
    const ageMs = Math.max(-1, this.#slot(second).ageMs, ...recent.map((slot) => slot.ageMs));
    // While the source cannot be read its error text stands there; afterwards what came of the last invocation again.
    const lastProcessing = [...this.#problems.values()].at(-1) ?? this.#lastInvocation;
    return {
      polled: this.#polled,
      filtered: this.#filtered,
      invoked: this.#invoked,
      succeeded: this.#invoked - this.#failed,
      failed: this.#failed,
      deleted: this.#deleted,
      dropped: this.#dropped,
      delivered: this.#delivered,
      rates: { polled: rate('polled'), filtered: rate('filtered'), succeeded: rate('succeeded'), failed: rate('failed') },
      ...(ageMs >= 0 ? { oldestAgeMs: ageMs } : {}),
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
      ...(lastProcessing === undefined ? {} : { lastProcessing }),
    };
  }

  #slot(second: number): Slot {
    const slot = this.#ring[second % this.#ring.length]!;
    if (slot.second !== second) Object.assign(slot, { second, polled: 0, filtered: 0, succeeded: 0, failed: 0, ageMs: -1 });
    return slot;
  }
}
