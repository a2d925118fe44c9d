import { describe, expect, it } from 'vitest';
import { QueueBench } from './queue-bench.ts';

describe('SQS batching', () => {
  it.each([15, 100, 10_000])('BAT-02 delivers all of 15 messages in batches of at most %i', async (batchSize) => {
    const bench = new QueueBench({ mapping: { batchSize, maximumBatchingWindowInSeconds: 10 } });
    bench.send(15);
    await bench.sim.advance(15_000);
    expect(bench.batchSizes).toEqual([15]);
    expect(bench.queue.remaining).toEqual([]);
    const [invocation] = bench.invoker.seen;
    expect(bench.seconds(invocation!.startedAtMs)).toBe(batchSize === 15 ? 0 : 10);
  });

  it('BAT-03 carries 30 messages in two batches of at most 20 with MaximumConcurrency 2', async () => {
    const mapping = { batchSize: 20, maximumBatchingWindowInSeconds: 1, maximumConcurrency: 2 };
    const bench = new QueueBench({ mapping, slots: 2, invoker: { durationMs: 2_000 } });
    bench.send(30);
    await bench.sim.advance(30_000);
    expect(bench.batchSizes.toSorted((one, other) => one - other)).toEqual([10, 20]);
    expect(bench.invoker.peak).toBe(2);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('BAT-04 splits messages that sum up to more than 6 MiB before the limit, in order', async () => {
    const bench = new QueueBench();
    const ids = bench.send(10, 'x'.repeat(1_000_000));
    await bench.sim.advance(1_000);
    expect(bench.batchSizes).toEqual([6, 4]);
    expect(bench.invoker.seen.flatMap((invocation) => invocation.messageIds)).toEqual(ids);
    expect(bench.invoker.seen.every((invocation) => invocation.request.payload.length <= 6_291_456)).toBe(true);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('BAT-06 sends one message at once where there is no window', async () => {
    const bench = new QueueBench();
    await bench.sim.advance(7_000);
    bench.send(1);
    await bench.sim.advance(0);
    expect(bench.invoker.seen.map((invocation) => bench.seconds(invocation.startedAtMs))).toEqual([7]);
  });

  it('BAT-07 deletes what the filters do not match without invoking, and starts the window with the first match', async () => {
    const bench = new QueueBench({
      mapping: { maximumBatchingWindowInSeconds: 3 },
      matches: (message) => message.recordJson.includes('"body":"wanted"'),
    });
    bench.send(9, 'unwanted');
    await bench.sim.advance(5_000);
    expect(bench.invoker.seen).toEqual([]);
    const [wanted] = bench.send(1, 'wanted');
    await bench.sim.advance(2_900);
    expect(bench.invoker.seen).toEqual([]);
    await bench.sim.advance(1_000);
    expect(bench.invoker.seen.map((invocation) => invocation.messageIds)).toEqual([[wanted]]);
    expect(bench.ofType('filtered')).toEqual([{ type: 'filtered', mapping: 'orders', events: 9 }]);
    expect(bench.settled('deleted', 'done')).toBe(10);
  });

  it.each([
    { extendVisibility: false, receiveCount: 2, expired: 1 },
    { extendVisibility: true, receiveCount: 1, expired: 0 },
  ])('BAT-08 never invokes messages whose visibility ended while they waited ($extendVisibility)', async (given) => {
    const bench = new QueueBench({
      mapping: { batchSize: 1, extendVisibility: given.extendVisibility },
      queue: { visibilityTimeoutSeconds: 10 },
      inFlight: 1,
      slots: 2,
      invoker: { durationMs: (invocation) => (invocation.messageIds[0] === 'm-0' ? 15_000 : 0) },
    });
    bench.send(1);
    await bench.sim.advance(500);
    bench.send(1);
    await bench.sim.advance(14_000);
    expect(bench.invoker.seen.map((invocation) => invocation.messageIds)).toEqual([['m-0']]);
    expect(bench.queue.remaining[1]?.receiveCount).toBe(1);
    await bench.sim.advance(60_000);
    const second = bench.invoker.seen.filter((invocation) => invocation.messageIds[0] === 'm-1');
    expect(second.map((invocation) => invocation.receiveCounts)).toEqual([[given.receiveCount]]);
    expect(bench.ofType('expired').filter((event) => event.events > 0)).toHaveLength(given.expired);
    expect(bench.invoker.peak).toBe(1);
  });

  it('asks for window + Timeout + 30 s of visibility where the queue gives less than window + Timeout', async () => {
    const bench = new QueueBench({ mapping: { maximumBatchingWindowInSeconds: 28 } });
    await bench.sim.advance(100);
    expect(bench.queue.requests.at(-1)).toMatchObject({ maxMessages: 10, waitTimeSeconds: 20, visibilityTimeoutSeconds: 63 });
  });

  it('polls no longer than what is left of an open window', async () => {
    const bench = new QueueBench({ mapping: { maximumBatchingWindowInSeconds: 4 } });
    bench.send(3);
    await bench.sim.advance(5_000);
    expect(bench.batchSizes).toEqual([3]);
    expect(bench.queue.requests.map((request) => [request.maxMessages, request.waitTimeSeconds]).slice(0, 2)).toEqual([
      [10, 0],
      [7, 4],
    ]);
  });

  it('invokes messages that arrive late in a long poll, however short the visibility timeout', async () => {
    const bench = new QueueBench({ queue: { visibilityTimeoutSeconds: 6 } });
    for (let turn = 0; turn < 20; turn += 1) {
      bench.send(1);
      await bench.sim.advance(1_700);
    }
    expect(bench.ofType('expired')).toEqual([]);
    expect(bench.queue.deletedIds).toHaveLength(20);
    expect(bench.invoker.seen.every((invocation) => invocation.receiveCounts[0] === 1)).toBe(true);
  });

  it('does not run hot where answers come at once and empty', async () => {
    const bench = new QueueBench({ mapping: { waitTimeSeconds: 0 } });
    await bench.sim.advance(10_000);
    expect(bench.queue.calls.receive).toBeLessThanOrEqual(22);
  });

  it('looks into a queue with one short poll before it polls long, and with nothing in between', async () => {
    const bench = new QueueBench();
    await bench.sim.advance(100);
    expect(bench.queue.requests.map((request) => request.waitTimeSeconds)).toEqual([0, 20]);
  });
});
