/** Busy shards spread over the pollers, and stay where they are once they have. */
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SketchFleet } from '@wherry/testkit/sketch-fleet';
import { describe, expect, it } from 'vitest';
import { assignTargets } from './assign.ts';
import { HEAVIEST_SHARD } from './stream/shard-load.ts';

/** No poller has more than its fair share and the heaviest unit. */
function expectSpread(loads: readonly number[], weights: readonly number[], about: string): void {
  const fair = weights.reduce((sum, weight) => sum + weight, 0) / loads.length;
  expect(Math.max(...loads), about).toBeLessThanOrEqual(fair + Math.max(...weights) + 1e-6);
}

const anyWeight = (random: () => number): number => 2 ** Math.floor(random() ** 3 * (Math.log2(HEAVIEST_SHARD) + 1));

it('no poller is above its fair share by more than the heaviest unit, for any weights, empty or after any history', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = seededRandom(seed);
    const candidates = Array.from({ length: 1 + Math.floor(random() * 10) }, (_, i) => ({ token: `poller-${i}`, capacity: 1 }));
    const units = Array.from({ length: 1 + Math.floor(random() * 300) }, (_, i) => ({ id: `shard-${i}`, weight: anyWeight(random) }));
    const holders = new Map(units.filter(() => random() < 0.8).map(({ id }) => [id, `poller-${Math.floor(random() ** 2 * 12)}`]));
    const targets = assignTargets(candidates, units, holders);
    const loads = candidates.map(({ token }) => units.reduce((sum, { id, weight }) => (targets.get(id) === token ? sum + weight : sum), 0));
    expectSpread(
      loads,
      units.map(({ weight }) => weight),
      `seed ${seed}`,
    );
  }
});

/** Three pollers that share 60 idle shards. */
function settledFleet(seed: number): SketchFleet {
  const fleet = new SketchFleet(60, seed);
  for (let i = 0; i < 3; i += 1) fleet.join(`poller-${i}`);
  fleet.run(120);
  fleet.moves.length = 0;
  return fleet;
}

function weightsOf(fleet: SketchFleet): number[] {
  return [...fleet.rows.values()].map(({ weight }) => weight);
}

function expectNoneMovedTwiceWithinAMinute(fleet: SketchFleet): void {
  const last = new Map<string, number>();
  for (const { id, at } of fleet.moves) {
    expect(at - (last.get(id) ?? -Infinity)).toBeGreaterThanOrEqual(60);
    last.set(id, at);
  }
}

describe('a fleet of three', () => {
  it('hot shards that lie together move apart, a few others make room, and then all is quiet', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const fleet = settledFleet(seed);
      for (const id of fleet.unitsOf('poller-0').slice(0, 6)) fleet.weigh(id, 16);
      fleet.run(180);
      expectSpread(fleet.loads(), weightsOf(fleet), `seed ${seed}`);
      const hot = fleet.pollers.map(({ token }) => fleet.unitsOf(token).filter((id) => fleet.rows.get(id)?.weight === 16).length);
      expect(Math.max(...hot), `seed ${seed}`).toBeLessThanOrEqual(3);
      for (const load of fleet.loads()) expect(Math.abs(load - 50), `seed ${seed}`).toBeLessThanOrEqual(5);
      expect(fleet.moves.length, `seed ${seed}`).toBeLessThanOrEqual(25);
      expectNoneMovedTwiceWithinAMinute(fleet);
      fleet.moves.length = 0;
      fleet.run(300);
      expect(fleet.moves, `seed ${seed}`).toEqual([]);
    }
  });

  it('whatever the weights, the fleet comes to rest with a fair spread', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = seededRandom(seed);
      const fleet = settledFleet(seed);
      for (const id of fleet.rows.keys()) fleet.weigh(id, anyWeight(random));
      fleet.run(300);
      expectSpread(fleet.loads(), weightsOf(fleet), `seed ${seed}`);
      expectNoneMovedTwiceWithinAMinute(fleet);
      fleet.moves.length = 0;
      fleet.run(200);
      expect(fleet.moves, `seed ${seed}`).toEqual([]);
    }
  });

  it('weights that keep changing by one step move little', () => {
    const random = seededRandom(5);
    const fleet = settledFleet(5);
    const levels = new Map([...fleet.rows.keys()].map((id) => [id, anyWeight(random)]));
    for (const [id, weight] of levels) fleet.weigh(id, weight);
    fleet.run(600);
    fleet.moves.length = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      for (const [id, weight] of levels) if (random() < 0.05) fleet.weigh(id, Math.min(HEAVIEST_SHARD, weight * (random() < 0.5 ? 1 : 2)));
      fleet.run(60);
    }
    expect(fleet.moves.length).toBeLessThanOrEqual(60);
    expectNoneMovedTwiceWithinAMinute(fleet);
  });
});
