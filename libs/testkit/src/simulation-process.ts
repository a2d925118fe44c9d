import type { Clock } from '@wherry/core/clock';
import type { SimClock } from './sim-clock.ts';

/**
 * One simulated operating-system process: a gate in front of everything that could make its code run on.
 *
 * Code of a process only continues when a sleep or a call it awaits returns. `pass` stands behind each of them, so a
 * paused process (SIGSTOP) does nothing until it is resumed although its clock moves on, and a killed one (SIGKILL)
 * never does anything again, while what it had put on the wire still arrives.
 */
export class SimulatedProcess {
  readonly name: string;
  #state: 'running' | 'paused' | 'killed' = 'running';
  #waiting: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isKilled(): boolean {
    return this.#state === 'killed';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** SIGKILL. */
  kill(): void {
    this.#state = 'killed';
    this.#waiting = [];
  }

  /** SIGSTOP. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** SIGCONT: everything that became due meanwhile happens now, in the order in which it became due. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const proceed of waiting) proceed();
  }

  /** Resolves while the process runs, waits while it is paused, and never resolves once it is killed. */
  pass(): Promise<void> {
    if (this.#state === 'running') return Promise.resolve();
    return new Promise((resolve) => {
      if (this.#state === 'paused') this.#waiting.push(resolve);
    });
  }

  /** Does something from outside to the process (a signal, a reload) when it next runs. */
  async deliver(action: () => void): Promise<void> {
    await this.pass();
    action();
  }

  /** The clock of this process. Monotonic time moves on while it is paused; its sleeps return only when it runs. */
  clock(sim: SimClock, wallSkewMs: number): Clock {
    const inner = sim.clock(wallSkewMs);
    return {
      // Whole milliseconds, as an operating system's clock gives them.
      nowMs: () => Math.floor(inner.nowMs()),
      monotonicMs: () => inner.monotonicMs(),
      sleep: async (ms, signal) => {
        await inner.sleep(ms, signal);
        await this.pass();
      },
    };
  }
}
