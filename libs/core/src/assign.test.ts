import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, it } from 'vitest';
import { assignTargets, decideClaims } from './assign.ts';
import type { Candidate, ClaimSnapshot } from './assign.ts';
import type { LeaseUnit, LeaseView, Member } from './coordination.ts';

const units = (count: number, weight: (i: number) => number = () => 1): LeaseUnit[] =>
  Array.from({ length: count }, (_, i) => ({ id: `sqs-0b7e-${i}`, weight: weight(i) }));
const pollers = (count: number): Candidate[] => Array.from({ length: count }, (_, i) => ({ token: `poller-${i}`, capacity: 1 }));
const none = new Map<string, string>();

/** Units per token, those without any included. */
function loads(targets: ReadonlyMap<string, string>, candidates: readonly Candidate[]): number[] {
  const counts = new Map(candidates.map(({ token }) => [token, 0]));
  for (const token of targets.values()) counts.set(token, (counts.get(token) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  return list
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

describe('assignTargets', () => {
  it.each([
    [5, 3, [2, 2, 1]],
    [1, 3, [1, 0, 0]],
    [10, 4, [3, 3, 2, 2]],
    [4, 4, [1, 1, 1, 1]],
    [3, 1, [3]],
    [0, 2, [0, 0]],
  ])('shares %i units among %i pollers as evenly as they divide', (unitCount, pollerCount, expected) => {
    const candidates = pollers(pollerCount);
    expect(loads(assignTargets(candidates, units(unitCount), none), candidates)).toEqual(expected);
  });

  it('has no target when nobody is there', () => {
    expect(assignTargets([], units(3), none)).toEqual(none);
  });

  it('gives the same answer whatever the order of its input', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const all = units(97);
      const candidates = pollers(7);
      const holders = new Map(
        shuffled(all, seed)
          .slice(0, 60)
          .map(({ id }, i) => [id, `poller-${i % 5}`]),
      );
      const expected = assignTargets(candidates, all, holders);
      const again = assignTargets(shuffled(candidates, seed), shuffled(all, seed + 1), new Map(shuffled([...holders], seed)));
      expect(new Map(shuffled([...again], 1))).toEqual(new Map(expected));
      for (const [id, token] of expected) expect(again.get(id)).toBe(token);
    }
  });

  it('stays within one unit of the fair share for any numbers, empty or after any history', () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seededRandom(seed);
      const candidates = pollers(1 + Math.floor(random() * 12));
      const all = units(Math.floor(random() * 400));
      const holders = new Map(all.filter(() => random() < 0.7).map(({ id }) => [id, `poller-${Math.floor(random() * 14)}`]));
      const counts = loads(assignTargets(candidates, all, holders), candidates);
      const fair = all.length / candidates.length;
      expect(Math.max(...counts), `seed ${seed}`).toBeLessThan(fair + 1);
      expect(Math.min(...counts), `seed ${seed}`).toBeGreaterThan(fair - 1);
    }
  });

  it('gives each in proportion to its capacity, and weighs units', () => {
    const candidates = [...pollers(2), { token: 'big', capacity: 2 }];
    const weighted = units(400, (i) => 1 + (i % 5));
    const targets = assignTargets(candidates, weighted, none);
    const loadOf = (token: string): number =>
      weighted.filter(({ id }) => targets.get(id) === token).reduce((total, { weight }) => total + weight, 0);
    expect(loadOf('big') / 600).toBeCloseTo(1, 1);
    expect(loadOf('poller-0') / 300).toBeCloseTo(1, 1);
  });

  it('leaves everything where it is when the shares are even', () => {
    const candidates = pollers(3);
    const all = units(5);
    const holders = assignTargets(candidates, all, none);
    for (let round = 0; round < 5; round += 1) expect(assignTargets(candidates, all, holders)).toEqual(holders);
  });

  it.each([
    [1_000, 10],
    [600, 12],
    [7, 3],
  ])('moves no more than its share when one of %i-unit pollers (%i of them) joins or leaves', (unitCount, pollerCount) => {
    const all = units(unitCount);
    const before = pollers(pollerCount);
    const holders = assignTargets(before, all, none);
    const moves = (after: ReadonlyMap<string, string>): number => all.filter(({ id }) => after.get(id) !== holders.get(id)).length;
    const joined = moves(assignTargets(pollers(pollerCount + 1), all, holders));
    expect(joined).toBeLessThanOrEqual(Math.ceil((1.1 * unitCount) / (pollerCount + 1)));
    const left = moves(assignTargets(before.slice(1), all, holders));
    expect(left).toBeLessThanOrEqual(Math.ceil((1.1 * unitCount) / pollerCount));
  });
});

const info = { version: '1', configHash: '', draining: false, startedAtMs: 0, leases: 0, inFlight: 0, bufferedBytes: 0, adminUrl: '' };
const member = (token: string, draining = false): Member => ({ token, info: { ...info, capacity: 1, draining }, silentMs: 0 });
const view = (id: string, owner: string, more: Partial<LeaseView> = {}): LeaseView => ({
  id,
  owner,
  epoch: 2,
  live: owner !== '',
  checkpoint: undefined,
  ended: false,
  wantedBy: undefined,
  sinceMovedMs: 120_000,
  weight: 1,
  sinceCheckpointMs: Infinity,
  note: '',
  ...more,
});

