import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

const POLICY = { firstMs: 100, maxMs: 1_000, leastMs: 20 };

it.each([
  ['the first pause', 1, 1, 100],
  ['it doubles', 3, 1, 400],
  ['it has a bound', 50, 1, 1_000],
  ['jitter is over the whole pause', 3, 0.25, 100],
  ['it is never less than the least', 3, 0, 20],
  ['it does not overflow', 5_000, 1, 1_000],
] as const)('%s', (_, failures, random, expected) => {
  expect(backoffMs(failures, POLICY, () => random)).toBe(expected);
});
