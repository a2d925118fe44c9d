import { describe, expect, it } from 'vitest';
import { throttled } from '@wherry/testkit/fake-invoker';
import { QueueBench } from './queue-bench.ts';

describe('stopping a queue slot', () => {
  it('lets the running long poll return and carries what it brings, so that a drain costs no receive', async () => {
    const bench = new QueueBench();
    await bench.sim.advance(5_000);
    bench.drain.abort();
    bench.yieldAll();
    await bench.sim.advance(5_000);
    expect(bench.slots[0]?.ended).toBe('running');
    const polls = bench.queue.requests.length;
    expect(bench.queue.requests.at(-1)?.signal.aborted).toBe(false);
    bench.send(3);
    await bench.sim.advance(1_000);
    expect(bench.slots[0]?.ended).toBe('resolved');
    expect(bench.batchSizes).toEqual([3]);
    await bench.queueMapping.close();
    expect(bench.queue.remaining).toEqual([]);
    expect(bench.queue.requests).toHaveLength(polls);
    expect(bench.bytes.usedBytes).toBe(0);
  });

  it.each([
    ['the mapping was switched off or changed', {}, (bench: QueueBench) => bench.retired.abort()],
    ['the grace might end before the invocation', { shutdownGraceMs: 20_000 }, (bench: QueueBench) => bench.drain.abort()],
    ['the lease is lost', {}, (bench: QueueBench) => bench.slots[0]?.lease.lose()],
  ])('releases what the last long poll brings, never invoked, when %s', async (_why, options, end) => {
    const bench = new QueueBench(options);
    await bench.sim.advance(5_000);
    end(bench);
    bench.yieldAll();
    await bench.sim.advance(5_000);
    bench.send(3);
    await bench.sim.advance(100);
    expect(bench.slots[0]?.ended).toBe('resolved');
    expect(bench.invoker.seen).toEqual([]);
    expect(bench.queue.visibilityChanges.map((change) => change.seconds)).toEqual([0, 0, 0]);
    expect(bench.queue.remaining.every((message) => message.isVisible)).toBe(true);
    expect(bench.settled('released', 'done')).toBe(3);
    expect(bench.bytes.usedBytes).toBe(0);
  });

  it('still carries an open batch when it is told to stop, without waiting for the window', async () => {
    const bench = new QueueBench({ mapping: { maximumBatchingWindowInSeconds: 10 } });
    bench.send(2);
    await bench.sim.advance(1_000);
    bench.yieldAll();
    await bench.sim.advance(12_000);
    expect(bench.batchSizes).toEqual([2]);
    await bench.queueMapping.close();
    expect(bench.queue.remaining).toEqual([]);
    expect(bench.queue.isClosed).toBe(true);
  });

  it('releases a batch that would have to wait when it is told to stop', async () => {
    const bench = new QueueBench({ mapping: { batchSize: 1, maximumConcurrency: 1 }, slots: 1 });
    bench.permits.isAway = true;
    bench.send(1);
    await bench.sim.advance(3_000);
    expect(bench.invoker.seen).toEqual([]);
    bench.yieldAll();
    await bench.sim.advance(0);
    expect(bench.slots[0]?.ended).toBe('resolved');
    expect(bench.queue.remaining).toMatchObject([{ isVisible: true, receiveCount: 1 }]);
  });

  it('does not release messages that were tried, when a throttled batch is told to stop', async () => {
    const bench = new QueueBench({ invoker: { answer: () => throttled() } });
    bench.send(1);
    await bench.sim.advance(1_000);
    bench.yieldAll();
    await bench.sim.advance(1_000);
    expect(bench.slots[0]?.ended).toBe('resolved');
    expect(bench.queue.visibilityChanges).toEqual([]);
  });

  it('starts nothing under a lost lease, and settles what was on the wire', async () => {
    const bench = new QueueBench({ mapping: { batchSize: 1 }, invoker: { durationMs: 2_000 } });
    const [first] = bench.send(2);
    await bench.sim.advance(1_000);
    bench.slots[0]?.lease.lose();
    await bench.sim.advance(10_000);
    expect(bench.invoker.seen).toHaveLength(1);
    expect(bench.queue.deletedIds).toEqual([first]);
    expect(bench.slots[0]?.ended).toBe('resolved');
  });

  it('asks the lease right before the invocation, and releases the batch if it is not valid', async () => {
    const bench = new QueueBench();
    await bench.sim.advance(1_000);
    bench.slots[0]!.lease.isGood = false;
    bench.send(1);
    await bench.sim.advance(1_000);
    expect(bench.invoker.seen).toEqual([]);
    expect(bench.queue.remaining).toMatchObject([{ isVisible: true }]);
  });

  it('asks the lease again after a wait for a permit', async () => {
    const bench = new QueueBench({ mapping: { maximumConcurrency: 1 } });
    bench.permits.isAway = true;
    bench.send(1);
    await bench.sim.advance(3_000);
    bench.slots[0]!.lease.isGood = false;
    bench.permits.isAway = false;
    await bench.sim.advance(3_000);
    expect(bench.invoker.seen).toEqual([]);
    expect(bench.slots[0]?.ended).toBe('resolved');
    expect(bench.queue.remaining).toMatchObject([{ isVisible: true, receiveCount: 1 }]);
  });

  it('never invokes messages whose receive was answered after their visibility', async () => {
    const bench = new QueueBench({ queue: { visibilityTimeoutSeconds: 6 } });
    bench.queue.answerDelayMs = 7_000;
    bench.send(1);
    await bench.sim.advance(8_000);
    expect(bench.invoker.seen).toEqual([]);
    expect(bench.ofType('expired')).toMatchObject([{ events: 1 }]);
    bench.queue.answerDelayMs = 0;
    await bench.sim.advance(60_000);
    expect(bench.invoker.seen.map((invocation) => invocation.receiveCounts)).toHaveLength(1);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('aborts polls and invocations on kill, releases what was never invoked, and leaves the rest alone', async () => {
    const bench = new QueueBench({ mapping: { batchSize: 1 }, slots: 3, inFlight: 1, invoker: { durationMs: 60_000 } });
    bench.send(1);
    await bench.sim.advance(100);
    bench.send(1);
    await bench.sim.advance(1_000);
    expect(bench.queue.remaining.map((message) => message.isVisible)).toEqual([false, false]);
    bench.kill.abort();
    await bench.sim.advance(100);
    expect(bench.slots.map((slot) => slot.ended)).toEqual(['resolved', 'resolved', 'resolved']);
    expect(bench.queue.remaining.map((message) => message.isVisible)).toEqual([false, true]);
    expect(bench.queue.deletedIds).toEqual([]);
    expect(bench.ofType('invoked')).toEqual([]);
    expect(bench.bytes.usedBytes).toBe(0);
  });

  it('gives everything back when a crash ends one slot, and the other slots go on', async () => {
    let isBroken = true;
    const bench = new QueueBench({
      slots: 2,
      mapping: { batchSize: 1, maximumConcurrency: 2 },
      invoker: {
        answer: ({ messageIds }) => {
          if (isBroken && messageIds[0] === 'm-0') throw new Error('a bug');
          return { kind: 'success', body: new Uint8Array() };
        },
      },
    });
    bench.send(3);
    await bench.sim.advance(2_000);
    expect(bench.slots.map((slot) => slot.ended).toSorted()).toEqual(['rejected', 'running']);
    expect(bench.queue.deletedIds).toEqual(['m-1', 'm-2']);
    expect(await bench.permits.inUse('orders', 'mapping-11111111-1111-5111-8111-111111111111')).toBe(0);
    expect(bench.queueMapping.status().inFlight).toBe(0);
    isBroken = false;
    await bench.sim.advance(60_000);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('releases an open batch when a later receive crashes', async () => {
    const bench = new QueueBench({ mapping: { maximumBatchingWindowInSeconds: 10 } });
    bench.send(2);
    await bench.sim.advance(0);
    bench.queue.receiveFault = new Error('a bug');
    bench.send(1);
    await bench.sim.advance(0);
    expect(bench.slots[0]?.ended).toBe('rejected');
    expect(bench.queue.remaining.map((message) => message.isVisible)).toEqual([true, true, true]);
    expect(bench.bytes.usedBytes).toBe(0);
  });

  it('gives messages back when a filter crashes', async () => {
    const bench = new QueueBench({
      matches: () => {
        throw new Error('a bug');
      },
    });
    bench.send(3);
    await bench.sim.advance(1_000);
    expect(bench.slots[0]).toMatchObject({ ended: 'rejected', error: new Error('a bug') });
    expect(bench.bytes.usedBytes).toBe(0);
    expect(bench.queue.deletedIds).toEqual([]);
  });
});
