import { describe, expect, it } from 'vitest';
import { KeeperFleet, type HoldingPoller } from './keeper-fleet.ts';

const TTL_MS = 10_000;
/** A claim scan at its latest. */
const SCAN_MS = 1_200;

async function settledFleet(pollers: number, units: number): Promise<KeeperFleet> {
  const fleet = new KeeperFleet(units);
  for (let number = 0; number < pollers; number += 1) fleet.start();
  await fleet.sim.advance(5_000);
  expect((await fleet.owners()).size).toBe(units);
  return fleet;
}

function leaseEvents(poller: HoldingPoller, kind: string): number[] {
  return poller.events.filter(({ event }) => event.type === 'lease' && event.event === kind).map(({ atMs }) => atMs);
}

describe('the lease keeper', () => {
  it('gives a lone fresh poller every unit in about a second', async () => {
    const fleet = new KeeperFleet(5);
    const poller = fleet.start();
    expect(await fleet.until(() => poller.working.size === 5, 5_000)).toBeLessThanOrEqual(1_100);
  });

  it('shares the units of pollers that start together', async () => {
    const fleet = await settledFleet(3, 12);
    for (const count of (await fleet.counts()).values()) expect(count).toBeGreaterThanOrEqual(3);
  });

  it('keeps what it holds for as long as it renews', async () => {
    const fleet = await settledFleet(2, 6);
    await fleet.sim.advance(300_000);
    for (const poller of fleet.pollers) expect(leaseEvents(poller, 'lost')).toEqual([]);
    expect((await fleet.owners()).size).toBe(6);
  });

  it('takes over from a killed poller within ttl + 3 s, whenever the kill comes', async () => {
    for (let offsetMs = 0; offsetMs < 4_000; offsetMs += 330) {
      const fleet = await settledFleet(3, 9);
      await fleet.sim.advance(offsetMs);
      const victim = fleet.pollers[0]!;
      victim.process.kill();
      const takenOver = async (): Promise<boolean> => {
        const owners = await fleet.owners();
        return owners.size === 9 && ![...owners.values()].includes(victim.token);
      };
      expect(await fleet.until(takenOver, 60_000)).toBeLessThanOrEqual(TTL_MS + 3_000);
    }
  });

  it('hands over within 2 s after the work in flight has ended when it is drained', async () => {
    const fleet = await settledFleet(3, 9);
    const leaver = fleet.pollers[0]!;
    leaver.finishMs = 7_000;
    const held = leaver.working.size;
    leaver.drain.abort();
    await fleet.sim.advance(6_900);
    expect(leaver.working.size).toBe(held);
    expect(leaver.isStopped).toBe(false);
    const handedOver = async (): Promise<boolean> => {
      const owners = await fleet.owners();
      return owners.size === 9 && ![...owners.values()].includes(leaver.token);
    };
    expect(await fleet.until(handedOver, 60_000)).toBeLessThanOrEqual(100 + 2_000);
    await leaver.stopped;
    expect((await fleet.store.members.members()).map((member) => member.token)).not.toContain(leaver.token);
  });

  it('fences itself when the store does not answer, before anybody else can own the lease', async () => {
    const fleet = await settledFleet(2, 4);
    const cutOff = fleet.pollers[0]!;
    const leases = [...cutOff.working.values()];
    cutOff.isStoreUp = false;
    const fencedAfterMs = await fleet.until(() => leases.every((lease) => lease.lost.aborted), 60_000);
    expect(fencedAfterMs).toBeLessThanOrEqual(TTL_MS - 2_000);
    for (const lease of leases) expect(lease.isValid()).toBe(false);
    const owners = [...(await fleet.owners()).values()];
    expect(owners.filter((owner) => owner === cutOff.token)).toHaveLength(leases.length);
    expect(cutOff.events.at(-1)?.event).not.toMatchObject({ type: 'storeUp', up: true });
  });

  it('works again after the store was away, and says so', async () => {
    const fleet = await settledFleet(2, 4);
    for (const poller of fleet.pollers) poller.isStoreUp = false;
    await fleet.sim.advance(12_000);
    expect(fleet.pollers.map((poller) => poller.working.size)).toEqual([0, 0]);
    for (const poller of fleet.pollers) poller.isStoreUp = true;
    expect(await fleet.until(async () => (await fleet.owners()).size === 4, 60_000)).toBeLessThanOrEqual(5_000);
    const storeEvents = fleet.pollers[0]!.events.flatMap(({ event }) => (event.type === 'storeUp' ? [event.up] : []));
    expect(storeEvents).toEqual([true, false, true]);
  });

  it('starts nothing under a lease that another poller took while it was stopped', async () => {
    const fleet = await settledFleet(2, 4);
    const stopped = fleet.pollers[0]!;
    const leases = [...stopped.working.values()];
    stopped.process.pause();
    await fleet.sim.advance(3 * TTL_MS);
    stopped.process.resume();
    for (const lease of leases) expect(lease.isValid()).toBe(false);
    await fleet.sim.advance(100);
    for (const lease of leases) expect(lease.lost.aborted).toBe(true);
  });

  it('never works twice on a unit whose old work has not ended', async () => {
    const fleet = await settledFleet(1, 1);
    const poller = fleet.pollers[0]!;
    poller.finishMs = 60_000;
    const [lease] = poller.working.values();
    poller.isStoreUp = false;
    await fleet.sim.advance(9_000);
    poller.isStoreUp = true;
    await fleet.sim.advance(20_000);
    expect([...poller.working.values()]).toEqual([lease]);
    expect(leaseEvents(poller, 'acquired')).toHaveLength(1);
  });

  it('lets go of units that no plan names any more and takes new ones', async () => {
    const fleet = await settledFleet(1, 4);
    fleet.units = [...fleet.units.slice(0, 2), { id: 'sqs-test-new', weight: 1 }];
    await fleet.sim.advance(2 * SCAN_MS);
    expect([...fleet.pollers[0]!.working.keys()].toSorted()).toEqual(['sqs-test-0', 'sqs-test-1', 'sqs-test-new']);
  });

  it('leaves units that it may not hold to others, and takes them after all when nobody else does', async () => {
    const fleet = await settledFleet(2, 4);
    const [cutOff, other] = fleet.pollers as [HoldingPoller, HoldingPoller];
    cutOff.leavesToOthers = () => true;
    expect(await fleet.until(() => other.working.size === 4, 60_000)).toBeLessThanOrEqual(5_000);
    other.leavesToOthers = () => true;
    await fleet.sim.advance(20_000);
    expect((await fleet.owners()).size).toBe(4);
  });

  it('gives its leases back at once when it is killed by a second signal', async () => {
    const fleet = await settledFleet(1, 4);
    const poller = fleet.pollers[0]!;
    poller.finishMs = 60_000;
    poller.drain.abort();
    await fleet.sim.advance(100);
    expect(poller.isStopped).toBe(false);
    poller.kill.abort();
    await fleet.sim.advance(100);
    expect(poller.isStopped).toBe(true);
    expect((await fleet.owners()).size).toBe(0);
  });

  it('stops although the store is away', async () => {
    const fleet = await settledFleet(1, 4);
    const poller = fleet.pollers[0]!;
    poller.isStoreUp = false;
    poller.drain.abort();
    expect(await fleet.until(() => poller.isStopped, 60_000)).toBeLessThanOrEqual(1_000);
  });
});

