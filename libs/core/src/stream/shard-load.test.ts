import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, test } from 'vitest';
import { firstLoad, HEAVIEST_SHARD, loadAfter, type ShardLoad } from './shard-load.ts';

/** Reads once a second, with so many bytes each time. */
function read(load: ShardLoad, seconds: number, bytes: (second: number) => number): { load: ShardLoad; weights: number[] } {
  let now = load;
  const weights: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    now = loadAfter(now, bytes(second), now.atMs + 1_000);
    if (now.weight !== undefined && now.weight !== weights.at(-1)) weights.push(now.weight);
  }
  return { load: now, weights };
}

test.each([
  [0, 1],
  [10_000, 1],
  [80_000, 2],
  [300_000, 4],
  [600_000, 8],
  [1_200_000, 16],
  [2_097_152, 32],
  [50_000_000, 32],
])('%i bytes a second weigh %i', (bytes, weight) => {
  expect(read(firstLoad(5), 600, () => bytes).load.weight).toBe(weight);
});

test('nothing is said in the first minute, so that the weight the last owner measured stands', () => {
  const { load } = read(firstLoad(0), 59, () => 2_000_000);
  expect(load.weight).toBeUndefined();
  expect(read(load, 1, () => 2_000_000).load.weight).toBeGreaterThan(1);
});

test('a load that goes up and down around a border keeps its weight, one that falls for good loses it', () => {
  const random = seededRandom(3);
  const { load } = read(firstLoad(0), 600, () => 70_000);
  const around = read(load, 3_600, () => 65_536 * (0.6 + 0.8 * random()));
  expect(around.weights).toEqual([2]);
  expect(read(around.load, 600, () => 0).weights).toEqual([2, 1]);
});

test('one large page after a long silence does not make a shard heavy, and pages that come together count together', () => {
  const { load } = read(firstLoad(0), 600, () => 0);
  expect(loadAfter(load, 3_000_000, load.atMs + 1_000).weight).toBe(1);
  const once = loadAfter(load, 3_000_000, load.atMs + 1_000);
  const twice = loadAfter(loadAfter(load, 1_500_000, load.atMs + 1_000), 1_500_000, load.atMs + 1_000);
  expect(twice).toEqual(once);
});

test('no weight is out of bounds, whatever the pages and pauses', () => {
  const random = seededRandom(1);
  let load = firstLoad(0);
  for (let i = 0; i < 5_000; i += 1) {
    load = loadAfter(load, Math.floor(random() * 10 ** (8 * random())), load.atMs + Math.floor(random() * 20_000));
    if (load.weight === undefined) continue;
    expect(load.weight).toBeGreaterThanOrEqual(1);
    expect(load.weight).toBeLessThanOrEqual(HEAVIEST_SHARD);
    expect(Math.log2(load.weight) % 1).toBe(0);
  }
});
