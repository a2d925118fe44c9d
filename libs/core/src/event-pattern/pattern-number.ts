import { compareDecimals, parseDecimal } from './decimal.ts';
import type { PatternNumber } from './pattern.ts';

/**
 * A number of a pattern. Where the shortest text of its double denotes another decimal than the source does (a 19-digit id, 1e999),
 * no double can stand for it and its source text is kept.
 */
export function patternNumber(text: string): PatternNumber {
  const value = Number(text) + 0; // makes -0 a plain 0: JSON's -0 equals 0
  if (Number.isFinite(value) && compareTexts(String(value), text) === 0) return { value };
  return { value, exact: text };
}

/** True if the first number is less than the second, by decimal value. */
export function isLess(first: PatternNumber, second: PatternNumber): boolean {
  return compareTexts(first.exact ?? String(first.value), second.exact ?? String(second.value)) < 0;
}

function compareTexts(first: string, second: string): number {
  return compareDecimals(parseDecimal(first), parseDecimal(second));
}
