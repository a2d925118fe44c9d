import type { Random } from '@wherry/core/clock';

/** What events and patterns are made of. The fewer there are of a kind, the more often they meet. */
export interface Alphabet {
  /** Keys of events, and segments of paths. */
  readonly keys: readonly string[];
  readonly strings: readonly string[];
  /** As they are written. */
  readonly numbers: readonly string[];
}

/**
 * Keys with dots, and some that every object inherits; texts that are alike in parts or but for case, in several scripts, addresses,
 * escapes; numbers that are the same value, and some that differ where a double cannot tell.
 */
export const WIDE: Alphabet = {
  keys: ['a', 'a', 'b', 'b', 'c', 'a.b', 'b.a', 'b.c', 'é', '__proto__', 'constructor', 'toString', '$'],
  strings: [
    '',
    'a',
    'b',
    'ab',
    'aB',
    'AB',
    'abab',
    'abc',
    'a*b',
    'a\\b',
    'a.b',
    'straße',
    'STRASSE',
    'ıI',
    'ǅ',
    'é',
    'É',
    '日本',
    '日',
    '😀',
    'a😀b',
    '300',
    'true',
    'null',
    '1',
    '10.0.0.1',
    '10.0.0.255',
    '10.0.0.256',
    '10.0.1.0',
    '::1',
    '2001:db8::ff',
    '2001:DB8:0:0::1',
    ' ',
    'a"b',
    '\n',
  ],
  numbers: [
    '0',
    '-0',
    '0.0',
    '1',
    '-1',
    '2',
    '10',
    '100',
    '300',
    '300.0',
    '3.0e2',
    '3E+2',
    '0.1',
    '1e-1',
    '0.30000000000000004',
    '301.8',
    '-1.5',
    '1e21',
    '5e-324',
    '1.7976931348623155e308',
    '1234567890123456789',
    '1234567890123456788',
    '1234567890123456768',
    '1234567890123456800',
    '9007199254740993',
    '9007199254740992',
    '0.12345678901234567891',
  ],
};

/** So little that arrays are full of values that fit, but not in the same element. */
export const NARROW: Alphabet = { keys: ['a', 'b', 'c', 'a.b', 'b.b'], strings: ['x', 'y'], numbers: ['1', '2'] };

/** One of the list, each as likely as the others. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const chosen = list[Math.floor(random() * list.length)];
  if (chosen === undefined) throw new Error('There is nothing to pick from.');
  return chosen;
}

/** A string in JSON, at times with an escape that nobody needs. */
export function quote(random: Random, text: string): string {
  if (random() > 0.04) return JSON.stringify(text);
  const escaped = Array.from(text, (character) =>
    [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
  return `"${escaped.join('')}"`;
}

/** The same decimal value, written in another way. */
export function respell(random: Random, number: string): string {
  if (random() < 0.5) return number;
  if (Number(number) === 0) return pick(random, ['0', '-0', '0.00', '0e5', '-0E-3']);
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const zeros = Math.floor(random() * 3);
  const digits = (whole.replace('-', '') + fraction).replace(/^0+(?=\d)/, '') + '0'.repeat(zeros);
  const power = Number(exponent) - fraction.length - zeros;
  const sign = number.startsWith('-') ? '-' : '';
  if (power < 0 && -power < digits.length && random() < 0.7) return `${sign}${digits.slice(0, power)}.${digits.slice(power)}`;
  return power === 0 ? `${sign}${digits}` : `${sign}${digits}${pick(random, ['e', 'E'])}${power}`;
}
