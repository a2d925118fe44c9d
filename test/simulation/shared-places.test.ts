import { expect, it } from 'vitest';
import { ByteBudget } from '@wherry/engine/byte-budget';
import { QueueMapping } from '@wherry/engine/queue-mapping';
import { Semaphore } from '@wherry/engine/semaphore';
import { TargetGate } from '@wherry/engine/target-gate';
import { FakeInvoker } from '@wherry/testkit/fake-invoker';
import { FakeQueue } from '@wherry/testkit/fake-queue';
import { MemoryGateStore } from '@wherry/testkit/memory-gate-store';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import { MemoryScaleStore } from '@wherry/testkit/memory-scale-store';
import { sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';
import { TestLease } from './queue-bench.ts';

const MAPPINGS = 10;
const SLOTS = 5;
const BATCH_SIZE = 10;
const PLACES = 2;
const MESSAGES = 100;

const observe = (): void => {};

/** Mappings of one function each, all on one poller that may have two invocations in flight. */
function setup(extendVisibility: boolean) {
  const sim = new SimClock();
  const clock = sim.clock();
  let ids = 0;
  const surroundings = { clock, random: seededRandom(1), newId: () => `id-${ids++}` };
  const kill = new AbortController();
  const inFlight = new Semaphore(PLACES);
  const bytes = new ByteBudget(256 * 1024 * 1024, clock);
  const gates = new MemoryGateStore(clock);
  const invoker = new FakeInvoker({ clock, durationMs: 4_000 });
  const queues = Array.from({ length: MAPPINGS }, (_, index) => {
    const fn = sampleFunction({ name: `f-${index}` });
    const queue = new FakeQueue({ clock, visibilityTimeoutSeconds: 30 });
    const mapping = new QueueMapping({
      surroundings,
      stop: { drain: new AbortController().signal, kill: kill.signal },
      shutdownGraceMs: 110_000,
      fleetId: 't1',
      mapping: sampleMapping({ name: `queue-${index}`, functionName: fn.name, batchSize: BATCH_SIZE, extendVisibility }),
      function: fn,
      source: queue,
      invoker,
      gate: new TargetGate({ surroundings, store: gates, target: fn.name, owner: 'poller-1', observe }),
      bytes,
      inFlight,
      matches: undefined,
      permits: new MemoryPermitStore(clock),
      scale: new MemoryScaleStore(clock),
      observe,
    });
    for (let slot = 0; slot < SLOTS; slot += 1) void mapping.runSlot(new TestLease(`slot-${slot}`), kill.signal);
    return queue;
  });
  return { sim, queues, invoker, inFlight, kill };
}

async function carryAll(extendVisibility: boolean): Promise<number[]> {
  const { sim, queues, invoker } = setup(extendVisibility);
  // All slots are in a long poll when every queue fills up: the most that can be fetched for two places.
  await sim.advance(5_000);
  for (const queue of queues) for (let sent = 0; sent < MESSAGES; sent += 1) queue.send({ body: `${sent}` });
  const handedOut = queues.map((queue) => queue.remaining.filter((message) => message.receiveCount > 0).length);
  for (const count of handedOut) expect(count).toBeLessThanOrEqual(SLOTS * BATCH_SIZE);
  await sim.advance(600_000);
  expect(queues.flatMap((queue) => queue.remaining)).toEqual([]);
  expect(invoker.peak).toBe(PLACES);
  return invoker.seen.flatMap((invocation) => invocation.receiveCounts);
}

it('mappings that share places fetch at most a batch per slot too many, and no message is received twice for it', async () => {
  expect(new Set(await carryAll(true))).toEqual(new Set([1]));
});

it('without extended visibility a message that waited in vain is received once more, and then has its place', async () => {
  const counts = await carryAll(false);
  expect(counts).toHaveLength(MAPPINGS * MESSAGES);
  expect(Math.max(...counts)).toBe(2);
});

it('one free place lets one slot fetch at a time, goes on when its queue has nothing, and comes back when all stop', async () => {
  const { sim, queues, inFlight, kill } = setup(true);
  for (let place = 0; place < PLACES; place += 1) expect(inFlight.tryAcquire()).toBe(true);
  const receives = (): number => queues.reduce((sum, queue) => sum + queue.calls.receive, 0);
  await sim.advance(30_000);
  const before = receives();
  inFlight.release();
  await sim.advance(100);
  expect(receives() - before).toBe(1);
  await sim.advance(5_000);
  expect(receives() - before).toBeGreaterThan(1);
  expect(receives() - before).toBeLessThanOrEqual(11);
  kill.abort();
  await sim.advance(0);
  expect(inFlight.inUse).toBe(PLACES - 1);
});