describe('decideClaims', () => {
  const base = { self: 'ann', freeScans: new Map<string, number>(), capacity: 1_000, isRebalanceTick: true, underTicks: 1 };
  const decide = (changes: Partial<ClaimSnapshot> & Pick<ClaimSnapshot, 'leases' | 'members'>) =>
    decideClaims({ ...base, units: changes.leases.map(({ id }) => ({ id, weight: 1 })), ...changes });

  it('takes every free or expired unit when alone', () => {
    const leases = [view('a', ''), view('b', 'dead', { live: false }), view('c', 'ann')];
    expect(decide({ members: [member('ann')], leases }).acquire.toSorted()).toEqual(['a', 'b']);
  });

  it('leaves to others what is theirs until it was free for more than two scans', () => {
    const leases = [view('a', 'ann'), view('b', '')];
    const members = [member('ann'), member('bob')];
    expect(decide({ members, leases, freeScans: new Map([['b', 2]]) }).acquire).toEqual([]);
    expect(decide({ members, leases, freeScans: new Map([['b', 3]]) }).acquire).toEqual(['b']);
  });

  it('counts no draining member, takes nothing while it drains or is not known itself', () => {
    const leases = [view('a', ''), view('b', '')];
    expect(decide({ members: [member('ann'), member('bob', true)], leases }).acquire).toHaveLength(2);
    expect(decide({ members: [member('ann', true), member('bob')], leases })).toEqual({ acquire: [], want: [], underTicks: 0 });
    expect(decide({ members: [member('bob')], leases }).acquire).toEqual([]);
  });

  it('leaves ended units and those reserved for another alone, and takes what is reserved for itself', () => {
    const leases = [view('a', '', { ended: true }), view('b', '', { wantedBy: 'bob' }), view('c', '', { wantedBy: 'ann' })];
    const freeScans = new Map([
      ['a', 9],
      ['b', 9],
      ['c', 1],
    ]);
    expect(decide({ members: [member('ann'), member('bob')], leases, freeScans }).acquire).toEqual(['c']);
  });

  it('never holds more than its process may', () => {
    const leases = [view('a', ''), view('b', ''), view('c', 'ann')];
    expect(decide({ members: [member('ann')], leases, capacity: 2 }).acquire).toHaveLength(1);
    expect(decide({ members: [member('ann')], leases, capacity: 0 }).acquire).toEqual([]);
  });

  it('asks a better-off poller for all it lacks at the second tick in a row at which it has too little', () => {
    const leases = ['a', 'b', 'c', 'd'].map((id) => view(id, 'bob'));
    const members = [member('ann'), member('bob')];
    expect(decide({ members, leases, underTicks: 0 })).toEqual({ acquire: [], want: [], underTicks: 1 });
    expect(decide({ members, leases, isRebalanceTick: false })).toEqual({ acquire: [], want: [], underTicks: 1 });
    const second = decide({ members, leases });
    expect(second).toMatchObject({ acquire: [], underTicks: 2 });
    expect(second.want).toHaveLength(2);
  });

  it('asks for nothing that moved within a minute, is asked for already, or belongs to somebody who drains', () => {
    const members = [member('ann'), member('bob'), member('cat', true)];
    const moved = ['a', 'b', 'c'].map((id) => view(id, 'bob', { sinceMovedMs: 59_999 }));
    expect(decide({ members, leases: moved }).want).toEqual([]);
    const asked = ['a', 'b', 'c'].map((id) => view(id, 'bob', { wantedBy: id === 'a' ? 'ann' : undefined }));
    expect(decide({ members, leases: asked }).want).toEqual([]);
    expect(decide({ members, leases: ['a', 'b'].map((id) => view(id, 'cat')) }).want).toEqual([]);
  });

  it('asks at once for what its first owner took from nobody: that was no move', () => {
    const leases = ['a', 'b'].map((id) => view(id, 'bob', { epoch: 1, sinceMovedMs: 3_000 }));
    expect(decide({ members: [member('ann'), member('bob')], leases }).want).toHaveLength(1);
  });

  it.each([
    ['2, 2 and 1', ['ann', 'bob', 'bob', 'cat', 'cat']],
    ['1 and nothing', ['bob']],
  ])('is content with %s', (_, owners) => {
    const leases = owners.map((owner, i) => view(`u${i}`, owner));
    expect(decide({ members: [member('ann'), member('bob'), member('cat')], leases })).toEqual({ acquire: [], want: [], underTicks: 0 });
  });

  it.each([
    ['for a hundred leases at a time in a small fleet', 600, 100],
    ['for a quarter of its fair share at a time in a large one', 6_000, 500],
  ])('asks %s, counting those it has asked for already', (_, unitCount, atATime) => {
    const leases = units(unitCount).map(({ id }) => view(id, `poller-${Number(id.slice(9)) % 2}`));
    const members = [member('ann'), ...pollers(2).map(({ token }) => member(token))];
    const { want } = decide({ members, leases });
    expect(want).toHaveLength(atATime);
    const first = new Set(want.slice(0, 30));
    const asked = leases.map((lease) => (first.has(lease.id) ? { ...lease, wantedBy: 'ann' } : lease));
    expect(decide({ members, leases: asked }).want).toHaveLength(atATime - 30);
  });
});
