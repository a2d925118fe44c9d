import { compileAddress, compileCidr } from './cidr.ts';
import { type Decimal, compareDecimals, parseDecimal } from './decimal.ts';
import { compileIgnoreCase, compileIgnoreCaseBackwards } from './ignore-case.ts';
import { NumberText } from './number-text.ts';
import type { NumericBound, PatternNumber, PatternTest } from './pattern.ts';
import type { StepCounter } from './step-counter.ts';
import { compileWildcard } from './wildcard.ts';

/** Whether one scalar of an event passes: a string, boolean, null, number, or `NumberText` where events are parsed with those. */
export type ValueTest = (value: unknown, counter?: StepCounter) => boolean;

/** Compiles the list of a field: true if any of its tests holds. `exists: false` holds for no value, it is about there being none. */
export function compileTests(tests: readonly PatternTest[]): ValueTest {
  const literals = tests.map(plainLiteral).filter((literal) => literal !== undefined);
  const others = tests.filter((test) => plainLiteral(test) === undefined && !isAbsence(test)).map(compileTest);
  const all = literals.length === 0 ? others : [compileLiterals(literals), ...others];
  const [first, second] = all;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  if (all.length === 2) return (value, counter) => first(value, counter) || second(value, counter);
  return (value, counter) => {
    for (const test of all) if (test(value, counter)) return true;
    return false;
  };
}

/** True for `exists: false`. */
export function isAbsence(test: PatternTest): boolean {
  return test.kind === 'exists' && !test.value;
}

/** What a value has to be identical with to pass a literal, undefined for all other tests and for literals with several forms. */
export function plainLiteral(test: PatternTest): string | number | boolean | null | undefined {
  if (test.kind === 'equals') return typeof test.value === 'string' && compileAddress(test.value) !== undefined ? undefined : test.value;
  return test.kind === 'number' && test.number.exact === undefined ? test.number.value : undefined;
}

type Literal = string | number | boolean | null;

/** Texts and numbers have code of their own: engines compare fast where they have only seen one type of value. */
function compileLiterals(literals: readonly Literal[]): ValueTest {
  const texts = literals.filter((literal) => typeof literal === 'string');
  if (texts.length === literals.length) return compileTexts(texts);
  const [only] = literals;
  if (literals.length === 1 && typeof only === 'number') {
    return (value) => (typeof value === 'number' ? value === only : value instanceof NumberText && value.value === only);
  }
  const set = new Set<unknown>(literals);
  return (value) => set.has(value instanceof NumberText ? value.value : value);
}

function compileTexts(texts: readonly string[]): ValueTest {
  const [first, second] = texts;
  if (second === undefined) return (value) => typeof value === 'string' && value === first;
  if (texts.length === 2) return (value) => typeof value === 'string' && (value === first || value === second);
  const set = new Set(texts);
  return (value) => typeof value === 'string' && set.has(value);
}

function compileTest(test: PatternTest): ValueTest {
  switch (test.kind) {
    case 'equals':
      return compileEquals(test.value);
    case 'number':
      return compileNumeric({ number: test.number, isInclusive: true }, { number: test.number, isInclusive: true });
    case 'numeric':
      return compileNumeric(test.lower, test.upper);
    case 'prefix':
      return onString(test.ignoreCase ? prefixIgnoreCase(test.text) : prefix(test.text));
    case 'suffix':
      return onString(test.ignoreCase ? suffixIgnoreCase(test.text) : suffix(test.text));
    case 'equals-ignore-case': {
      const match = compileIgnoreCase(test.text);
      return onString((value) => match(value, 0) === value.length);
    }
    case 'wildcard': {
      const match = compileWildcard(test.parts);
      return (value, counter) => typeof value === 'string' && match(value, counter);
    }
    case 'cidr':
      return onString(compileCidr(test.block));
    case 'exists':
      return () => test.value;
    case 'anything-but':
      return compileAnythingBut(test.tests);
  }
}

/**
 * In a list, a text that is an IP address stands for that address in all its forms, as in AWS's Event Ruler; `anything-but` takes it as
 * it is written.
 */
function compileEquals(literal: string | boolean | null): ValueTest {
  const isSameAddress = typeof literal === 'string' ? compileAddress(literal) : undefined;
  if (isSameAddress === undefined) return compileLiterals([literal]);
  return (value) => value === literal || (typeof value === 'string' && isSameAddress(value));
}

