import type { Clock } from '@wherry/core/clock';
import type { EngineEvent } from '@wherry/core/engine-event';

/** A poller that has not reached a source for this long leaves its slots and shards to others, and tries again after as long. */
const PATIENCE_MS = 60_000;

/**
 * Mappings whose source this poller cannot reach although it reaches the coordination store. Its leases would be held and
 * idle for as long as that lasts, so it leaves them to pollers that may do better. Troubles that all pollers share, such as a
 * queue that does not exist, are no reason.
 */
export class CutOffMappings {
  readonly #clock: Clock;
  /** When the trouble began, or when this poller last began to try again. */
  readonly #triedSinceMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes in what the loops tell. */
  note(event: EngineEvent): void {
    if (event.type === 'polled' && (event.outcome === 'events' || event.outcome === 'empty')) this.#triedSinceMs.delete(event.mapping);
    // Who lets go of a shard that it cannot read has not read it: it would take the shard again at once.
    if (event.type !== 'problem' || event.isLeft === true) return;
    if (event.resolved || event.code !== 'unavailable') this.#triedSinceMs.delete(event.mapping);
    else this.#triedSinceMs.set(event.mapping, this.#clock.monotonicMs());
  }

  /** True while others should have the mapping's slots and shards. */
  isCutOff(mapping: string): boolean {
    const sinceMs = this.#triedSinceMs.get(mapping);
    if (sinceMs === undefined) return false;
    const now = this.#clock.monotonicMs();
    if (now - sinceMs < PATIENCE_MS) return false;
    if (now - sinceMs < 2 * PATIENCE_MS) return true;
    this.#triedSinceMs.set(mapping, now);
    return false;
  }
}
