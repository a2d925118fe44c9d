import type { Clock } from '@wherry/core/clock';

/** Given to `abort` because without a reason it makes an error with a stack, which is most of what waking somebody costs. */
const WOKEN = 'woken';

/** One wait that somebody else may end. */
export class Nap {
  readonly #waking = new AbortController();

  wake(): void {
    this.#waking.abort(WOKEN);
  }

  /** Resolves when woken, after `ms` milliseconds, or when `signal` aborts. */
  async sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    // Instead of AbortSignal.any: a signal that lives as long as the process would collect one for each wait.
    const stop = (): void => this.wake();
    signal.addEventListener('abort', stop, { once: true });
    try {
      await clock.sleep(ms, this.#waking.signal);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