function compileAnythingBut(tests: readonly PatternTest[]): ValueTest {
  const literals = tests.map((test) => (test.kind === 'equals' ? test.value : plainLiteral(test)));
  const known = literals.filter((literal) => literal !== undefined);
  const [first, second] = known;
  if (tests.length < 3 && known.length === tests.length && typeof first === 'string') {
    return (value) => typeof value !== 'string' || (value !== first && value !== second);
  }
  const isExcluded = known.length === tests.length ? compileLiterals(known) : compileTests(tests);
  return (value, counter) => !isExcluded(value, counter);
}

function onString(match: (value: string) => boolean): ValueTest {
  return (value) => typeof value === 'string' && match(value);
}

/**
 * Ruler compares texts with their quotes around them, so a prefix may end with the closing one: `ab"` is a prefix of the text `ab`. The
 * same goes for suffixes.
 */
function prefix(text: string): (value: string) => boolean {
  const first = text.charCodeAt(0);
  // Most values differ in the first character, and reading that is several times cheaper than a call.
  if (text !== '' && !text.endsWith('"')) return (value) => value.charCodeAt(0) === first && value.startsWith(text);
  const whole = text.slice(0, -1);
  return (value) => value.startsWith(text) || value === whole;
}

function suffix(text: string): (value: string) => boolean {
  const last = text.charCodeAt(text.length - 1);
  if (text !== '' && !text.startsWith('"')) return (value) => value.charCodeAt(value.length - 1) === last && value.endsWith(text);
  const whole = text.slice(1);
  return (value) => value.endsWith(text) || value === whole;
}

function prefixIgnoreCase(text: string): (value: string) => boolean {
  const match = compileIgnoreCase(text);
  if (!text.endsWith('"')) return (value) => match(value, 0) !== -1;
  const whole = compileIgnoreCase(text.slice(0, -1));
  return (value) => match(value, 0) !== -1 || whole(value, 0) === value.length;
}

function suffixIgnoreCase(text: string): (value: string) => boolean {
  const match = compileIgnoreCaseBackwards(text);
  if (!text.startsWith('"')) return (value) => match(value, value.length) !== -1;
  const whole = compileIgnoreCaseBackwards(text.slice(1));
  return (value) => match(value, value.length) !== -1 || whole(value, value.length) === value.length;
}

/** Each bound alone decides whether it needs the number's text; comparing doubles is much cheaper. */
function compileNumeric(lower: NumericBound | undefined, upper: NumericBound | undefined): ValueTest {
  if (lower?.number.exact === undefined && upper?.number.exact === undefined) return compileDoubles(lower, upper);
  const aboveLower = lower === undefined ? undefined : compileOrder(lower.number);
  const belowUpper = upper === undefined ? undefined : compileOrder(upper.number);
  return (value) => {
    if (typeof value !== 'number' && !(value instanceof NumberText)) return false;
    if (lower !== undefined && aboveLower !== undefined && !isWithin(aboveLower(value), lower.isInclusive)) return false;
    return upper === undefined || belowUpper === undefined || isWithin(-belowUpper(value), upper.isInclusive);
  };
}

function isWithin(order: number, isInclusive: boolean): boolean {
  return order > 0 || (isInclusive && order === 0);
}

function compileDoubles(lower: NumericBound | undefined, upper: NumericBound | undefined): ValueTest {
  const low = lower?.number.value ?? Number.NEGATIVE_INFINITY;
  const high = upper?.number.value ?? Number.POSITIVE_INFINITY;
  const isLowIncluded = lower?.isInclusive ?? true;
  const isHighIncluded = upper?.isInclusive ?? true;
  return (value) => {
    const number = value instanceof NumberText ? value.value : value;
    if (typeof number !== 'number') return false;
    return (number > low || (isLowIncluded && number === low)) && (number < high || (isHighIncluded && number === high));
  };
}

/** How a number of an event stands to one of the pattern: below 0, 0 or above 0. */
function compileOrder(pattern: PatternNumber): (value: number | NumberText) => number {
  if (pattern.exact === undefined) {
    const bound = pattern.value;
    return (value) => {
      const number = typeof value === 'number' ? value : value.value;
      return number < bound ? -1 : number > bound ? 1 : 0;
    };
  }
  const exact = parseDecimal(pattern.exact);
  return (value) => compareDecimals(decimalOf(value), exact);
}

/** Without texts an infinite double is all that is left of a number too large for one. */
function decimalOf(value: number | NumberText): Decimal {
  if (typeof value !== 'number') return value.decimal;
  if (Number.isFinite(value)) return parseDecimal(String(value));
  return { isNegative: value < 0, digits: '1', exponent: 10n ** 5000n };
}
