import type { LeaseUnit, LeaseView, Member } from './coordination.ts';
import { stableHash, stableHashPair } from './stable-hash.ts';

/** Loads within this part of the fair share, above or below, are balanced enough: nothing is asked for. */
const TOLERANCE = 0.1;
/** Rebalance ticks in a row at which the balance has to be off before a poller asks: a restart nearby is over by then. */
const TICKS_BEFORE_WANT = 2;
/** A lease that changed owner less than this ago is not asked for. */
const SETTLED_MS = 60_000;
/**
 * Leases asked for at a time: this part of the fair share, and at least so many. Moving a slot of a queue costs nobody anything,
 * since its long poll ends by itself and it has neither order nor checkpoint; so a small fleet moves all that a join needs at once.
 * The limit is for large ones: a poller that joins and dies takes no more than this with it.
 */
const WANT_SHARE = 0.25;
const WANT_AT_LEAST = 100;
/** A unit that its target has left free for more scans than this is taken by anybody. */
const FREE_SCANS_FOR_ANYBODY = 2;
/** Sums of fractions may miss a whole number by a hair; a unit that fits exactly has to fit. */
const ROUNDING = 1e-9;

/** A poller that can be given work. */
export interface Candidate {
  readonly token: string;
  /** Relative capacity, above 0. */
  readonly capacity: number;
}

/**
 * Who should hold which unit. Every poller computes the same answer from the same snapshot, whatever its order, so that no
 * leader is needed; snapshots may differ for a moment, and the leases keep that safe.
 *
 * What somebody holds stays with them up to their fair share, so a join or a leave moves no more than that share. The rest goes
 * by weighted rendezvous hashing to members below their fair share; what is left because units do not divide evenly goes
 * one by one to the least loaded (5 units on 3 members: 2, 2 and 1).
 *
 * @param holders who holds a unit now; absent for free units
 * @returns the target of every unit; empty without candidates
 */
export function assignTargets(
  candidates: readonly Candidate[],
  units: readonly LeaseUnit[],
  holders: ReadonlyMap<string, string>,
): Map<string, string> {
  const targets = new Map<string, string>();
  const seats = makeSeats(candidates, units);
  if (seats.length === 0) return targets;
  const byToken = new Map(seats.map((seat) => [seat.token, seat]));
  const give = (unit: LeaseUnit, seat: Seat): void => {
    seat.load += unit.weight;
    targets.set(unit.id, seat.token);
  };

  const open: HashedUnit[] = [];
  for (const hashed of inCommonOrder(units)) {
    const holder = byToken.get(holders.get(hashed.unit.id) ?? '');
    if (holder !== undefined && holder.load + hashed.unit.weight <= holder.fair) give(hashed.unit, holder);
    else open.push(hashed);
  }
  const uneven: HashedUnit[] = [];
  for (const hashed of open) {
    const seat = highestScoring(seats, hashed);
    if (seat === undefined) uneven.push(hashed);
    else give(hashed.unit, seat);
  }
  for (const hashed of uneven) give(hashed.unit, leastLoaded(seats, hashed, holders.get(hashed.unit.id)));
  return targets;
}

/** What one poller knows at a claim scan. */
export interface ClaimSnapshot {
  /** Owner token of this poller. */
  readonly self: string;
  readonly members: readonly Member[];
  readonly units: readonly LeaseUnit[];
  /** The leases of these units as the store shows them. */
  readonly leases: readonly LeaseView[];
  /** For how many scans in a row, this one included, each unit was seen without a live owner. */
  readonly freeScans: ReadonlyMap<string, number>;
  /** Leases this process may hold at a time. */
  readonly capacity: number;
  /** True when it is time to look at the balance (every 10 s), false at the scans in between. */
  readonly isRebalanceTick: boolean;
  /** `underTicks` of the last decision; 0 at start. */
  readonly underTicks: number;
}

/** What to do at a claim scan. */
export interface ClaimDecision {
  /** Free units to take, the most rightful first. */
  readonly acquire: readonly string[];
  /** Units of better-off pollers to ask for. */
  readonly want: readonly string[];
  /** Rebalance ticks in a row at which the balance was off; to be handed to the next decision. */
  readonly underTicks: number;
}

