import type { PatternNumber } from './pattern.ts';

/** A decimal number as ±0.d₁d₂… × 10^exponent, d₁ and the last digit not 0; zero has no digits. */
interface Decimal {
  readonly isNegative: boolean;
  readonly digits: string;
  readonly exponent: bigint;
}

/**
 * A number of a pattern. Where the shortest text of its double denotes another decimal than the source does (a 19-digit id, 1e999),
 * no double can stand for it and its source text is kept.
 */
export function patternNumber(text: string): PatternNumber {
  const value = Number(text) + 0; // makes -0 a plain 0: JSON's -0 equals 0
  if (Number.isFinite(value) && compare(decimal(String(value)), decimal(text)) === 0) return { value };
  return { value, exact: text };
}

/** True if the first number is less than the second, by decimal value. */
export function isLess(first: PatternNumber, second: PatternNumber): boolean {
  return compare(decimal(first.exact ?? String(first.value)), decimal(second.exact ?? String(second.value))) < 0;
}

function decimal(text: string): Decimal {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const leadingZeros = whole.length + fraction.length - digits.length;
  return {
    isNegative: mantissa.startsWith('-') && digits !== '',
    digits: digits.replace(/0+$/, ''),
    exponent: BigInt(exponent.replace('+', '')) + BigInt(whole.length - leadingZeros),
  };
}

function compare(first: Decimal, second: Decimal): number {
  if (first.isNegative !== second.isNegative) return first.isNegative ? -1 : 1;
  const sign = first.isNegative ? -1 : 1;
  if (first.digits === '' || second.digits === '') return sign * (first.digits.length - second.digits.length);
  if (first.exponent !== second.exponent) return first.exponent < second.exponent ? -sign : sign;
  if (first.digits === second.digits) return 0;
  return first.digits < second.digits ? -sign : sign;
}
