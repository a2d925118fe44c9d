import type { Clock } from '@wherry/core/clock';
import type { StreamRecord } from '@wherry/core/stream-source';

/** Filters may hold up everything else in the process for no longer than this at a time. */
const SLICE_MS = 10;
/** Between two looks at the clock. */
const RECORDS_PER_LOOK = 32;

/**
 * Matches pages of records against filters, for all shards of one process. A page may have thousands of records, each of which is parsed
 * for that, and many shards may have such a page at the same time: slices of them that are due together would add up. So they take turns,
 * and when a slice's time is used up, by whomever, everything else in the process gets its turn.
 */
export class FilterTurns {
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();
  /** Time used since others had their turn. */
  #usedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether it matches, for each record in order. Rejects if matching throws */
  async filter(records: readonly StreamRecord[], matches: (record: StreamRecord) => boolean): Promise<readonly boolean[]> {
    const verdicts: boolean[] = [];
    while (verdicts.length < records.length) await this.#inTurn(() => this.#slice(records, matches, verdicts));
    return verdicts;
  }

  /** Goes on with the page until it is done, or the time is used up. */
  #slice(records: readonly StreamRecord[], matches: (record: StreamRecord) => boolean, verdicts: boolean[]): void {
    const begunAtMs = this.#clock.monotonicMs();
    const leftMs = SLICE_MS - this.#usedMs;
    let tookMs = 0;
    while (verdicts.length < records.length && tookMs < leftMs) {
      for (const record of records.slice(verdicts.length, verdicts.length + RECORDS_PER_LOOK)) verdicts.push(matches(record));
      tookMs = this.#clock.monotonicMs() - begunAtMs;
    }
    this.#usedMs += tookMs;
  }

  async #inTurn(work: () => void): Promise<void> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    try {
      work();
      if (this.#usedMs < SLICE_MS) return;
      await this.#clock.sleep(0);
      this.#usedMs = 0;
    } finally {
      turn.resolve();
    }
  }
}
