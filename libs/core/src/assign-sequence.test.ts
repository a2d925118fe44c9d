import { SketchFleet } from '@wherry/testkit/sketch-fleet';
import { expect, it } from 'vitest';

/** Within 10 % of the fair share, or within one lease where shares are small. */
function expectBalance(fleet: SketchFleet, units: number): void {
  const fair = units / fleet.pollers.length;
  const slack = Math.max(1, fair * 0.1);
  for (const load of fleet.loads()) expect(Math.abs(load - fair)).toBeLessThanOrEqual(slack);
}

function expectNoneMovedTwiceWithinAMinute(fleet: SketchFleet): void {
  const last = new Map<string, number>();
  for (const { id, at } of fleet.moves) {
    expect(at - (last.get(id) ?? -Infinity)).toBeGreaterThanOrEqual(60);
    last.set(id, at);
  }
}

it.each([
  { units: 5, pollers: 3 },
  { units: 60, pollers: 4 },
  { units: 220, pollers: 4 },
  { units: 220, pollers: 11 },
])('$units leases on $pollers pollers: balanced after start, join, drain and crash, and little moves', ({ units, pollers }) => {
  const fleet = new SketchFleet(units, units + pollers);
  for (let i = 0; i < pollers; i += 1) fleet.join(`poller-${i}`);
  fleet.run(5);
  expectBalance(fleet, units);
  expect(fleet.moves).toEqual([]);

  fleet.run(60);
  fleet.join('newcomer');
  fleet.run(300);
  expectBalance(fleet, units);
  expect(fleet.moves.length).toBeLessThanOrEqual(Math.ceil((1.1 * units) / (pollers + 1)));
  expect(fleet.moves.every(({ to }) => to === 'newcomer')).toBe(true);

  const beforeLeave = fleet.moves.length;
  fleet.leave('poller-0');
  fleet.run(3);
  expect([...fleet.rows.values()].every(({ owner }) => owner !== '')).toBe(true);
  fleet.run(90);
  expectBalance(fleet, units);
  expect(fleet.moves.length - beforeLeave).toBeLessThanOrEqual(Math.ceil((1.1 * units) / pollers));

  const beforeCrash = fleet.moves.length;
  fleet.crash('poller-1');
  fleet.run(13);
  expect([...fleet.rows.values()].every(({ owner }) => owner !== 'poller-1')).toBe(true);
  fleet.run(90);
  expectBalance(fleet, units);
  expect(fleet.moves.length - beforeCrash).toBeLessThanOrEqual(Math.ceil((1.1 * units) / pollers) + 1);
  expectNoneMovedTwiceWithinAMinute(fleet);
});

it('a poller that started alone gives up its surplus at once, without a lease moving twice in a minute', () => {
  const fleet = new SketchFleet(100, 7);
  fleet.join('first');
  fleet.run(5);
  expect(fleet.loads()).toEqual([100]);
  fleet.join('second');
  fleet.join('third');
  fleet.run(30);
  expectBalance(fleet, 100);
  fleet.run(300);
  expectBalance(fleet, 100);
  expect(fleet.moves.length).toBeLessThanOrEqual(Math.ceil((1.1 * 100 * 2) / 3));
  expectNoneMovedTwiceWithinAMinute(fleet);
});
