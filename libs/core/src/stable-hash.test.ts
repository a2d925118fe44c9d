import { expect, it } from 'vitest';
import { PARTITIONS, partitionOf, stableHash, stableHashPair } from './stable-hash.ts';

const FROZEN = [2_872_998_923, 444_641_715, 2_636_281_845, 2_697_471_291, 2_772_342_935];

it.each([[''], ['a'], ['sqs-5f1c-0']])('hashes %j to an unsigned 32-bit integer', (text) => {
  expect(stableHash(text)).toBeGreaterThanOrEqual(0);
  expect(stableHash(text)).toBeLessThan(2 ** 32);
  expect(Number.isInteger(stableHash(text))).toBe(true);
});

// Frozen: another value would move every lease of a running fleet to another key.
it('gives the same hashes for ever', () => {
  expect(['', 'a', 'sqs-5f1c-0', 'sqs-5f1c-1', 'ärger'].map(stableHash)).toEqual(FROZEN);
  expect(partitionOf('sqs-5f1c-0')).toBe((FROZEN[2] ?? 0) % PARTITIONS);
});

it('spreads ids that differ in their last digits evenly over the partitions', () => {
  const counts = Array.from({ length: PARTITIONS }, () => 0);
  for (let i = 0; i < 64_000; i += 1) {
    const partition = partitionOf(`sqs-6c0f7f5e-2d4b-5b0a-9f0e-3f6f5f1c7a11-${i}`);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1_150);
});

it('makes a pair depend on both of its parts and on their order', () => {
  const [a, b] = [stableHash('a'), stableHash('b')];
  expect(new Set([stableHashPair(a, b), stableHashPair(b, a), stableHashPair(a, a), stableHashPair(b, b)]).size).toBe(4);
});