/**
 * What a poller does about its share of the leases: takes the free ones that are its own by the common target, and any that stay
 * free for more than 2 scans; asks for those that others have beyond the target when the balance has been off for 2 ticks. It
 * never takes what somebody renews, and never gives away unasked.
 */
export function decideClaims(snapshot: ClaimSnapshot): ClaimDecision {
  const { self, freeScans } = snapshot;
  const candidates = snapshot.members
    .filter(({ info }) => !info.draining && info.capacity > 0)
    .map(({ token, info }) => ({ token, capacity: info.capacity }));
  if (!candidates.some(({ token }) => token === self)) return { acquire: [], want: [], underTicks: 0 };

  const views = snapshot.leases.filter((view) => !view.ended);
  const units = weighedUnits(snapshot.units, views);
  const holders = comingHolders(views);
  const targets = assignTargets(candidates, units, holders);

  const held = views.filter((view) => view.live && view.owner === self).length;
  const room = Math.max(0, snapshot.capacity - held);
  const free = views.filter((view) => !view.live && !isReservedForOther(view, self));
  const mine = free.filter((view) => targets.get(view.id) === self);
  const abandoned = free.filter((view) => targets.get(view.id) !== self && (freeScans.get(view.id) ?? 0) > FREE_SCANS_FOR_ANYBODY);
  const acquire = [...sortedIds(mine), ...sortedIds(abandoned)].slice(0, room);
  if (!snapshot.isRebalanceTick) return { acquire, want: [], underTicks: snapshot.underTicks };

  const fill = fillLevels(candidates, units, holders);
  const spare = views.filter((view) => targets.get(view.id) === self && isWithOther(view, candidates, self));
  const underTicks = isOutOfBalance(self, spare, fill) ? snapshot.underTicks + 1 : 0;
  if (underTicks < TICKS_BEFORE_WANT) return { acquire, want: [], underTicks };
  const asked = views.filter((view) => view.live && view.wantedBy === self).length;
  const atATime = Math.max(WANT_AT_LEAST, Math.ceil(WANT_SHARE * shareOf(self, candidates) * units.length));
  const settled = spare.filter(isSettled);
  const count = Math.max(0, Math.min(atATime, room - acquire.length) - asked);
  return { acquire, want: sortedIds(settled, fill).slice(0, count), underTicks };
}

/**
 * True when this poller is too empty, or one that has something to spare for it is too full. Either end is enough: when an
 * eleventh poller joins ten, nobody is more than 10 % above and yet it has nothing.
 */
function isOutOfBalance(self: string, spare: readonly LeaseView[], fill: ReadonlyMap<string, number>): boolean {
  if (spare.length === 0) return false;
  return (fill.get(self) ?? 0) < 1 - TOLERANCE || spare.some(({ owner }) => (fill.get(owner) ?? 0) > 1 + TOLERANCE);
}

/** What each candidate has or is about to get, as a part of its fair share. */
function fillLevels(
  candidates: readonly Candidate[],
  units: readonly LeaseUnit[],
  holders: ReadonlyMap<string, string>,
): Map<string, number> {
  const seats = makeSeats(candidates, units);
  const byToken = new Map(seats.map((seat) => [seat.token, seat]));
  for (const { id, weight } of units) {
    const seat = byToken.get(holders.get(id) ?? '');
    if (seat !== undefined) seat.load += weight;
  }
  return new Map(seats.map(({ token, load, fair }) => [token, load / fair]));
}

/** Units whose leases are seen, each with the weight that its owner measured: all pollers see the same. */
function weighedUnits(units: readonly LeaseUnit[], views: readonly LeaseView[]): LeaseUnit[] {
  const weights = new Map(views.map(({ id, weight }) => [id, weight]));
  return units.filter(({ id }) => weights.has(id)).map(({ id, weight }) => ({ id, weight: weights.get(id) ?? weight }));
}

/** Who has each unit, or will have it in a moment: a request that stands and a reservation count as done. */
function comingHolders(views: readonly LeaseView[]): Map<string, string> {
  const holders = new Map<string, string>();
  for (const view of views) {
    const unowned = view.owner === '' ? view.wantedBy : undefined;
    const holder = view.live ? (view.wantedBy ?? view.owner) : unowned;
    if (holder !== undefined) holders.set(view.id, holder);
  }
  return holders;
}

