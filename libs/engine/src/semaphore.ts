import type { Clock } from '@wherry/core/clock';
import { Nap } from './nap.ts';

interface Waiter {
  taken: boolean;
  readonly nap: Nap;
}

/** How long somebody is ready to wait: until a monotonic time, or until a signal. */
export interface Patience {
  readonly clock: Clock;
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

/** So many at a time, first come first served, with a limit that may change. */
export class Semaphore {
  #limit: number;
  #inUse = 0;
  readonly #waiters: Waiter[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get inUse(): number {
    return this.#inUse;
  }

  /** A lower limit takes nothing back: places above it are not given out again. */
  resize(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  /** Takes one place if one is free and nobody waits for it. */
  tryAcquire(): boolean {
    if (this.#waiters.length > 0 || this.#inUse >= this.#limit) return false;
    this.#inUse += 1;
    return true;
  }

  /**
   * Takes one place. A free place is taken even if the signal is aborted already: who is told to stop may still finish what can
   * go on without waiting.
   * @returns false if the time was up or the signal aborted first
   */
  async acquire({ clock, untilMs, signal }: Patience): Promise<boolean> {
    if (this.tryAcquire()) return true;
    const leftMs = untilMs - clock.monotonicMs();
    if (signal.aborted || leftMs <= 0) return false;
    const waiter: Waiter = { taken: false, nap: new Nap() };
    this.#waiters.push(waiter);
    try {
      await waiter.nap.sleep(clock, leftMs, signal);
    } finally {
      const place = this.#waiters.indexOf(waiter);
      if (place !== -1) this.#waiters.splice(place, 1);
    }
    return waiter.taken;
  }

  release(): void {
    this.#inUse -= 1;
    this.#admit();
  }

  #admit(): void {
    while (this.#inUse < this.#limit) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) return;
      this.#inUse += 1;
      waiter.taken = true;
      waiter.nap.wake();
    }
  }
}
