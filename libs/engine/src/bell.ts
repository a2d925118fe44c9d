import type { Clock } from '@wherry/core/clock';

/** Given to `abort` because without a reason it makes an error with a stack, which is most of what waking somebody costs. */
const WOKEN = 'woken';

/** Wakes everybody who waits for something to have changed. Who is woken looks again; nothing is handed over. */
export class Bell {
  readonly #clock: Clock;
  readonly #waiters = new Set<AbortController>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    for (const waiter of this.#waiters) waiter.abort(WOKEN);
  }

  /** Resolves at the next ring, after `ms` milliseconds, or when `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    // One controller per wait instead of AbortSignal.any: a signal that lives as long as the process would collect them.
    const waiter = new AbortController();
    const stop = (): void => waiter.abort(WOKEN);
    signal.addEventListener('abort', stop, { once: true });
    this.#waiters.add(waiter);
    try {
      await this.#clock.sleep(ms, waiter.signal);
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener('abort', stop);
    }
  }
}
