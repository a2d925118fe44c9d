import { compareDecimals, parseDecimal } from './decimal.ts';
import type { PatternNumber } from './pattern.ts';

/** All decimals of so many digits have a double of their own. */
const DIGITS_OF_A_DOUBLE = 15;

/**
 * A number of a pattern. Its source text is kept where a double cannot stand for it: because the shortest text of its double denotes another
 * decimal (1234567890123456789, 1e999), or because other decimals that ids may have share the double. From 2^53 on neighbouring integers
 * do, however many zeros they end in: 1234567890123450000 and 1234567890123450001 are one double.
 */
export function patternNumber(text: string): PatternNumber {
  const value = Number(text) + 0; // makes -0 a plain 0: JSON's -0 equals 0
  const isInRange = Math.abs(value) <= Number.MAX_SAFE_INTEGER && compareTexts(String(value), text) === 0;
  if (isInRange && Number.isInteger(value)) return { value };
  return isInRange && parseDecimal(text).digits.length <= DIGITS_OF_A_DOUBLE ? { value } : { value, exact: text };
}

/** True if the first number is less than the second, by decimal value. */
export function isLess(first: PatternNumber, second: PatternNumber): boolean {
  return compareTexts(first.exact ?? String(first.value), second.exact ?? String(second.value)) < 0;
}

function compareTexts(first: string, second: string): number {
  return compareDecimals(parseDecimal(first), parseDecimal(second));
}
