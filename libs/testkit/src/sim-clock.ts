import type { Clock } from '@wherry/core/clock';

interface Sleeper {
  readonly wakeAtMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * Virtual time: a sorted list of sleepers that `run` jumps through. No real time passes; every promise job that is ready
 * runs before the clock moves on.
 */
export class SimClock {
  #timeMs: number;
  #order = 0;
  #sleepers: Sleeper[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.#timeMs = startMs;
  }

  /** The clock of one process. `offsetMs` skews its wall time against the others; its monotonic time runs true. */
  clock(offsetMs = 0): Clock {
    return {
      nowMs: () => this.#timeMs + offsetMs,
      monotonicMs: () => this.#timeMs,
      sleep: (ms, signal) => this.sleep(ms, signal),
    };
  }

  nowMs(): number {
    return this.#timeMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        wakeAtMs: this.#timeMs + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#insert(sleeper);
    });
  }

  /** Calls `action` at the given virtual delay; for fault scripts. */
  after(ms: number, action: () => void): void {
    void this.sleep(ms).then(action);
  }

  /** Lets virtual time pass until `untilMs` (absolute) or until nobody sleeps any more. */
  async run(untilMs: number): Promise<void> {
    for (;;) {
      await settlePromises();
      const next = this.#sleepers[0];
      if (next === undefined || next.wakeAtMs > untilMs) break;
      this.#sleepers.shift();
      this.#timeMs = Math.max(this.#timeMs, next.wakeAtMs);
      next.wake();
    }
    this.#timeMs = Math.max(this.#timeMs, untilMs);
  }

  /** Lets `ms` of virtual time pass. */
  async advance(ms: number): Promise<void> {
    await this.run(this.#timeMs + ms);
  }

  #insert(sleeper: Sleeper): void {
    let low = 0;
    let high = this.#sleepers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#sleepers[middle]!;
      if (other.wakeAtMs < sleeper.wakeAtMs || (other.wakeAtMs === sleeper.wakeAtMs && other.order < sleeper.order)) low = middle + 1;
      else high = middle;
    }
    this.#sleepers.splice(low, 0, sleeper);
  }
}

/** Runs every promise job that is ready, however long the chain: the macrotask comes after all of them. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
