import { describe, expect, it } from 'vitest';
import type { QueueMessage } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';
import { planSimulation } from '@wherry/testkit/simulation-plan';
import { QueueBench } from './queue-bench.ts';
import { simulate } from './simulate.ts';

const isWanted = (message: QueueMessage): boolean => !message.recordJson.includes('"body":"unwanted"');
const FIFO = { mapping: { fifo: true, batchSize: 1 }, matches: isWanted } as const;

describe('messages that the filters do not match', () => {
  it('are deleted in one pass with no invocation, and leave no bytes on the account', async () => {
    const bench = new QueueBench({ matches: isWanted });
    bench.send(25, 'unwanted');
    await bench.sim.advance(1_000);
    expect(bench.invoker.seen).toEqual([]);
    expect(bench.queue.remaining).toEqual([]);
    expect(bench.queue.calls.delete).toBe(3);
    expect(bench.bytes.records).toBe(0);
  });

  it('are deleted while those around them wait for a function that does not answer', async () => {
    const bench = new QueueBench({ matches: isWanted, invoker: { durationMs: () => 20_000 } });
    const [wanted] = bench.send(1, 'wanted');
    bench.send(9, 'unwanted');
    await bench.sim.advance(1_000);
    expect(bench.queue.remaining.map(({ messageId }) => messageId)).toEqual([wanted]);
    expect(bench.bytes.records).toBe(1);
  });

  it('do not count for BatchSize: the batch is filled with matches from several receives', async () => {
    const bench = new QueueBench({ mapping: { batchSize: 15, maximumBatchingWindowInSeconds: 5 }, matches: isWanted });
    for (let round = 0; round < 15; round += 1) {
      bench.send(2, 'unwanted');
      bench.send(1, 'wanted');
    }
    await bench.sim.advance(1_000);
    expect(bench.batchSizes).toEqual([15]);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('do not block their FIFO group: what stands behind them is delivered at once and in order', async () => {
    const bench = new QueueBench({ ...FIFO, slots: 2 });
    bench.send(12, 'unwanted', 'g1');
    const first = bench.send(2, 'wanted', 'g1');
    bench.send(3, 'unwanted', 'g1');
    const second = bench.send(1, 'wanted', 'g1');
    await bench.sim.advance(1_000);
    expect(bench.invoker.seen.flatMap(({ messageIds }) => messageIds)).toEqual([...first, ...second]);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('keep their FIFO group in its place while they cannot be deleted, then come again and are filtered again', async () => {
    const bench = new QueueBench(FIFO);
    bench.queue.deleteFault = new SourceError('unavailable', 'ServiceUnavailable', 'no deletes now');
    const [stuck] = bench.send(1, 'unwanted', 'g1');
    const behind = bench.send(2, 'wanted', 'g1');
    await bench.sim.advance(15_000);
    expect(bench.invoker.seen).toEqual([]);
    bench.queue.deleteFault = undefined;
    await bench.sim.advance(16_000);
    expect(bench.queue.deletedIds[0]).toBe(stuck);
    expect(bench.invoker.seen.flatMap(({ messageIds }) => messageIds)).toEqual(behind);
    expect(bench.ofType('filtered').map(({ events }) => events)).toEqual([1, 1]);
  });

  it('stay deleted where a match of the same batch fails and comes again', async () => {
    const bench = new QueueBench({
      mapping: { fifo: true },
      matches: isWanted,
      invoker: { answer: () => ({ kind: 'functionError', errorType: 'Error', errorMessage: 'failed', body: new Uint8Array() }) },
    });
    const [wanted] = bench.send(1, 'wanted', 'g1');
    bench.send(2, 'unwanted', 'g1');
    await bench.sim.advance(1_000);
    expect(bench.invoker.seen).toHaveLength(1);
    expect(bench.queue.remaining.map(({ messageId }) => messageId)).toEqual([wanted]);
  });

  it('go back to the queue unjudged when the mapping was changed during their long poll', async () => {
    const bench = new QueueBench({ matches: isWanted });
    await bench.sim.advance(1_000);
    bench.retired.abort();
    const ids = bench.send(2, 'unwanted');
    await bench.sim.advance(1_000);
    expect(bench.slots.map(({ ended }) => ended)).toEqual(['resolved']);
    expect(bench.queue.remaining.map(({ messageId, isVisible }) => [messageId, isVisible])).toEqual(ids.map((id) => [id, true]));
    expect(bench.ofType('filtered')).toEqual([]);
    expect(bench.bytes.records).toBe(0);
  });

  it('are still deleted by a slot that is handed over, because what its last poll brings is dealt with', async () => {
    const bench = new QueueBench({ matches: isWanted });
    await bench.sim.advance(1_000);
    bench.yieldAll();
    bench.send(2, 'unwanted');
    await bench.sim.advance(1_000);
    expect(bench.slots.map(({ ended }) => ended)).toEqual(['resolved']);
    expect(bench.queue.remaining).toEqual([]);
  });

  it('do not pile up without end while deletes hang: receiving pauses', async () => {
    const bench = new QueueBench({ matches: isWanted });
    bench.queue.delete = () => new Promise(() => undefined);
    bench.send(2_000, 'unwanted');
    await bench.sim.advance(20_000);
    expect(bench.queue.remaining.filter(({ isVisible }) => !isVisible)).toHaveLength(1_010);
  });
});

it('a filter that throws loses nothing: all that was received is back in the queue, and the slot tells of it', async () => {
  const bench = new QueueBench({
    matches: () => {
      throw new Error('a filter should not');
    },
  });
  const ids = bench.send(3);
  await bench.sim.advance(1_000);
  expect(bench.slots.map(({ ended, error }) => [ended, String(error)])).toEqual([['rejected', 'Error: a filter should not']]);
  expect(bench.queue.remaining.map(({ messageId, isVisible }) => [messageId, isVisible])).toEqual(ids.map((id) => [id, true]));
  expect(bench.bytes.records).toBe(0);
});

it('in a fleet with faults every message that the filters do not match is deleted or dead-lettered, and none delivered', async () => {
  const plans = Array.from({ length: 60 }, (_, seed) => planSimulation(seed)).filter((plan) =>
    plan.queues.some((queue) => queue.unwantedEvery > 0),
  );
  expect(plans.length).toBeGreaterThan(15);
  for (const plan of plans) {
    const { violation, filtered, deadLettered } = await simulate(plan);
    const unwanted = plan.queues.reduce(
      (sum, queue) => sum + (queue.unwantedEvery === 0 ? 0 : Math.ceil(queue.messages / queue.unwantedEvery)),
      0,
    );
    expect(violation).toBeUndefined();
    expect(filtered).toBeLessThanOrEqual(unwanted);
    expect(filtered).toBeGreaterThanOrEqual(unwanted - deadLettered);
  }
});
