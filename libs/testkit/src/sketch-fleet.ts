import { decideClaims } from '@wherry/core/assign';
import type { LeaseView, Member } from '@wherry/core/coordination';
import { seededRandom } from './seeded-random.ts';

interface Row {
  owner: string;
  epoch: number;
  lastOwner: string;
  expiresAt: number;
  movedAt: number;
  wantedBy: string | undefined;
  weight: number;
}
interface Poller {
  readonly token: string;
  underTicks: number;
  isDead: boolean;
  seenAt: number;
  readonly freeScans: Map<string, number>;
}

/** A fleet in seconds: scans every second in a random order, renewals every 3, rebalance ticks every 10, leases of 10. */
export class SketchFleet {
  readonly rows = new Map<string, Row>();
  readonly moves: { id: string; at: number; from: string; to: string }[] = [];
  pollers: Poller[] = [];
  now = 0;
  readonly #random: () => number;

  constructor(units: number, seed: number) {
    this.#random = seededRandom(seed);
    for (let i = 0; i < units; i += 1) {
      this.rows.set(`sqs-${i}`, { owner: '', epoch: 0, lastOwner: '', expiresAt: 0, movedAt: -Infinity, wantedBy: undefined, weight: 1 });
    }
  }

  /** One more poller. */
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

  /** Lets so many seconds pass. */
  run(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) {
      this.now += 1;
      const alive = this.pollers.filter(({ isDead }) => !isDead).map((poller) => ({ poller, key: this.#random() }));
      for (const { poller } of alive.sort((a, b) => a.key - b.key)) this.#turn(poller);
      this.pollers = this.pollers.filter(({ isDead, seenAt }) => !isDead || this.now - seenAt < 10);
    }
  }

  /** Sums of weights, by poller. */
  loads(): number[] {
    const rows = [...this.rows.values()];
    return this.pollers.map(({ token }) => rows.reduce((sum, row) => (row.owner === token ? sum + row.weight : sum), 0));
  }

  /** The units that this poller has. */
  unitsOf(token: string): string[] {
    return [...this.rows].filter(([, { owner }]) => owner === token).map(([id]) => id);
  }

  /** What its owner measures of a unit from now on. */
  weigh(id: string, weight: number): void {
    this.#row(id).weight = weight;
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
    const { owner, epoch, wantedBy, weight } = row;
    return { id, owner, epoch, live: isLive, checkpoint: undefined, ended: false, wantedBy, weight, note: '', ...since };
  }

  #member({ token, seenAt }: Poller): Member {
    const load = { leases: 0, inFlight: 0, bufferedBytes: 0 };
    const info = { version: '1', configHash: '', capacity: 1, draining: false, startedAtMs: 0, adminUrl: '', ...load };
    return { token, info, silentMs: (this.now - seenAt) * 1_000 };
  }
}
