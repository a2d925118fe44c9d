import type { Clock } from '@wherry/core/clock';
import { Nap } from './nap.ts';

/** Wakes everybody who waits for something to have changed. Who is woken looks again; nothing is handed over. */
export class Bell {
  readonly #clock: Clock;
  readonly #naps = new Set<Nap>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    for (const nap of this.#naps) nap.wake();
  }

  /** Resolves at the next ring, after `ms` milliseconds, or when `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const nap = new Nap();
    this.#naps.add(nap);
    try {
      await nap.sleep(this.#clock, ms, signal);
    } finally {
      this.#naps.delete(nap);
    }
  }
}
