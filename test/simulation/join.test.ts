import { expect, it } from 'vitest';
import { KeeperFleet } from './keeper-fleet.ts';

/** Slots to begin with, per mapping. */
const SLOTS = 5;
/** A slot that is asked for finishes its long poll first; here all of them have the longest there is. */
const LONG_POLL_MS = 20_000;
/** Two looks at the balance, 10 s apart and each up to 10 % late, a renewal, the long poll, and a claim scan. */
const BALANCED_MS = 22_000 + 3_300 + LONG_POLL_MS + 1_100;
const SETTLED_MS = 60_000;

interface Join {
  readonly fleet: KeeperFleet;
  readonly units: number;
}

/** One poller that works alone for a while, and then two more. */
async function join(mappings: number, aloneMs: number, hadEarlierOwners: boolean): Promise<Join> {
  const units = mappings * SLOTS;
  const fleet = new KeeperFleet(units);
  if (hadEarlierOwners) {
    for (const { id } of fleet.units) {
      await fleet.store.leases.acquire(id, 'earlier', 10_000);
      await fleet.store.leases.release(id, 'earlier', 1);
    }
  }
  fleet.start().finishMs = LONG_POLL_MS;
  await fleet.sim.advance(aloneMs);
  expect((await fleet.counts()).size).toBe(1);
  fleet.start().finishMs = LONG_POLL_MS;
  fleet.start().finishMs = LONG_POLL_MS;
  return { fleet, units };
}

async function isBalanced({ fleet, units }: Join): Promise<boolean> {
  const counts = [...(await fleet.counts()).values()];
  return counts.length === 3 && counts.every((count) => Math.abs(count - units / 3) <= 1);
}

it.each([
  { mappings: 5, aloneMs: 3_000, hadEarlierOwners: false, withinMs: BALANCED_MS },
  { mappings: 50, aloneMs: 3_000, hadEarlierOwners: false, withinMs: BALANCED_MS },
  { mappings: 5, aloneMs: 600_000, hadEarlierOwners: true, withinMs: BALANCED_MS },
  { mappings: 50, aloneMs: 600_000, hadEarlierOwners: true, withinMs: BALANCED_MS },
  // The first poller took the leases from earlier ones a moment ago, which was a move: they rest before they move again.
  { mappings: 50, aloneMs: 3_000, hadEarlierOwners: true, withinMs: SETTLED_MS + BALANCED_MS },
])(
  'two pollers that join one with $mappings mappings after $aloneMs ms (earlier owners: $hadEarlierOwners) have their share within $withinMs ms',
  async ({ mappings, aloneMs, hadEarlierOwners, withinMs }) => {
    const joined = await join(mappings, aloneMs, hadEarlierOwners);
    const { fleet, units } = joined;
    const movedAtMs = new Map<string, number>();
    let owners = await fleet.owners();
    const firstOwners = new Map(owners);
    const isReached = async (): Promise<boolean> => {
      const now = await fleet.owners();
      for (const [unit, owner] of now) {
        if (owners.get(unit) === owner) continue;
        expect(fleet.sim.nowMs() - (movedAtMs.get(unit) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(SETTLED_MS);
        movedAtMs.set(unit, fleet.sim.nowMs());
      }
      owners = new Map([...owners, ...now]);
      return isBalanced(joined);
    };
    expect(await fleet.until(isReached, 600_000)).toBeLessThanOrEqual(withinMs);
    expect(movedAtMs.size).toBeLessThanOrEqual(Math.ceil((1.1 * units * 2) / 3));
    const settled = new Map(owners);
    await fleet.sim.advance(120_000);
    expect(await fleet.owners()).toEqual(settled);
    // Nobody but the joiners got anything.
    for (const [unit, owner] of settled) if (owner !== firstOwners.get(unit)) expect(owner).not.toBe('poller-0');
  },
);
