import type { Clock } from '@wherry/core/clock';
import type { Pause, PauseStore } from '@wherry/core/coordination';

/** The behaviour of `RedisPauseStore` in one process, on the given clock. */
export class MemoryPauseStore implements PauseStore {
  readonly #clock: Clock;
  readonly #rows = new Map<string, { by: string; reason: string; fromMs: number; untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  pauses(): Promise<ReadonlyMap<string, Pause>> {
    const now = this.#clock.nowMs();
    for (const [mapping, { untilMs }] of this.#rows) if (untilMs <= now) this.#rows.delete(mapping);
    const pauses = [...this.#rows].map(([mapping, { by, reason, fromMs, untilMs }]): [string, Pause] => [
      mapping,
      { by, reason, sinceMs: Math.max(0, now - fromMs), leftMs: untilMs - now },
    ]);
    return Promise.resolve(new Map(pauses));
  }

  pause(mapping: string, by: string, reason: string, forMs: number): Promise<void> {
    const now = this.#clock.nowMs();
    this.#rows.set(mapping, { by, reason, fromMs: now, untilMs: now + forMs });
    return Promise.resolve();
  }

  resume(mapping: string): Promise<boolean> {
    const row = this.#rows.get(mapping);
    this.#rows.delete(mapping);
    return Promise.resolve(row !== undefined && row.untilMs > this.#clock.nowMs());
  }
}
