import { backoffMs } from '@wherry/core/backoff';
import type { Surroundings } from '@wherry/core/clock';
import type { Observe } from '@wherry/core/engine-event';
import { type FaultCode, SourceError } from '@wherry/core/source-error';
import { FAULT_PAUSES } from '@wherry/core/source-fault';

/** Beyond the pause, each slot waits up to this part of it, so that they do not all come back at once. */
const SPREAD_PART = 0.25;

interface Problem {
  readonly code: FaultCode;
  readonly message: string;
}

/** Whose source it is. */
export interface SourceHealthOptions {
  readonly surroundings: Surroundings;
  readonly mapping: string;
  readonly observe: Observe;
}

/**
 * What is wrong with a mapping's source, told once when it begins and once when it has gone away, however many slots run into
 * it; and how long all of them pause.
 */
export class SourceHealth {
  readonly #options: SourceHealthOptions;
  #problem: Problem | undefined;
  #failures = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** When the last failure was counted: calls sent before that belong to the same trouble. */
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SourceHealthOptions) {
    this.#options = options;
  }

  /** What is wrong now. */
  get problem(): string | undefined {
    return this.#problem?.message;
  }

  /** True while nobody asks the source for anything. */
  get isPaused(): boolean {
    return this.#options.surroundings.clock.monotonicMs() < this.#pausedUntilMs;
  }

  /** Waits until the source may be asked again. */
  async waitOutPause(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options.surroundings;
    const leftMs = this.#pausedUntilMs - clock.monotonicMs();
    if (leftMs > 0) await clock.sleep(leftMs * (1 + SPREAD_PART * random()), signal);
  }

  /** A call failed. @param sentAtMs monotonic time at which it was sent */
  failed(error: SourceError, sentAtMs: number): void {
    const { clock, random } = this.#options.surroundings;
    if (sentAtMs < this.#countedAtMs) return;
    this.#failures = error.code === this.#problem?.code ? this.#failures + 1 : 1;
    this.#countedAtMs = clock.monotonicMs();
    this.#pausedUntilMs = this.#countedAtMs + backoffMs(this.#failures, FAULT_PAUSES[error.code], random);
    this.#tell({ code: error.code, message: `${error.serviceCode}: ${error.message}` });
  }

  /** The queue can be asked, but its settings forbid polling. Nobody asks again for `pauseMs`. */
  refused(message: string, pauseMs: number): void {
    this.#countedAtMs = this.#options.surroundings.clock.monotonicMs();
    this.#pausedUntilMs = this.#countedAtMs + pauseMs;
    this.#tell({ code: 'invalid', message });
  }

  /** A call that was sent at this time has worked. */
  worked(sentAtMs: number): void {
    if (this.#problem === undefined || sentAtMs < this.#countedAtMs) return;
    this.#observe(this.#problem, true);
    this.#problem = undefined;
    this.#failures = 0;
  }

  #tell(problem: Problem): void {
    const before = this.#problem;
    this.#problem = problem;
    if (problem.code === before?.code) return;
    if (before !== undefined) this.#observe(before, true);
    this.#observe(problem, false);
  }

  #observe({ code, message }: Problem, resolved: boolean): void {
    this.#options.observe({ type: 'problem', mapping: this.#options.mapping, code, message, resolved });
  }
}
