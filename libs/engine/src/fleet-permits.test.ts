import { sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { FleetPermits } from './fleet-permits.ts';

const fn = sampleFunction({ timeoutSeconds: 60, reservedConcurrentExecutions: 1 });

/** Pollers that share a cap of one; each has its own signal of being killed. */
function setup() {
  const sim = new SimClock();
  const store = new MemoryPermitStore(sim.clock());
  let ids = 0;
  const poller = (acquire = store.acquire.bind(store)) =>
    new FleetPermits({
      surroundings: { clock: sim.clock(), random: () => 0.5, newId: () => `permit-${ids++}` },
      store: { acquire, release: store.release.bind(store), inUse: store.inUse.bind(store) },
      mapping: sampleMapping(),
      function: fn,
      kill: new AbortController().signal,
    });
  return { sim, store, poller };
}

test('the permit of a killed poller counts for as long as its invocation may run, and little longer', async () => {
  const { sim, poller } = setup();
  expect(await poller().tryTake()).toBeDefined();
  const survivor = poller();
  // The call may have gone out as late as the store's answer may come, and the function then has its whole Timeout.
  await sim.advance(5_000 + 60_000);
  expect(await survivor.tryTake()).toBeUndefined();
  await sim.advance(5_000);
  expect(await survivor.tryTake()).toBeDefined();
});

test('a permit whose answer came too late to cover the invocation is not used, and handed back', async () => {
  const { sim, store, poller } = setup();
  const slow = poller(async (...asked) => {
    const taken = await store.acquire(...asked);
    await sim.sleep(5_001);
    return taken;
  });
  const late = slow.tryTake();
  await sim.advance(5_001);
  expect(await late).toBeUndefined();
  expect(await store.inUse(fn.name, 'reserved')).toBe(0);
});
