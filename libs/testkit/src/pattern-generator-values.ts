import type { Random } from '@wherry/core/clock';

/** Keys of events and segments of paths. Few, so that they meet; some with dots, some that every object inherits. */
export const KEYS: readonly string[] = ['a', 'a', 'b', 'b', 'c', 'a.b', 'b.a', 'b.c', 'é', '__proto__', 'constructor', 'toString', '$'];

/** Texts of events, and what patterns make their operands of: alike in parts or but for case, in several scripts, addresses, escapes. */
export const STRINGS: readonly string[] = [
  '', 'a', 'b', 'ab', 'aB', 'AB', 'abab', 'abc', 'a*b', 'a\\b', 'a.b', 'straße', 'STRASSE', 'ıI', 'ǅ', 'é', 'É', '日本', '日', '😀', 'a😀b', '300',
  'true', 'null', '1', '10.0.0.1', '10.0.0.255', '10.0.0.256', '10.0.1.0', '::1', '2001:db8::ff', '2001:DB8:0:0::1', ' ', 'a"b', '\n',
]; // prettier-ignore

/** Numbers as they are written. Some are the same value, some differ where a double cannot tell. */
export const NUMBERS: readonly string[] = [
  '0', '-0', '0.0', '1', '-1', '2', '10', '100', '300', '300.0', '3.0e2', '3E+2', '0.1', '1e-1', '0.30000000000000004', '301.8', '-1.5', '1e21',
  '5e-324', '1.7976931348623155e308', '1234567890123456789', '1234567890123456788', '1234567890123456768', '1234567890123456800', '9007199254740993',
  '9007199254740992', '0.12345678901234567891',
]; // prettier-ignore

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
