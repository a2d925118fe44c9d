import type { Clock } from '@wherry/core/clock';

/** How long repeats of one line are counted before the count is printed. */
const FOLD_MS = 60_000;

/** Different lines that are remembered; beyond it the oldest is told and forgotten, so that no flood of texts can fill the memory. */
const KEYS_MAX = 1_000;

interface Folded {
  tell: (repeats: number) => void;
  sinceMs: number;
  repeats: number;
}

/**
 * Folds repeated identical lines: the first is printed at once, further ones are counted, and once a minute the count is printed.
 * A line that has not come back for a minute is forgotten, so that its next occurrence is a first one again.
 */
export class Fold {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Folded>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param key equal for lines that say the same
   * @param tell prints the line: with 0 now; later the newest one, with the number of repeats
   */
  add(key: string, tell: (repeats: number) => void): void {
    const known = this.#seen.get(key);
    if (known !== undefined) {
      known.repeats++;
      known.tell = tell;
      return;
    }
    if (this.#seen.size >= KEYS_MAX) this.#drop(this.#seen.keys().next().value!);
    this.#seen.set(key, { tell, sinceMs: this.#clock.monotonicMs(), repeats: 0 });
    tell(0);
  }

  /** Prints the counts that are a minute old. Called every few seconds by whoever owns the log. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, folded] of this.#seen) {
      if (nowMs - folded.sinceMs < FOLD_MS) continue;
      if (folded.repeats === 0) {
        this.#seen.delete(key);
        continue;
      }
      folded.tell(folded.repeats);
      folded.sinceMs = nowMs;
      folded.repeats = 0;
    }
  }

  /** Prints all counts and forgets them; the last thing a stopping process does. */
  flush(): void {
    for (const key of this.#seen.keys()) this.#drop(key);
  }

  #drop(key: string): void {
    const folded = this.#seen.get(key);
    this.#seen.delete(key);
    if (folded !== undefined && folded.repeats > 0) folded.tell(folded.repeats);
  }
}
