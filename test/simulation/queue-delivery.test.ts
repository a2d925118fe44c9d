import { describe, expect, it } from 'vitest';
import { functionError, success, throttled, unavailable } from '@wherry/testkit/fake-invoker';
import { QueueBench } from './queue-bench.ts';

const failures = (...ids: readonly string[]): unknown => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

describe('SQS delivery', () => {
  it('delivers a message once and deletes it only after the function succeeded', async () => {
    const bench = new QueueBench({ invoker: { durationMs: 1_000 } });
    const [id] = bench.send(1);
    await bench.sim.advance(999);
    expect(bench.invoker.seen).toMatchObject([{ messageIds: [id] }]);
    expect(bench.queue.calls.delete).toBe(0);
    await bench.sim.advance(1_000);
    expect(bench.queue.deletedIds).toEqual([id]);
    expect(bench.invoker.seen).toHaveLength(1);
    expect(bench.queue.visibilityChanges).toEqual([]);
    expect(bench.bytes.usedBytes).toBeLessThan(1_000_000);
  });

  it('SQS-01 leaves the messages of a function error to their visibility timeout, without changing it', async () => {
    const bench = new QueueBench({
      queue: { visibilityTimeoutSeconds: 5 },
      invoker: { answer: (_, index) => (index === 0 ? functionError() : success()) },
    });
    bench.send(1);
    await bench.sim.advance(4_999);
    expect(bench.invoker.seen).toHaveLength(1);
    await bench.sim.advance(2);
    expect(bench.invoker.seen.map((invocation) => invocation.receiveCounts)).toEqual([[1], [2]]);
    expect(bench.queue.visibilityChanges).toEqual([]);
    await bench.sim.advance(1_000);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('SQS-02 hands a message that always fails to the dead-letter queue after maxReceiveCount deliveries', async () => {
    const bench = new QueueBench({
      queue: { visibilityTimeoutSeconds: 5, maxReceiveCount: 2 },
      invoker: { answer: () => functionError() },
    });
    const [id] = bench.send(1);
    await bench.sim.advance(60_000);
    expect(bench.invoker.seen.map((invocation) => invocation.receiveCounts)).toEqual([[1], [2]]);
    expect(bench.queue.deadLetters).toMatchObject([{ messageId: id, receiveCount: 2 }]);
    expect(bench.queue.deletedIds).toEqual([]);
  });

  it('SQS-03 tries a throttled batch again from one receive', async () => {
    const bench = new QueueBench({ invoker: { answer: (_, index) => (index < 2 ? throttled() : success()) } });
    bench.send(1);
    await bench.sim.advance(15_000);
    expect(bench.invoker.seen.map((invocation) => invocation.receiveCounts)).toEqual([[1], [1], [1]]);
    expect(bench.queue.deletedIds).toHaveLength(1);
    expect(bench.ofType('polled').filter((event) => event.events > 0)).toHaveLength(1);
    expect(new Set(bench.invoker.seen.map((invocation) => invocation.request.delivery.batch)).size).toBe(1);
    expect(bench.invoker.seen.map((invocation) => invocation.request.delivery.attempt)).toEqual([1, 2, 3]);
  });

  it.each([true, false])('SQS-04 forgets a throttled batch when its visibility ends (extendVisibility %s)', async (extendVisibility) => {
    let capacity = false;
    const bench = new QueueBench({
      mapping: { extendVisibility },
      queue: { visibilityTimeoutSeconds: 20 },
      invoker: { answer: () => (capacity ? success() : throttled()) },
    });
    bench.send(1);
    await bench.sim.advance(19_800);
    const before = bench.invoker.seen.length;
    expect(before).toBeGreaterThan(2);
    capacity = true;
    await bench.sim.advance(15_000);
    expect(bench.invoker.seen.slice(before).map((invocation) => invocation.receiveCounts)).toEqual([[2]]);
    expect(bench.ofType('expired')).toMatchObject([{ events: 1 }]);
    expect(bench.queue.visibilityChanges).toEqual([]);
    expect(bench.queue.deletedIds).toHaveLength(1);
  });

  it('SQS-05 deletes what succeeded at once and leaves what was reported to its visibility timeout', async () => {
    const bench = new QueueBench({
      mapping: { reportBatchItemFailures: true },
      invoker: { answer: ({ messageIds }, index) => success(index === 0 ? failures(messageIds[1]!) : {}) },
    });
    const [first, second, third] = bench.send(3);
    await bench.sim.advance(1_000);
    expect(bench.queue.deletedIds).toEqual([first, third]);
    await bench.sim.advance(31_000);
    expect(bench.invoker.seen.map((invocation) => invocation.messageIds)).toEqual([[first, second, third], [second]]);
    expect(bench.queue.deletedIds).toEqual([first, third, second]);
    expect(bench.ofType('invoked').map(({ outcome, failed }) => ({ outcome, failed }))).toEqual([
      { outcome: 'partial', failed: 1 },
      { outcome: 'success', failed: 0 },
    ]);
  });

  it.each(['{}', 'null', '', '{"batchItemFailures":[]}', '{"batchItemFailures":null}'])('SQS-07 deletes all after %s', async (body) => {
    const bench = new QueueBench({ mapping: { reportBatchItemFailures: true }, invoker: { answer: () => success(body) } });
    bench.send(3);
    await bench.sim.advance(1_000);
    expect(bench.queue.remaining).toEqual([]);
  });

  it.each([
    failures(''),
    failures('unknown'),
    { batchItemFailures: [{ itemIdentifier: 123 }] },
    { batchItemFailures: [{ foo: 'notvalid' }] },
    { batchItemFailures: [{}] },
    { batchItemFailures: 'x' },
    'not json',
  ])('SQS-08 deletes nothing after %j', async (answer) => {
    const bench = new QueueBench({ mapping: { reportBatchItemFailures: true }, invoker: { answer: () => success(answer) } });
    bench.send(3);
    await bench.sim.advance(29_000);
    expect(bench.queue.deletedIds).toEqual([]);
    expect(bench.queue.remaining.map((message) => message.receiveCount)).toEqual([1, 1, 1]);
    expect(bench.ofType('invoked')).toMatchObject([{ failed: 3 }]);
  });

  it('SQS-09 ignores a failure list where ReportBatchItemFailures is off', async () => {
    const bench = new QueueBench({ invoker: { answer: ({ messageIds }) => success(failures(messageIds[0]!)) } });
    bench.send(3);
    await bench.sim.advance(1_000);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('SQS-12 lets a running invocation finish and delete, and receives nothing new', async () => {
    const bench = new QueueBench({ invoker: { durationMs: 5_000 } });
    bench.send(10);
    await bench.sim.advance(1_000);
    bench.send(10);
    bench.yieldAll();
    await bench.sim.advance(10_000);
    expect(bench.batchSizes).toEqual([10]);
    expect(bench.queue.deletedIds).toHaveLength(10);
    expect(bench.queue.remaining.map((message) => message.receiveCount)).toEqual(Array(10).fill(0));
    expect(bench.slots[0]?.ended).toBe('resolved');
  });

  it('SQS-13 never exceeds MaximumConcurrency and leaves unleased messages visible', async () => {
    const bench = new QueueBench({ mapping: { maximumConcurrency: 2, batchSize: 1 }, slots: 2, invoker: { durationMs: 4_000 } });
    bench.send(50);
    await bench.sim.advance(2_000);
    expect(bench.queue.remaining.filter((message) => !message.isVisible)).toHaveLength(2);
    await bench.sim.advance(120_000);
    expect(bench.invoker.peak).toBe(2);
    expect(bench.permits.peaks.get('mapping-11111111-1111-5111-8111-111111111111')).toBe(2);
    expect(bench.queue.deletedIds).toHaveLength(50);
    expect(bench.invoker.seen.every((invocation) => invocation.receiveCounts[0] === 1)).toBe(true);
  });

  it('SQS-14 survives lost deletes: the messages are delivered again', async () => {
    const { SourceError } = await import('@wherry/core/source-error');
    const bench = new QueueBench();
    bench.queue.deleteFault = new SourceError('unavailable', 'ECONNRESET', 'socket hang up');
    bench.send(1);
    await bench.sim.advance(20_000);
    expect(bench.settled('deleted', 'failed')).toBe(1);
    expect(bench.settled('deleted', 'done')).toBe(0);
    bench.queue.deleteFault = undefined;
    await bench.sim.advance(20_000);
    expect(bench.invoker.seen.map((invocation) => invocation.receiveCounts)).toEqual([[1], [2]]);
    expect(bench.settled('deleted', 'done')).toBe(1);
  });

  it('keeps a batch whose target cannot be reached and burns no receive count while the target is away', async () => {
    let isAway = true;
    const bench = new QueueBench({ slots: 5, invoker: { answer: () => (isAway ? unavailable() : success()) } });
    bench.send(100);
    await bench.sim.advance(60_000);
    const receives = bench.queue.calls.receive;
    await bench.sim.advance(60_000);
    // Only probes fetch while the gate is open.
    expect(bench.queue.calls.receive - receives).toBeLessThan(20);
    isAway = false;
    await bench.sim.advance(120_000);
    expect(bench.queue.remaining).toEqual([]);
    expect(bench.ofType('gate').map((event) => event.state)).toContain('open');
  });
});