describe('joining and leaving', () => {
  const UNITS = 60;

  it('moves about M/N leases to a poller that joins, and none twice within a minute', async () => {
    const fleet = await settledFleet(4, UNITS);
    const movedAtMs = new Map<string, number>();
    let before = await fleet.owners();
    let moves = 0;
    fleet.start();
    for (let step = 0; step < 3_000; step += 1) {
      await fleet.sim.advance(200);
      const now = await fleet.owners();
      for (const [unit, owner] of now) {
        if (before.get(unit) === owner || before.get(unit) === undefined) continue;
        expect(fleet.sim.nowMs() - (movedAtMs.get(unit) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(59_000);
        movedAtMs.set(unit, fleet.sim.nowMs());
        moves += 1;
      }
      before = new Map([...before, ...now]);
    }
    expect(moves).toBeLessThanOrEqual(Math.ceil((1.1 * UNITS) / 5) + 1);
    const counts = [...(await fleet.counts()).values()];
    expect(counts).toHaveLength(5);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.floor((UNITS / 5) * 0.8));
  });

  it('moves only the leases of a poller that leaves', async () => {
    const fleet = await settledFleet(5, UNITS);
    const before = await fleet.owners();
    fleet.pollers[2]!.drain.abort();
    await fleet.sim.advance(3_000);
    const after = await fleet.owners();
    expect(after.size).toBe(UNITS);
    const moved = [...after].filter(([unit, owner]) => before.get(unit) !== owner);
    expect(moved.every(([unit]) => before.get(unit) === fleet.pollers[2]!.token)).toBe(true);
  });
});
