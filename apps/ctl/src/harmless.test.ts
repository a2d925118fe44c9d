import { expect, test } from 'vitest';
import { harmless } from './harmless.ts';

test.each([
  ['grüß dich, ☃ und 日本', 'grüß dich, ☃ und 日本'],
  ['\u001B[2J\u0007', '\\u001b[2J\\u0007'],
  ['a\u009B31mb\u007F', 'a\\u009b31mb\\u007f'],
  ['\u202Egnp.exe', '\\u202egnp.exe'],
])('%j is shown as %s', (text, shown) => {
  expect(harmless(text)).toBe(shown);
});

test('inside a JSON string it means the same', () => {
  const value = { text: 'a\u009Bb\u007F\u2028' };
  expect(JSON.parse(harmless(JSON.stringify(value)))).toEqual(value);
});
