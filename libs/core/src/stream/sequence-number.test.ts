import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareSequenceNumbers, isSequenceNumber } from './sequence-number.ts';

it.each([
  { a: '9', b: '10', sign: -1 },
  {
    a: '49668000000000000000000000000000000000000000000000000002',
    b: '49668000000000000000000000000000000000000000000000000010',
    sign: -1,
  },
  { a: '000000000000000000111', b: '000000000000000000111', sign: 0 },
  {
    a: '100000000000000000000000000000000000000000000000000000000',
    b: '99999999999999999999999999999999999999999999999999999999',
    sign: 1,
  },
])('$a against $b: $sign', ({ a, b, sign }) => {
  expect(Math.sign(compareSequenceNumbers(a, b))).toBe(sign);
  expect(Math.sign(compareSequenceNumbers(b, a))).toBe(-sign || 0);
});

it('agrees with the order of the numbers, whatever their size', () => {
  const number = fc.bigInt({ min: 0n, max: 10n ** 60n });
  fc.assert(
    fc.property(number, number, (a, b) => {
      const expected = a < b ? -1 : Number(a > b);
      expect(Math.sign(compareSequenceNumbers(String(a), String(b)))).toBe(expected);
    }),
  );
});

it.each(['', 'abc', '-1', '1.5', '12 ', '１２', 'TRIM_HORIZON'])('%j is no sequence number', (text) => {
  expect(isSequenceNumber(text)).toBe(false);
});

it('digits are a sequence number, with leading zeros too', () => {
  expect(isSequenceNumber('000000000000000000111')).toBe(true);
});