/** Released in favour of another poller; the store would refuse us. */
function isReservedForOther(view: LeaseView, self: string): boolean {
  return view.owner === '' && view.wantedBy !== undefined && view.wantedBy !== self;
}

/** Renewed by another poller that stays, and asked for by nobody. What a draining one has comes free by itself. */
function isWithOther(view: LeaseView, candidates: readonly Candidate[], self: string): boolean {
  if (!view.live || view.owner === self || view.wantedBy !== undefined) return false;
  return candidates.some(({ token }) => token === view.owner);
}

/**
 * True for a lease that may change its owner. The first owner of all took it from nobody, which is no move; that one is often just
 * the poller that started a moment before the others.
 */
function isSettled({ epoch, sinceMovedMs }: LeaseView): boolean {
  return epoch <= 1 || sinceMovedMs >= SETTLED_MS;
}

function shareOf(self: string, candidates: readonly Candidate[]): number {
  const own = candidates.find(({ token }) => token === self)?.capacity ?? 0;
  return own / sum(candidates.map(({ capacity }) => capacity));
}

interface Seat extends Candidate {
  readonly hash: number;
  /** Its part of all weights. */
  readonly fair: number;
  load: number;
}

interface HashedUnit {
  readonly unit: LeaseUnit;
  readonly hash: number;
}

function makeSeats(candidates: readonly Candidate[], units: readonly LeaseUnit[]): Seat[] {
  const weight = sum(units.map((unit) => unit.weight)) * (1 + ROUNDING);
  return candidates
    .map(({ token, capacity }) => ({ token, capacity, hash: stableHash(token), fair: weight * shareOf(token, candidates), load: 0 }))
    .sort((a, b) => (a.token < b.token ? -1 : 1));
}

/** Heavy units first, because light ones even out what they leave; then by hash, so that neighbours in a mapping spread. */
function inCommonOrder(units: readonly LeaseUnit[]): HashedUnit[] {
  return units
    .map((unit) => ({ unit, hash: stableHash(unit.id) }))
    .sort((a, b) => b.unit.weight - a.unit.weight || a.hash - b.hash || (a.unit.id < b.unit.id ? -1 : 1));
}

function highestScoring(seats: readonly Seat[], { unit, hash }: HashedUnit): Seat | undefined {
  let best: Seat | undefined;
  let bestScore = -1;
  for (const seat of seats) {
    if (seat.load + unit.weight > seat.fair) continue;
    const seatScore = score(seat, hash);
    if (seatScore > bestScore) {
      best = seat;
      bestScore = seatScore;
    }
  }
  return best;
}

/** The seat that is least loaded for its capacity with this unit on it; among equals the holder, then by score. */
function leastLoaded(seats: readonly Seat[], { unit, hash }: HashedUnit, holder: string | undefined): Seat {
  const rank = (seat: Seat): [number, number] => [
    (seat.load + unit.weight) / seat.capacity,
    seat.token === holder ? -Infinity : -score(seat, hash),
  ];
  return seats.reduce((best, seat) => {
    const [load, tie] = rank(seat);
    const [bestLoad, bestTie] = rank(best);
    return load < bestLoad || (load === bestLoad && tie < bestTie) ? seat : best;
  });
}

/** Weighted rendezvous hashing: a member of twice the capacity wins twice as often. */
function score(seat: Seat, unitHash: number): number {
  const uniform = (stableHashPair(seat.hash, unitHash) + 0.5) / 4_294_967_296;
  return -seat.capacity / Math.log(uniform);
}

/**
 * Ids in the order of their hashes, so that a poller that takes only some takes them from all mappings.
 *
 * @param fill if given, those of the fullest owner come first
 */
function sortedIds(views: readonly LeaseView[], fill?: ReadonlyMap<string, number>): string[] {
  return views
    .map(({ id, owner }) => ({ id, hash: stableHash(id), level: fill?.get(owner) ?? 0 }))
    .sort((a, b) => b.level - a.level || a.hash - b.hash || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
