import { compareDecimals, parseDecimal } from './decimal.ts';
import type { PatternNumber } from './pattern.ts';

/** All decimals of so many digits have a double of their own. */
const DIGITS_OF_A_DOUBLE = 15;

/**
 * A number of a pattern. Its source text is kept where a double cannot stand for it: because the shortest text of its double denotes another
 * decimal (1234567890123456789, 1e999), or because other decimals share the double, as those around 1234567890123456800 do.
 */
export function patternNumber(text: string): PatternNumber {
  const value = Number(text) + 0; // makes -0 a plain 0: JSON's -0 equals 0
  if (Number.isSafeInteger(value) && compareTexts(String(value), text) === 0) return { value };
  const isShort = parseDecimal(text).digits.length <= DIGITS_OF_A_DOUBLE;
  return isShort && Number.isFinite(value) && compareTexts(String(value), text) === 0 ? { value } : { value, exact: text };
}

/** True if the first number is less than the second, by decimal value. */
export function isLess(first: PatternNumber, second: PatternNumber): boolean {
  return compareTexts(first.exact ?? String(first.value), second.exact ?? String(second.value)) < 0;
}

function compareTexts(first: string, second: string): number {
  return compareDecimals(parseDecimal(first), parseDecimal(second));
}
