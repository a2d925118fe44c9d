import { describe, expect, it } from 'vitest';
import { SourceError } from '@wherry/core/source-error';
import { functionError, success, throttled, unavailable } from '@wherry/testkit/fake-invoker';
import { QueueBench } from './queue-bench.ts';

describe('FIFO queues', () => {
  const fifo = { mapping: { fifo: true, batchSize: 1 } };

  it('SQS-06 redelivers the failed rest of a group in order until the dead-letter queue', async () => {
    const answers = [['m-1', 'm-2', 'm-3'], ['m-3'], ['m-3']];
    const bench = new QueueBench({
      mapping: { fifo: true, reportBatchItemFailures: true },
      queue: { visibilityTimeoutSeconds: 5, maxReceiveCount: 2 },
      invoker: {
        answer: (_, index) => success({ batchItemFailures: answers[index]!.map((itemIdentifier) => ({ itemIdentifier })) }),
      },
    });
    bench.send(4, 'x', 'a');
    await bench.sim.advance(30_000);
    expect(bench.invoker.seen.map(({ messageIds, receiveCounts }) => [messageIds, receiveCounts])).toEqual([
      [
        ['m-0', 'm-1', 'm-2', 'm-3'],
        [1, 1, 1, 1],
      ],
      [
        ['m-1', 'm-2', 'm-3'],
        [2, 2, 2],
      ],
    ]);
    expect(bench.queue.deadLetters.map((letter) => letter.messageId)).toEqual(['m-3']);
    expect(bench.queue.deletedIds).toEqual(['m-0', 'm-1', 'm-2']);
  });

  it('SQS-10 runs two groups side by side, and one group never twice at a time', async () => {
    const bench = new QueueBench({ ...fifo, slots: 5, invoker: { durationMs: 2_000 } });
    const groupOf = new Map<string, string>();
    for (const group of ['a', 'b', 'a', 'b', 'a']) groupOf.set(bench.send(1, 'x', group)[0]!, group);
    await bench.sim.advance(60_000);
    expect(bench.invoker.peak).toBe(2);
    for (const group of ['a', 'b']) {
      const runs = bench.invoker.seen.filter((invocation) => groupOf.get(invocation.messageIds[0]!) === group);
      expect(runs.map((run) => run.messageIds[0])).toEqual([...groupOf.keys()].filter((id) => groupOf.get(id) === group));
      for (const [index, run] of runs.entries()) {
        if (index > 0) expect(run.startedAtMs).toBeGreaterThanOrEqual(runs[index - 1]!.endedAtMs!);
      }
    }
    expect(bench.queue.remaining).toEqual([]);
  });

  it('SQS-11 lets other groups go on past a poisoned one, whose later messages wait', async () => {
    const bench = new QueueBench({
      ...fifo,
      slots: 2,
      invoker: { answer: ({ messageIds }) => (messageIds[0] === 'm-0' ? functionError() : success()) },
    });
    bench.send(2, 'x', 'a');
    bench.send(3, 'x', 'b');
    await bench.sim.advance(29_000);
    expect(new Set(bench.invoker.seen.map((invocation) => invocation.messageIds[0]))).toEqual(new Set(['m-0', 'm-2', 'm-3', 'm-4']));
    expect(bench.invoker.seen).toHaveLength(4);
  });
});

