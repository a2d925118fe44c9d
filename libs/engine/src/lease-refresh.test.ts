import { StoreError } from '@wherry/core/coordination';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, it } from 'vitest';
import type { OwnLease } from './held-lease.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { StoreHealth } from './store-health.ts';

const UNIT = 'shard';

/** A keeper that holds one lease, and what it is asked about it. */
async function setup() {
  const sim = new SimClock();
  const store = createMemoryCoordination(sim.clock());
  await store.leases.create([{ id: UNIT, checkpoint: 'TRIM_HORIZON', ended: false }]);
  const state: { lease: OwnLease | undefined; isAway: boolean } = { lease: undefined, isAway: false };
  const [drain, kill] = [new AbortController(), new AbortController()];
  const leases = new Proxy(store.leases, {
    get: (target, method) => {
      const call = Reflect.get(target, method) as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => (state.isAway ? Promise.reject(new StoreError('away')) : call.apply(target, args));
    },
  });
  const memberInfo = {
    version: '',
    configHash: '',
    capacity: 1,
    draining: false,
    startedAtMs: 0,
    leases: 0,
    inFlight: 0,
    bufferedBytes: 0,
    adminUrl: '',
  };
  const keeper = new LeaseKeeper({
    surroundings: { clock: sim.clock(), random: () => 0.5, newId: () => '' },
    stop: { drain: drain.signal, kill: kill.signal },
    leases,
    members: store.members,
    health: new StoreHealth(() => {}),
    timings: { ttlMs: 10_000, renewEveryMs: 3_000, claimEveryMs: 1_000, rebalanceEveryMs: 10_000, marginMs: 2_000 },
    token: 'me',
    memberInfo: () => memberInfo,
    capacity: () => 10,
    mayHold: () => true,
    planUnits: () => Promise.resolve({ units: [{ id: UNIT, weight: 1 }], views: new Map() }),
    runUnit: (lease) => {
      state.lease ??= lease;
      return new Promise((resolve) => lease.yielded.addEventListener('abort', () => resolve(), { once: true }));
    },
    scanned: () => Promise.resolve(),
    observe: () => {},
  });
  void keeper.run();
  await sim.advance(2_000);
  const lease = state.lease!;
  return { sim, store, keeper, lease, state };
}

it('the first beginning has the progress of the acquisition, later ones what the store says then', async () => {
  const { store, keeper, lease } = await setup();
  expect([await keeper.refresh(lease), lease.checkpoint, lease.window]).toEqual([true, 'TRIM_HORIZON', '']);
  await store.leases.checkpoint(UNIT, 'me', lease.epoch, '42', 'window');
  expect(lease.checkpoint).toBe('TRIM_HORIZON');
  expect([await keeper.refresh(lease), lease.checkpoint, lease.window]).toEqual([true, '42', 'window']);
});

it('a lease that was moved by a person, or whose shard has ended, does not begin again', async () => {
  const { store, keeper, lease } = await setup();
  await keeper.refresh(lease);
  await store.leases.reposition([{ id: UNIT, checkpoint: 'TRIM_HORIZON', ended: false }]);
  expect(await keeper.refresh(lease)).toBe(false);
  const other = await setup();
  await other.keeper.refresh(other.lease);
  await other.store.leases.end(UNIT, 'me', other.lease.epoch);
  expect(await other.keeper.refresh(other.lease)).toBe(false);
});

it('it waits for a store that is away, for as long as the lease is ours', async () => {
  const { sim, keeper, lease, state } = await setup();
  await keeper.refresh(lease);
  state.isAway = true;
  const refreshed = keeper.refresh(lease);
  await sim.advance(3_000);
  state.isAway = false;
  await sim.advance(2_000);
  expect(await refreshed).toBe(true);
  state.isAway = true;
  const lost = keeper.refresh(lease);
  await sim.advance(15_000);
  expect([await lost, lease.lost.aborted]).toEqual([false, true]);
});

it('what a lease weighs goes with its renewals, and stays when it changes hands', async () => {
  const { sim, store, lease } = await setup();
  lease.weigh(8);
  await sim.advance(4_000);
  expect((await store.leases.view([UNIT]))[0]?.weight).toBe(8);
  await store.leases.release(UNIT, 'me', lease.epoch);
  await store.leases.acquire(UNIT, 'other', 10_000);
  expect((await store.leases.view([UNIT]))[0]?.weight).toBe(8);
});
