import { constants } from 'node:os';
import type { Clock, StopSignals } from '@wherry/core/clock';
import type { Logger } from 'pino';

/** After `kill` everything ends within moments; what has not by then is stuck, and the process ends without it. */
const KILL_MS_MAX = 5_000;

/**
 * The same signal again within this time is an echo of the first: Ctrl-C reaches the whole process group, and npx, which is in it,
 * hands it on to its child once more. No person presses twice that fast.
 */
const ECHO_MS_MAX = 300;

type StopSignal = 'SIGTERM' | 'SIGINT';

export interface StopOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** `shutdown.grace` of the configuration that runs when the stop begins, in milliseconds. */
  readonly graceMs: () => number;
  /** Told when the grace ran out. */
  readonly graceExceeded: () => void;
}

/**
 * The two-step stop of the process: the first SIGTERM or SIGINT drains, the end of `shutdown.grace` kills, and a second signal ends
 * the process at once with 128 + its number.
 *
 *   running ──signal──▶ draining ──done──▶ exit 0
 *                           ├──grace over──▶ killing ──▶ exit 0, with a warning: batches in flight may be delivered twice
 *                           └──second signal──▶ exit 128 + n
 */
export class Stop {
  readonly #options: StopOptions;
  readonly #drain = new AbortController();
  readonly #kill = new AbortController();
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<number>();
  #first: { readonly signal: StopSignal; readonly atMs: number } | undefined;

  constructor(options: StopOptions) {
    this.#options = options;
  }

  get signals(): StopSignals {
    return { drain: this.#drain.signal, kill: this.#kill.signal };
  }

  /** Handles one signal of the operating system. */
  signalled(signal: StopSignal): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (signal === this.#first?.signal && nowMs - this.#first.atMs < ECHO_MS_MAX) return;
    this.#first ??= { signal, atMs: nowMs };
    if (!this.#drain.signal.aborted) {
      this.#options.logger.info({ signal, graceMs: this.#options.graceMs() }, 'drain started');
      this.drain();
      return;
    }
    this.#options.logger.warn({ signal }, 'process stopped at once by a second signal');
    this.#kill.abort();
    this.#ended.resolve(128 + constants.signals[signal]);
  }

  /** Begins the stop without a signal. */
  drain(): void {
    if (this.#drain.signal.aborted) return;
    this.#drain.abort();
    void this.#enforceGrace();
  }

  /**
   * Waits for the work to end, or for the stop to lose patience.
   *
   * @param work resolves when everything is drained or killed
   * @returns the exit code
   */
  async outcome(work: Promise<void>): Promise<number> {
    try {
      return await Promise.race([work.then(() => 0), this.#ended.promise]);
    } finally {
      this.#over.abort();
    }
  }

  async #enforceGrace(): Promise<void> {
    const { clock, logger, graceMs, graceExceeded } = this.#options;
    const limitMs = graceMs();
    await clock.sleep(limitMs, this.#over.signal);
    if (this.#over.signal.aborted) return;
    logger.warn({ graceMs: limitMs }, 'drain gave up after shutdown.grace; batches in flight may be delivered twice');
    graceExceeded();
    this.#kill.abort();
    await clock.sleep(KILL_MS_MAX, this.#over.signal);
    if (this.#over.signal.aborted) return;
    logger.error({}, 'process ended with work that did not stop');
    this.#ended.resolve(0);
  }
}
