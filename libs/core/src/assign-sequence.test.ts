import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, it } from 'vitest';
import { decideClaims } from './assign.ts';
import type { LeaseView, Member } from './coordination.ts';

interface Row {
  owner: string;
  epoch: number;
  lastOwner: string;
  expiresAt: number;
  movedAt: number;
  wantedBy: string | undefined;
}
interface Poller {
  readonly token: string;
  underTicks: number;
  isDead: boolean;
  seenAt: number;
  readonly freeScans: Map<string, number>;
}

/** A fleet in seconds: scans every second in a random order, renewals every 3, rebalance ticks every 10, leases of 10. */
class SketchFleet {
  readonly rows = new Map<string, Row>();
  readonly moves: { id: string; at: number; from: string; to: string }[] = [];
  pollers: Poller[] = [];
  now = 0;
  readonly #random: () => number;

  constructor(units: number, seed: number) {
    this.#random = seededRandom(seed);
    for (let i = 0; i < units; i += 1) {
      this.rows.set(`sqs-${i}`, { owner: '', epoch: 0, lastOwner: '', expiresAt: 0, movedAt: -Infinity, wantedBy: undefined });
    }
  }

  join(token: string): void {
    this.pollers.push({ token, underTicks: 0, isDead: false, seenAt: this.now, freeScans: new Map() });
  }

  /** Gone without a word: its leases and its membership run out. */
  crash(token: string): void {
    for (const poller of this.pollers) if (poller.token === token) poller.isDead = true;
  }

  /** Gives everything back and goes. */
  leave(token: string): void {
    this.pollers = this.pollers.filter((poller) => poller.token !== token);
    for (const row of this.rows.values()) if (row.owner === token) row.owner = '';
  }

  run(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) {
      this.now += 1;
      const alive = this.pollers.filter(({ isDead }) => !isDead).map((poller) => ({ poller, key: this.#random() }));
      for (const { poller } of alive.sort((a, b) => a.key - b.key)) this.#turn(poller);
      this.pollers = this.pollers.filter(({ isDead, seenAt }) => !isDead || this.now - seenAt < 10);
    }
  }

  loads(): number[] {
    return this.pollers.map(({ token }) => [...this.rows.values()].filter(({ owner }) => owner === token).length);
  }

  #turn(poller: Poller): void {
    if (this.now % 3 === 0) this.#renew(poller);
    const leases = [...this.rows].map(([id, row]) => this.#view(id, row));
    for (const view of leases) {
      if (view.live) poller.freeScans.delete(view.id);
      else poller.freeScans.set(view.id, (poller.freeScans.get(view.id) ?? 0) + 1);
    }
    const decision = decideClaims({
      self: poller.token,
      members: this.pollers.map((other) => this.#member(other)),
      units: leases.map(({ id }) => ({ id, weight: 1 })),
      leases,
      freeScans: poller.freeScans,
      capacity: 10_000,
      isRebalanceTick: this.now % 10 === 0,
      underTicks: poller.underTicks,
    });
    poller.underTicks = decision.underTicks;
    for (const id of decision.acquire) this.#acquire(id, poller.token);
    for (const id of decision.want) {
      const row = this.#row(id);
      row.wantedBy ??= poller.token;
    }
  }

  #renew(poller: Poller): void {
    poller.seenAt = this.now;
    for (const row of this.rows.values()) {
      if (row.owner !== poller.token) continue;
      if (row.wantedBy === undefined) row.expiresAt = this.now + 10;
      else row.owner = '';
    }
  }

  #acquire(id: string, token: string): void {
    const row = this.#row(id);
    if (this.#view(id, row).live || (row.owner === '' && row.wantedBy !== undefined && row.wantedBy !== token)) return;
    if (row.lastOwner !== '') this.moves.push({ id, at: this.now, from: row.lastOwner, to: token });
    row.epoch += 1;
    Object.assign(row, { owner: token, lastOwner: token, expiresAt: this.now + 10, movedAt: this.now, wantedBy: undefined });
  }

  #row(id: string): Row {
    const row = this.rows.get(id);
    if (row === undefined) throw new Error(`no unit ${id}`);
    return row;
  }

  #view(id: string, row: Row): LeaseView {
    const isLive = row.owner !== '' && row.expiresAt > this.now;
    const since = { sinceMovedMs: (this.now - row.movedAt) * 1_000, sinceCheckpointMs: Infinity };
    const { owner, epoch, wantedBy } = row;
    return { id, owner, epoch, live: isLive, checkpoint: undefined, ended: false, wantedBy, weight: 1, note: '', ...since };
  }

  #member({ token, seenAt }: Poller): Member {
    const load = { leases: 0, inFlight: 0, bufferedBytes: 0 };
    const info = { version: '1', configHash: '', capacity: 1, draining: false, startedAtMs: 0, adminUrl: '', ...load };
    return { token, info, silentMs: (this.now - seenAt) * 1_000 };
  }
}

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
