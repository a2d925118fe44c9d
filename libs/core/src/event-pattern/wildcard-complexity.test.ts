import { expect, test } from 'vitest';
import { wildcardComplexity } from './wildcard-complexity.ts';

/** Measured with the complexity evaluator of Event Ruler 2.0.1. */
const measured: readonly (readonly [wildcard: string, complexity: number])[] = [
  ['abc', 1],
  ['*', 2],
  ['a*', 2],
  ['*.png', 2],
  ['*a*', 3],
  ['*a*b*c*', 5],
  ['*abab*abab', 6],
  ['arn:aws:*:*:*:event-bus/*', 7],
  ['*a*a*a*a', 8],
  ['*aaaaaaa', 8],
  ['*:*:*:*:event-bus/*', 9],
  ['*a*a*a*a*a', 10],
  ['*:*:*:*:*:event-bus/*', 11],
  ['*a*b*c*d*e*f*g*h*i*j', 11],
  ['*aaaaaaaaaaaaaaaa', 17],
];

test.each(measured)('the wildcard %s has a complexity of %i', (wildcard, complexity) => {
  expect(wildcardComplexity(wildcard.split('*'))).toBe(complexity);
});

test('a wildcard of 4,000 equal characters is measured in linear time', () => {
  expect(wildcardComplexity(['', 'a'.repeat(4000)])).toBe(4001);
});
