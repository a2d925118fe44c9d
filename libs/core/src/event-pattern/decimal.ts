/** A decimal number as its sign, its digits without zeros at either end, and the power of ten of `0.<digits>`. Zero has no digits. */
export interface Decimal {
  readonly isNegative: boolean;
  readonly digits: string;
  readonly exponent: bigint;
}

/**
 * Exponents of more digits are as good as infinite: a pattern has 4,096 characters at most, so none of its numbers comes near. Keeps
 * the cost of a number with a megabyte of exponent linear.
 */
const EXPONENT_DIGITS_MAX = 5000;

/** Reads the text of a JSON number, whatever its length. It has to be valid JSON. */
export function parseDecimal(text: string): Decimal {
  const mark = text.search(/[eE]/);
  const mantissa = mark === -1 ? text : text.slice(0, mark);
  const isNegative = mantissa.startsWith('-');
  const dot = mantissa.indexOf('.');
  const whole = mantissa.slice(isNegative ? 1 : 0, dot === -1 ? undefined : dot);
  const all = dot === -1 ? whole : whole + mantissa.slice(dot + 1);
  let first = 0;
  while (first < all.length && all[first] === '0') first += 1;
  let end = all.length;
  while (end > first && all[end - 1] === '0') end -= 1;
  if (first === end) return { isNegative: false, digits: '', exponent: 0n };
  const power = mark === -1 ? 0n : parseExponent(text.slice(mark + 1));
  return { isNegative, digits: all.slice(first, end), exponent: power + BigInt(whole.length - first) };
}

/** Below 0, 0 or above 0, as the first number is less than, equal to or greater than the second. */
export function compareDecimals(one: Decimal, other: Decimal): number {
  if (one.isNegative !== other.isNegative) return one.isNegative ? -1 : 1;
  const order = compareMagnitudes(one, other);
  return one.isNegative ? -order : order;
}

function parseExponent(text: string): bigint {
  const isNegative = text.startsWith('-');
  let first = isNegative || text.startsWith('+') ? 1 : 0;
  while (first < text.length - 1 && text[first] === '0') first += 1;
  const size = text.length - first > EXPONENT_DIGITS_MAX ? 10n ** BigInt(EXPONENT_DIGITS_MAX) : BigInt(text.slice(first));
  return isNegative ? -size : size;
}

function compareMagnitudes(one: Decimal, other: Decimal): number {
  if (one.digits === '' || other.digits === '') return one.digits.length - other.digits.length;
  if (one.exponent !== other.exponent) return one.exponent < other.exponent ? -1 : 1;
  // Both begin behind the point, and neither ends in a zero: the order of the texts is that of the numbers.
  if (one.digits === other.digits) return 0;
  return one.digits < other.digits ? -1 : 1;
}
