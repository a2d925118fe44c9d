import type { Clock } from '@wherry/core/clock';
import type { QueueAttributes, QueueSource } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';
import { visibilityProblem } from '@wherry/core/visibility';
import type { SourceHealth } from './source-health.ts';

/** How old the known attributes may be. */
const FRESH_MS = 300_000;
/** How soon they are read again after they forbade polling, or could not be read. */
const AGAIN_MS = 30_000;

/** The queue, and the function it has to suit. */
export interface QueueWatchOptions {
  readonly clock: Clock;
  readonly source: QueueSource;
  readonly timeoutSeconds: number;
  readonly health: SourceHealth;
}

/** Knows the queue's own settings, and whether they allow polling at all. */
export class QueueWatch {
  readonly #options: QueueWatchOptions;
  #attributes: QueueAttributes | undefined;
  #readAgainAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #isInTrouble = false;

  constructor(options: QueueWatchOptions) {
    this.#options = options;
  }

  /** As last read; up to some minutes old. */
  get attributes(): QueueAttributes | undefined {
    return this.#attributes;
  }

  /**
   * The queue's visibility timeout in seconds, read when it is not known well enough.
   * @returns `undefined` if the queue cannot be polled now; `SourceHealth` then knows why and for how long
   */
  async visibilitySeconds(): Promise<number | undefined> {
    if (this.#options.clock.monotonicMs() >= this.#readAgainAtMs) {
      // However many slots ask, one reads.
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return this.#isInTrouble ? undefined : this.#attributes?.visibilityTimeoutSeconds;
  }

  async #read(): Promise<void> {
    const { clock, source, timeoutSeconds, health } = this.#options;
    const sentAtMs = clock.monotonicMs();
    try {
      this.#attributes = await source.attributes();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      // Old settings are better than a halt: if the queue itself is in trouble, the next receive will tell.
      if (this.#attributes !== undefined && !this.#isInTrouble) this.#readAgainAtMs = sentAtMs + AGAIN_MS;
      else this.#fail(error, sentAtMs);
      return;
    }
    const problem = visibilityProblem(this.#attributes.visibilityTimeoutSeconds, timeoutSeconds);
    if (problem !== undefined) {
      this.#isInTrouble = true;
      return health.refused(problem, AGAIN_MS);
    }
    this.#readAgainAtMs = sentAtMs + FRESH_MS;
    if (this.#isInTrouble) health.worked(sentAtMs);
    this.#isInTrouble = false;
  }

  #fail(error: SourceError, sentAtMs: number): void {
    this.#isInTrouble = true;
    if (error.code === 'notFound') this.#options.source.refresh();
    this.#options.health.failed(error, sentAtMs);
  }
}
