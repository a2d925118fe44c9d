import { functionError, success } from '@wherry/testkit/fake-invoker';
import { SourceError } from '@wherry/core/source-error';
import { STREAM_BACKOFF } from '@wherry/core/stream/stream-batch';
import { describe, expect, it } from 'vitest';
import { type Call, SHARD, ShardBench, range, reports } from '../../test-data/shard-bench.ts';

const refuse = (): never => {
  throw new SourceError('accessDenied', 'AccessDenied', 'SendMessage failed');
};
const poison =
  (...bad: readonly number[]) =>
  ({ records }: Call) =>
    records.some((n) => bad.includes(n)) ? functionError() : success();
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const outcomes = (bench: ShardBench): unknown[] => bench.told('destination').map(({ outcome, events }) => [outcome, events]);

describe('what is given up', () => {
  it('is delivered before the checkpoint moves, with all that a document tells', async () => {
    const checkpoints: unknown[] = [];
    const bench = new ShardBench({
      mapping: { maximumRetryAttempts: 0, batchSize: 2, qualifier: 'PROD' },
      answer: poison(1),
      deliver: () => void bench.checkpoint().then((at) => checkpoints.push(at)),
    });
    bench.put([1, 2, 3]);
    await bench.start();
    await bench.pass(5_000);
    expect(checkpoints).toEqual(['TRIM_HORIZON']);
    expect(await bench.checkpoint()).toBe(3);
    const [delivery] = bench.deliveries;
    expect(delivery).toMatchObject({
      origin: { source: 'kinesis', functionArn: expect.stringMatching(/:PROD$/), streamArn: bench.mapping.eventSourceArn, shardId: SHARD },
      failure: { condition: 'RetryAttemptsExhausted', response: { functionError: 'Unhandled', statusCode: 200 } },
    });
    expect(new TextDecoder().decode(delivery?.event())).toBe('{"Records":[{"n":1},{"n":2}]}');
    expect(bench.told('discarded')).toMatchObject([{ condition: 'RetryAttemptsExhausted', events: 2, shard: SHARD }]);
    expect(bench.told('destination')).toMatchObject([
      { destination: 'failed', outcome: 'delivered', events: 2, condition: 'RetryAttemptsExhausted' },
    ]);
  });

  it('MET-01 three failing records with a destination: polled 3, invoked 3, failed 3, delivered 3', async () => {
    const bench = new ShardBench({
      mapping: { maximumRetryAttempts: 0, batchSize: 1 },
      answer: () => functionError(),
      deliver: () => undefined,
    });
    bench.put([1, 2, 3]);
    await bench.start();
    await bench.pass(5_000);
    expect(sum(bench.told('polled').map(({ events }) => events))).toBe(3);
    expect(sum(bench.told('invoked').map(({ events }) => events))).toBe(3);
    expect(sum(bench.told('invoked').map(({ failed }) => failed))).toBe(3);
    expect(outcomes(bench)).toEqual([
      ['delivered', 1],
      ['delivered', 1],
      ['delivered', 1],
    ]);
  });

  it('without a destination is told and dropped, and the shard goes on', async () => {
    const bench = new ShardBench({ mapping: { maximumRetryAttempts: 0 }, answer: poison(1) });
    bench.put([1]);
    await bench.start();
    await bench.pass(5_000);
    expect(bench.told('destination')).toMatchObject([{ destination: 'none', outcome: 'dropped', events: 1 }]);
    expect(await bench.checkpoint()).toBe(1);
  });

  it('STR-16 a destination that refuses, drop: tried five times, then the records are lost and the shard goes on', async () => {
    const bench = new ShardBench({
      mapping: { maximumRetryAttempts: 0, batchSize: 3, onDestinationFailure: 'drop' },
      answer: poison(1),
      deliver: refuse,
    });
    bench.put(range(1, 4));
    await bench.start();
    await bench.pass(60_000);
    expect(outcomes(bench)).toEqual([
      ['failed', 3],
      ['failed', 3],
      ['failed', 3],
      ['failed', 3],
      ['dropped', 3],
    ]);
    expect(await bench.checkpoint()).toBe(4);
  });

  it('a destination that refuses, block: the lane waits, visibly, with the same delivery, until it is taken', async () => {
    let isUp = false;
    const ids = new Set<string>();
    const bench = new ShardBench({
      mapping: { maximumRetryAttempts: 0, batchSize: 1 },
      answer: poison(1),
      deliver: ({ id }) => {
        ids.add(id);
        if (!isUp) refuse();
      },
    });
    bench.put([1, 2]);
    await bench.start();
    await bench.pass(600_000);
    expect([bench.trace, await bench.checkpoint()]).toEqual(['[1]', 'TRIM_HORIZON']);
    expect(bench.shards.status().shards[0]).toMatchObject({
      state: 'blocked',
      blocked: [{ reason: 'destination', error: 'AccessDenied: SendMessage failed' }],
    });
    isUp = true;
    await bench.pass(120_000);
    expect([bench.trace, await bench.checkpoint(), ids.size]).toEqual(['[1] [2]', 2, 1]);
    expect(bench.told('blocked').at(-1)).toMatchObject({ reason: 'destination', attempts: 0 });
    expect(bench.told('discarded')).toHaveLength(1);
  });

  it('a run that stops meanwhile gives nothing up: the next owner has the records again', async () => {
    const bench = new ShardBench({ mapping: { maximumRetryAttempts: 0 }, answer: poison(1), deliver: refuse });
    bench.put([1]);
    const run = await bench.start();
    await bench.pass(30_000);
    await bench.handOver(run);
    expect(await bench.checkpoint()).toBe('TRIM_HORIZON');
    await bench.start();
    await bench.pass(5_000);
    expect(bench.trace).toBe('[1] [1]');
  });
});

