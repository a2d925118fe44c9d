/**
 * An event pattern after it was read and found valid: what `FilterCriteria` decide with. Made by `parsePattern`, which keeps
 * offsets so that errors and explanations can point into the text.
 */

/** A number of a pattern. */
export interface PatternNumber {
  readonly value: number;
  /**
   * The number as it is written, given only where no double holds it exactly (a 19-digit id). Such a number is compared with the
   * source text of the event's number, by decimal value.
   */
  readonly exact?: string;
}

/** One bound of a numeric range. */
export interface NumericBound {
  readonly number: PatternNumber;
  readonly isInclusive: boolean;
}

/** One entry of a leaf's list, by the operator's name in Lambda's documentation. */
export type PatternTest =
  | { readonly kind: 'equals'; readonly value: string | boolean | null }
  | { readonly kind: 'number'; readonly number: PatternNumber }
  | { readonly kind: 'prefix'; readonly text: string; readonly ignoreCase: boolean }
  | { readonly kind: 'suffix'; readonly text: string; readonly ignoreCase: boolean }
  | { readonly kind: 'equals-ignore-case'; readonly text: string }
  /** `parts` are the literal texts between the `*`, escapes resolved: `a*b` is `['a', 'b']`, a pattern without `*` is one part. */
  | { readonly kind: 'wildcard'; readonly parts: readonly string[] }
  /** True for a present value that none of these tests holds for. */
  | { readonly kind: 'anything-but'; readonly tests: readonly PatternTest[] }
  /** `=` has both bounds alike. */
  | { readonly kind: 'numeric'; readonly lower?: NumericBound; readonly upper?: NumericBound }
  | { readonly kind: 'exists'; readonly value: boolean }
  /** Whole text of the operand, already checked: `10.0.0.0/24`. */
  | { readonly kind: 'cidr'; readonly block: string };

/** One field of a pattern and the tests of which one has to hold. */
export interface PatternField {
  /** The field's name with all its parents, joined by dots: in a pattern, `{"a":{"b":…}}` and `{"a.b":…}` are the same. */
  readonly path: string;
  /** The keys as they are nested in the pattern, in order; joined by dots they are `path`. */
  readonly keys: readonly string[];
  readonly tests: readonly PatternTest[];
  /** Where the list begins in the pattern's text, in UTF-16 code units. */
  readonly offset: number;
}

/** All fields and one alternative of each `$or` have to hold. Nested objects are folded into the paths. */
export interface PatternGroup {
  readonly fields: readonly PatternField[];
  readonly alternatives: readonly (readonly PatternGroup[])[];
}

/** A valid event pattern. */
export interface EventPattern {
  /** The JSON text it was read from. */
  readonly text: string;
  readonly root: PatternGroup;
  /** True if any of its numbers needs the source text of the event's numbers. */
  readonly needsNumberText: boolean;
}