describe('limits of a queue mapping', () => {
  it('fetches nothing while a batch waits for a permit, and keeps that batch with its visibility extended', async () => {
    const bench = new QueueBench({ mapping: { batchSize: 1, maximumConcurrency: 1 }, slots: 1 });
    await bench.permits.acquire('orders', [{ scope: 'mapping-11111111-1111-5111-8111-111111111111', limit: 1 }], 'an orphan', 600_000);
    bench.send(5);
    await bench.sim.advance(60_000);
    expect(bench.invoker.seen).toEqual([]);
    expect(bench.queue.calls.receive).toBe(1);
    expect(bench.settled('extended', 'done')).toBeGreaterThan(2);
    await bench.permits.release('orders', ['mapping-11111111-1111-5111-8111-111111111111'], 'an orphan');
    await bench.sim.advance(10_000);
    expect(bench.invoker.seen.map((invocation) => invocation.receiveCounts)).toEqual([[1], [1], [1], [1], [1]]);
  });

  it('lets idle slots poll no more while another slot waits with a batch', async () => {
    const bench = new QueueBench({ function: { reservedConcurrentExecutions: 3 }, slots: 3 });
    bench.permits.isAway = true;
    bench.send(1);
    await bench.sim.advance(21_000);
    const receives = bench.queue.calls.receive;
    bench.send(5);
    await bench.sim.advance(60_000);
    expect(bench.queue.calls.receive).toBe(receives);
    bench.permits.isAway = false;
    await bench.sim.advance(5_000);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('never invokes without a permit while the store is away', async () => {
    const bench = new QueueBench({ function: { reservedConcurrentExecutions: 3 } });
    bench.permits.isAway = true;
    bench.send(1);
    await bench.sim.advance(20_000);
    expect(bench.invoker.seen).toEqual([]);
    bench.permits.isAway = false;
    await bench.sim.advance(5_000);
    expect(bench.invoker.seen).toHaveLength(1);
  });

  it('extends the visibility of messages whose invocation outlives it', async () => {
    const bench = new QueueBench({ queue: { visibilityTimeoutSeconds: 6 }, invoker: { durationMs: 20_000 } });
    bench.send(3);
    await bench.sim.advance(30_000);
    expect(bench.batchSizes).toEqual([3]);
    expect(bench.queue.visibilityChanges.slice(0, 3).map((change) => [bench.seconds(change.atMs), change.seconds])).toEqual([
      [3, 6],
      [3, 6],
      [3, 6],
    ]);
    expect(bench.queue.remaining).toEqual([]);
    expect(bench.settled('deleted', 'gone')).toBe(0);
  });

  it('stops receiving while the gate is open, and closes it with one probe', async () => {
    let isAway = true;
    const bench = new QueueBench({ slots: 5, mapping: { batchSize: 1 }, invoker: { answer: () => (isAway ? unavailable() : success()) } });
    bench.send(20);
    await bench.sim.advance(3_000);
    expect(bench.gate.status().state).toBe('open');
    const running = bench.invoker.seen.length;
    isAway = false;
    await bench.sim.advance(120_000);
    expect(bench.invoker.seen.length).toBeGreaterThan(running);
    expect(bench.gate.status().state).toBe('closed');
    expect(bench.ofType('gate').map((event) => event.state)).toEqual(expect.arrayContaining(['open', 'probing', 'closed']));
    expect(bench.queue.remaining).toEqual([]);
  });

  it.each([
    ['noticed on this side', { kind: 'timedOut' } as const],
    ['reported by the target', functionError('Sandbox.Timedout')],
  ])('opens the gate by timeouts %s, and keeps the messages', async (_, result) => {
    const bench = new QueueBench({ slots: 5, mapping: { batchSize: 1 }, invoker: { durationMs: 1_000, answer: () => result } });
    bench.send(20);
    await bench.sim.advance(2_000);
    expect(bench.gate.status()).toMatchObject({ state: 'open', reason: 'no answer within the deadline' });
    expect(Number.isFinite(bench.gate.status().concurrencyLimit)).toBe(true);
    expect(bench.ofType('invoked').map((event) => event.outcome)).toEqual(Array(bench.ofType('invoked').length).fill('timeout'));
    expect(bench.queue.remaining).toHaveLength(20);
  });

  it('receives nothing for a gate that another poller opened', async () => {
    const bench = new QueueBench({ slots: 0 });
    bench.gate.refresh({ state: 'open', waitMs: 60_000, reason: 'connection refused', failures: 1 }, bench.sim.nowMs());
    bench.send(5);
    bench.startSlot();
    await bench.sim.advance(50_000);
    expect(bench.queue.calls.receive).toBe(0);
    bench.gate.refresh(undefined, bench.sim.nowMs());
    await bench.sim.advance(1_000);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('honours Retry-After for the batch in hand and for fetching', async () => {
    const bench = new QueueBench({ slots: 2, invoker: { answer: (_, index) => (index === 0 ? throttled(8_000) : success()) } });
    bench.send(1);
    await bench.sim.advance(100);
    const receives = bench.queue.calls.receive;
    await bench.sim.advance(7_800);
    expect([bench.invoker.seen.length, bench.queue.calls.receive]).toEqual([1, receives]);
    await bench.sim.advance(500);
    expect(bench.invoker.seen).toHaveLength(2);
  });

  it('looks at the gate again when it gets the place it waited for', async () => {
    const bench = new QueueBench({
      mapping: { batchSize: 1 },
      slots: 2,
      inFlight: 1,
      invoker: { durationMs: 2_000, answer: (_, index) => (index === 0 ? throttled(8_000) : success()) },
    });
    bench.send(2);
    await bench.sim.advance(9_500);
    expect(bench.queue.calls.receive).toBe(2);
    expect(bench.invoker.seen).toHaveLength(1);
    await bench.sim.advance(10_000);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('gives up the probe when it ends while it waits for a permit, so that another batch may try', async () => {
    const bench = new QueueBench({ function: { reservedConcurrentExecutions: 1 }, slots: 0 });
    await bench.gates.open('orders', 1_000, 1, 'connection refused');
    bench.gate.refresh({ state: 'open', waitMs: 1_000, reason: 'connection refused', failures: 1 }, bench.sim.nowMs());
    bench.permits.isAway = true;
    bench.send(1);
    const lease = bench.startSlot();
    await bench.sim.advance(5_000);
    expect(bench.ofType('gate').map((event) => event.state)).toEqual(['open', 'probing']);
    lease.yield();
    await bench.sim.advance(1_000);
    expect([bench.slots[0]!.ended, bench.invoker.seen.length, bench.settled('released', 'done')]).toEqual(['resolved', 0, 1]);
    bench.permits.isAway = false;
    bench.startSlot();
    await bench.sim.advance(40_000);
    expect(bench.gate.status().state).toBe('closed');
    expect(bench.queue.remaining).toEqual([]);
  });

  it('carries up to 10 batches at a time in one provisioned poller', async () => {
    const bench = new QueueBench({
      mapping: { batchSize: 10, provisionedPollerConfig: { minimumPollers: 2, maximumPollers: 4 } },
      invoker: { durationMs: 5_000 },
    });
    bench.send(200);
    await bench.sim.advance(4_000);
    expect(bench.invoker.running).toBe(10);
    expect(bench.queue.remaining.filter((message) => message.isVisible)).toHaveLength(100);
    await bench.sim.advance(10_000);
    expect(bench.queue.remaining).toEqual([]);
  });
});

describe('trouble with the queue', () => {
  it('stops fetching with the text of AWS while the visibility timeout is shorter than Timeout, and looks again', async () => {
    const bench = new QueueBench({ function: { timeoutSeconds: 60 }, slots: 2 });
    bench.send(1);
    await bench.sim.advance(100_000);
    const message = 'Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds';
    expect(bench.queue.calls.receive).toBe(0);
    expect(bench.ofType('problem')).toEqual([{ type: 'problem', mapping: 'orders', code: 'invalid', message, resolved: false }]);
    expect(bench.queueMapping.status().problem).toBe(message);
    bench.queue.visibilityTimeoutSeconds = 60;
    await bench.sim.advance(60_000);
    expect(bench.ofType('problem').map((event) => event.resolved)).toEqual([false, true]);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('finds a queue that was made again, tells of the trouble once, and asks seldom', async () => {
    const bench = new QueueBench({ slots: 5 });
    await bench.sim.advance(30_000);
    bench.queue.receiveFault = new SourceError('notFound', 'QueueDoesNotExist', 'no such queue');
    const before = bench.queue.calls.receive;
    await bench.sim.advance(300_000);
    expect(bench.queue.calls.receive - before).toBeLessThan(200);
    expect(bench.queue.refreshes).toBeGreaterThan(0);
    expect(bench.ofType('problem')).toMatchObject([{ code: 'notFound', message: 'QueueDoesNotExist: no such queue', resolved: false }]);
    bench.queue.receiveFault = undefined;
    bench.send(1);
    await bench.sim.advance(120_000);
    expect(bench.ofType('problem').map((event) => event.resolved)).toEqual([false, true]);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('votes for more slots while receives come back full, and for fewer when the queue is quiet', async () => {
    const bench = new QueueBench({ slots: 5, invoker: { durationMs: 500 } });
    bench.send(1_000);
    await bench.sim.advance(5_000);
    expect(bench.ofType('scaled')[0]).toMatchObject({ slots: 10 });
    expect((await bench.scale.desired([{ id: '11111111-1111-5111-8111-111111111111', initial: 5 }])).values().next().value).toBeGreaterThan(
      10,
    );
    await bench.sim.advance(3_600_000);
    const wishes = await bench.scale.desired([{ id: '11111111-1111-5111-8111-111111111111', initial: 5 }]);
    expect([...wishes.values()]).toEqual([2]);
    expect(bench.ofType('scaled').at(-1)).toMatchObject({ slots: 2 });
  });
});