describe('records that grow too old', () => {
  it('STR-11 endless retries, an age of 60 s: about eight attempts, no response in the document', async () => {
    const bench = new ShardBench({
      mapping: { maximumRecordAgeInSeconds: 60 },
      answer: poison(1),
      deliver: () => undefined,
      random: () => 0.999_999,
    });
    bench.put([1]);
    await bench.start();
    await bench.pass(120_000);
    expect(bench.deliveries.map(({ failure }) => [failure.condition, failure.approximateInvokeCount, failure.response])).toEqual([
      ['RecordAgeExceeded', bench.calls.length, undefined],
    ]);
    expect(bench.calls.length).toBeGreaterThanOrEqual(7);
    expect(bench.calls.length).toBeLessThanOrEqual(9);
    expect(STREAM_BACKOFF.firstMs).toBe(250);
    expect(await bench.checkpoint()).toBe(1);
  });

  it('STR-12 one expired and five fresh ones: a document for the one, the five are delivered', async () => {
    const bench = new ShardBench({ mapping: { maximumRecordAgeInSeconds: 60, maximumRetryAttempts: 0 }, deliver: () => undefined });
    bench.put([1], { atMs: bench.clock.nowMs() - 120_000 });
    bench.put(range(2, 6));
    await bench.start();
    await bench.pass(5_000);
    expect(bench.trace).toBe('[2,3,4,5,6]');
    expect(bench.deliveries.map(({ failure }) => [failure.records.length, failure.approximateInvokeCount])).toEqual([[1, 1]]);
  });

  it('are given up while their batch waits for its window, and the others wait on', async () => {
    const bench = new ShardBench({
      mapping: { maximumRecordAgeInSeconds: 60, maximumBatchingWindowInSeconds: 100 },
      deliver: () => undefined,
    });
    bench.put([1], { atMs: bench.clock.nowMs() - 30_000 });
    bench.put([2]);
    await bench.start();
    await bench.pass(35_000);
    expect([bench.trace, bench.deliveries.length, await bench.checkpoint()]).toEqual(['', 1, 1]);
  });

  it('are given up while their batch waits for the right to be invoked', async () => {
    const bench = new ShardBench({ mapping: { maximumRecordAgeInSeconds: 60 }, deliver: () => undefined });
    bench.inFlight.resize(0);
    bench.put([1]);
    await bench.start();
    await bench.pass(70_000);
    expect([bench.trace, bench.deliveries.length, await bench.checkpoint()]).toEqual(['', 1, 1]);
  });
});

describe('partial batch responses', () => {
  it('STR-05 six records, size 3, 3 retries, the last one fails by its id: it is delivered five times, the document says 4', async () => {
    const bench = new ShardBench({
      mapping: { batchSize: 3, maximumRetryAttempts: 3, reportBatchItemFailures: true },
      answer: ({ records }) => (records.includes(6) ? reports(6) : success()),
      deliver: () => undefined,
    });
    bench.put(range(1, 6));
    await bench.start();
    await bench.pass(60_000);
    expect(bench.calls.filter(({ records }) => records.includes(6))).toHaveLength(5);
    expect(bench.deliveries.map(({ failure }) => [failure.approximateInvokeCount, failure.response?.functionError])).toEqual([[4, null]]);
  });

  it.each(['', '[]', 'null', '{}', '{"batchItemFailures":[]}', '{"batchItemFailures":null}', '""'])(
    'STR-06 %j is a success',
    async (body) => {
      const bench = new ShardBench({ mapping: { maximumRetryAttempts: 2, reportBatchItemFailures: true }, answer: () => success(body) });
      bench.put([1]);
      await bench.start();
      await bench.pass(10_000);
      expect([bench.calls.length, await bench.checkpoint()]).toEqual([1, 1]);
    },
  );

  it.each([
    '{"itemIdentifier":""}',
    '{"itemIdentifier":null}',
    '{"foo":123}',
    '{"foo":null}',
    '{"itemIdentifier":"99"}',
    '{"itemIdentifier":123}',
    '{}',
  ])('STR-07 %s fails the whole batch: three deliveries with 2 retries, then a document', async (entry) => {
    const bench = new ShardBench({
      mapping: { maximumRetryAttempts: 2, reportBatchItemFailures: true },
      answer: () => success(`{"batchItemFailures":[${entry}]}`),
      deliver: () => undefined,
    });
    bench.put([1]);
    await bench.start();
    await bench.pass(10_000);
    expect([bench.calls.length, bench.deliveries.length]).toEqual([3, 1]);
  });

  it('STR-08 the lowest of two failed ids counts, whatever their order', async () => {
    const bench = new ShardBench({
      mapping: { reportBatchItemFailures: true },
      answer: (_, index) => (index === 0 ? reports(4, 3) : success()),
    });
    bench.put(range(1, 5));
    await bench.start();
    await bench.pass(10_000);
    expect(bench.trace).toBe('[1,2,3,4,5] [3,4,5]');
  });
});
