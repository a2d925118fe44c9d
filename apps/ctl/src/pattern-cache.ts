import { compilePatterns, type PatternSet } from '@wherry/core/event-pattern/matcher';
import { parsePattern, PATTERN_CHARACTERS_MAX } from '@wherry/core/event-pattern/parse-pattern';

/** A pattern made ready for matching, or why it is none. */
export type ReadyPattern =
  | { readonly ok: true; readonly set: PatternSet }
  | { readonly ok: false; readonly reason: string; readonly offset: number };

/** Large sets repeat few patterns. A pattern takes some 50 kB at worst. */
const PATTERNS_MAX = 1_000;

/** Patterns by their text, so that one that comes again is not compiled again. Holds a limited number; the oldest goes first. */
export class PatternCache {
  readonly #patterns = new Map<string, ReadyPattern>();

  get(text: string): ReadyPattern {
    const known = this.#patterns.get(text);
    if (known !== undefined) return known;
    if (text.length > PATTERN_CHARACTERS_MAX) return prepare(text);
    // A text cut out of a line keeps the whole line in memory; kept here, it would do so for long.
    const copy = JSON.parse(JSON.stringify(text)) as string;
    const pattern = prepare(copy);
    const [oldest] = this.#patterns.size < PATTERNS_MAX ? [] : this.#patterns.keys();
    if (oldest !== undefined) this.#patterns.delete(oldest);
    this.#patterns.set(copy, pattern);
    return pattern;
  }
}

function prepare(text: string): ReadyPattern {
  const result = parsePattern(text);
  return result.ok ? { ok: true, set: compilePatterns([result.pattern]) } : result;
}
