import { expect, it } from 'vitest';
import { SourceError } from '@wherry/core/source-error';
import { type ScriptedResult, functionError, success, throttled, unavailable } from '@wherry/testkit/fake-invoker';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { QueueBench } from './queue-bench.ts';

const MESSAGES = 60;
const TROUBLE_MS = 120_000;

/** One queue, a moody function, slots that come and go and a queue that fails at times; everything from one seed. */
function setup(seed: number): QueueBench {
  const random = seededRandom(seed);
  const moods: readonly (() => ScriptedResult)[] = [
    () => functionError(),
    () => throttled(random() < 0.3 ? 3_000 : undefined),
    () => unavailable(),
    () => ({ kind: 'timedOut' }),
    () => ({ kind: 'tooLarge', reason: '413' }),
  ];
  const fifo = random() < 0.5;
  const bench: QueueBench = new QueueBench({
    mapping: {
      fifo,
      batchSize: 1 + Math.floor(random() * 10),
      maximumBatchingWindowInSeconds: fifo || random() < 0.5 ? 0 : 3,
      extendVisibility: random() < 0.7,
      ...(random() < 0.5 ? { maximumConcurrency: 3 } : {}),
    },
    slots: 3,
    inFlight: 2,
    queue: { visibilityTimeoutSeconds: 10 },
    invoker: {
      durationMs: () => random() * 4_000,
      answer: () => (bench.seconds(bench.sim.nowMs()) * 1_000 < TROUBLE_MS && random() < 0.4 ? pick(moods, random())() : success()),
    },
  });
  for (let message = 0; message < MESSAGES; message += 1) {
    bench.sim.after(random() * TROUBLE_MS, () => bench.send(1, 'x', fifo ? `group-${Math.floor(random() * 4)}` : undefined));
  }
  for (let fault = 0; fault < 12; fault += 1) bench.sim.after(random() * TROUBLE_MS, () => inflict(bench, random));
  bench.sim.after(TROUBLE_MS, () => {
    bench.queue.receiveFault = bench.queue.deleteFault = bench.queue.changeVisibilityFault = undefined;
    bench.permits.isAway = bench.gates.isAway = false;
  });
  return bench;
}

function pick<T>(items: readonly T[], at: number): T {
  return items[Math.floor(at * items.length)]!;
}

function inflict(bench: QueueBench, random: () => number): void {
  const lease = pick(bench.slots, random()).lease;
  const fault = random() < 0.5 ? undefined : new SourceError(random() < 0.5 ? 'throttled' : 'unavailable', 'Fault', 'it failed');
  pick<() => void>(
    [
      () => {
        lease.yield();
        bench.startSlot();
      },
      () => {
        lease.lose();
        bench.startSlot();
      },
      () => void (bench.queue.receiveFault = fault),
      () => void (bench.queue.deleteFault = fault),
      () => void (bench.queue.changeVisibilityFault = fault),
      () => void (bench.permits.isAway = !bench.permits.isAway),
      () => void (bench.gates.isAway = !bench.gates.isAway),
    ],
    random(),
  )();
}

/** Lets time pass as it does in a fleet, where each poller asks for the state of the gates once a second. */
async function pass(bench: QueueBench, ms: number): Promise<void> {
  for (const untilMs = bench.sim.nowMs() + ms; bench.sim.nowMs() < untilMs;) {
    await bench.sim.advance(1_000);
    const askedAtMs = bench.sim.nowMs();
    if (!bench.gates.isAway) bench.gate.refresh((await bench.gates.gates(['orders'])).get('orders'), askedAtMs);
  }
}

it('loses nothing and leaves nothing behind, whatever happens', async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const bench = setup(seed);
    await pass(bench, TROUBLE_MS + 300_000);
    const context = `seed ${seed}`;
    expect(bench.queue.remaining, context).toEqual([]);
    expect(bench.queue.deletedIds.length, context).toBe(MESSAGES);
    const succeeded = new Set<string>();
    for (const event of bench.ofType('invoked')) {
      if (event.outcome === 'success') for (const id of idsOf(bench, event.requestId)) succeeded.add(id);
    }
    expect(succeeded.size, context).toBe(MESSAGES);
    bench.yieldAll();
    await bench.sim.advance(30_000);
    await bench.queueMapping.close();
    expect(
      bench.slots.every((slot) => slot.ended === 'resolved'),
      context,
    ).toBe(true);
    expect([bench.bytes.usedBytes, bench.invoker.running, bench.queueMapping.status().inFlight], context).toEqual([0, 0, 0]);
    expect(bench.invoker.peak, context).toBeLessThanOrEqual(2);
    expect(await bench.permits.inUse('orders', 'mapping-11111111-1111-5111-8111-111111111111'), context).toBe(0);
  }
});

function idsOf(bench: QueueBench, requestId: string): readonly string[] {
  return bench.invoker.seen.find((invocation) => invocation.request.requestId === requestId)?.messageIds ?? [];
}
