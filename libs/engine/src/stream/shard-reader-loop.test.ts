import { functionError, success } from '@wherry/testkit/fake-invoker';
import { type FaultCode, SourceError } from '@wherry/core/source-error';
import { describe, expect, it } from 'vitest';
import { SHARD, ShardBench, range, sequenceNumberOf } from '../../test-data/shard-bench.ts';

const fault = (code: FaultCode, name = code as string): SourceError => new SourceError(code, name, `GetRecords failed: ${name}`);
const readTimes = (bench: ShardBench, shardId = SHARD): number[] => bench.stream.shard(shardId).reads.map(({ atMs }) => atMs);

describe('pace', () => {
  it('an idle shard is read once a second, a busy one several times, one that is behind as fast as it may be', async () => {
    const bench = new ShardBench();
    await bench.start();
    await bench.pass(10_000);
    expect(readTimes(bench).length).toBeGreaterThanOrEqual(9);
    expect(readTimes(bench).length).toBeLessThanOrEqual(11);
    expect(bench.idleShards.count).toBe(1);
    bench.put([1]);
    await bench.pass(1_500);
    expect(bench.idleShards.count).toBe(0);
    bench.put(range(2, 30_000));
    await bench.pass(3_000);
    expect(await bench.checkpoint()).toBe(30_000);
  });

  it('an idle shard asks for few records, one that is behind for a whole page', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 10_000 } });
    await bench.start();
    await bench.pass(5_000);
    const { reads } = bench.stream.shard(SHARD);
    expect(reads.at(-1)?.maxRecords).toBe(100);
    bench.put(range(1, 5_000));
    await bench.pass(5_000);
    expect(reads.map(({ maxRecords }) => maxRecords)).toContain(10_000);
  });

  it('many idle shards of one mapping get their reads although nothing is known of their records', async () => {
    const bench = new ShardBench();
    const shards = range(1, 100).map((n) => `shardId-${n}`);
    for (const shardId of shards) await bench.start(shardId);
    await bench.pass(20_000);
    for (const shardId of shards) expect(readTimes(bench, shardId).length).toBeGreaterThanOrEqual(15);
  });
});

describe('faults of the source', () => {
  it('LIF-08 a throttled shard backs off, the others do not notice, and nothing is told of trouble', async () => {
    const bench = new ShardBench();
    bench.stream.shard(SHARD).faults.push(...range(1, 5).map(() => fault('throttled', 'ProvisionedThroughputExceededException')));
    await bench.start();
    await bench.start('shardId-1');
    await bench.pass(1_000);
    bench.put([1]);
    bench.put([2], { shard: 'shardId-1' });
    await bench.pass(2_000);
    expect(await bench.checkpoint('shardId-1')).toBe(2);
    await bench.pass(10_000);
    expect(await bench.checkpoint()).toBe(1);
    expect(bench.told('problem')).toEqual([]);
    expect(bench.told('polled').filter(({ outcome }) => outcome === 'throttled')).toHaveLength(5);
  });

  it('LIF-09 access denied and then restored: one problem for all shards, and no retry is spent', async () => {
    const bench = new ShardBench({ mapping: { maximumRetryAttempts: 0 } });
    for (const shardId of [SHARD, 'shardId-1']) {
      bench.stream
        .shard(shardId)
        .faults.push(fault('accessDenied', 'AccessDeniedException'), fault('accessDenied', 'AccessDeniedException'));
      bench.put([1], { shard: shardId });
      await bench.start(shardId);
    }
    await bench.pass(5_000);
    expect(bench.shards.status().problem).toContain('AccessDeniedException');
    await bench.pass(600_000);
    expect(bench.told('problem').map(({ code, resolved }) => [code, resolved])).toEqual([
      ['accessDenied', false],
      ['accessDenied', true],
    ]);
    expect([await bench.checkpoint(), await bench.checkpoint('shardId-1'), bench.shards.status().problem]).toEqual([1, 1, undefined]);
  });

  it('one shard that does not answer is no problem of the mapping, all of them are', async () => {
    const bench = new ShardBench();
    await bench.start();
    await bench.start('shardId-1');
    await bench.pass(3_000);
    bench.stream.shard(SHARD).faults.push(...range(1, 20).map(() => fault('unavailable')));
    await bench.pass(5_000);
    expect(bench.told('problem')).toEqual([]);
    bench.stream.shard('shardId-1').faults.push(...range(1, 4).map(() => fault('unavailable')));
    await bench.pass(2_000);
    expect(bench.told('problem').map(({ resolved }) => resolved)).toEqual([false]);
    await bench.pass(30_000);
    expect(bench.told('problem').map(({ resolved }) => resolved)).toEqual([false, true]);
  });

  it('a stream that is gone is asked for rarely, and read again when it is back', async () => {
    const bench = new ShardBench();
    await bench.start();
    await bench.pass(3_000);
    bench.stream.shard(SHARD).faults.push(...range(1, 3).map(() => fault('notFound', 'ResourceNotFoundException')));
    const before = readTimes(bench).length;
    await bench.pass(6_000);
    expect(readTimes(bench).length - before).toBeLessThanOrEqual(4);
    await bench.pass(60_000);
    bench.put([1]);
    await bench.pass(2_000);
    expect(await bench.checkpoint()).toBe(1);
  });

  it('LIF-06 a position that is trimmed: reading goes on at the oldest record, and it is told', async () => {
    const bench = new ShardBench();
    bench.put(range(1, 9));
    bench.stream.shard(SHARD).trimmedBelow = 6;
    bench.stream.shard(SHARD).faults.push(fault('expired', 'TrimmedDataAccessException'));
    await bench.start(SHARD, sequenceNumberOf(3));
    await bench.pass(10_000);
    expect(bench.trace).toBe('[7,8,9]');
    expect(await bench.checkpoint()).toBe(9);
    expect(bench.told('shards')).toMatchObject([{ change: 'trimmed', shards: [SHARD] }]);
  });

  it('LIF-06 what was read before the position was lost is not read again, so that the checkpoint never falls', async () => {
    const bench = new ShardBench();
    bench.put(range(1, 4));
    await bench.start();
    await bench.pass(3_000);
    bench.stream.shard(SHARD).faults.push(fault('expired', 'TrimmedDataAccessException'));
    bench.put([5]);
    await bench.pass(10_000);
    expect(bench.trace).toBe('[1,2,3,4] [5]');
    expect(bench.told('checkpointed').every(({ result }) => result === 'written')).toBe(true);
  });
});

describe('filters', () => {
  it('FLT-12 all records filtered: the checkpoint moves, nothing is invoked, and not every page is written', async () => {
    const bench = new ShardBench({ matches: () => false });
    await bench.start();
    for (let n = 1; n <= 40; n += 1) {
      bench.put([n]);
      await bench.pass(500);
    }
    await bench.pass(10_000);
    expect([bench.trace, await bench.checkpoint()]).toEqual(['', 40]);
    expect(bench.told('checkpointed').length).toBeLessThanOrEqual(6);
    expect(bench.told('filtered').reduce((sum, { events }) => sum + events, 0)).toBe(40);
    expect(bench.told('checkpointed').reduce((sum, { events = 0 }) => sum + events, 0)).toBe(40);
    expect([bench.bytes.usedBytes, bench.bytes.records]).toEqual([0, 0]);
  });
});

describe('DynamoDB and LATEST', () => {
  const dynamodb = { source: 'dynamodb', eventSourceArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/L' } as const;

  it('a later owner reads from the oldest record and leaves out what came before, which never moves the checkpoint', async () => {
    const bench = new ShardBench({ mapping: dynamodb });
    bench.stream.saysBehind = false;
    const startMs = bench.clock.nowMs();
    const stored = `AT_TIMESTAMP:${startMs}`;
    const first = await bench.start(SHARD, stored);
    await bench.pass(1_000);
    expect(bench.stream.shard(SHARD).opened).toEqual([{ kind: 'LATEST' }]);
    await bench.handOver(first);
    bench.put([1, 2], { atMs: startMs - 3_600_000 });
    await bench.start();
    await bench.pass(10_000);
    expect([bench.trace, await bench.checkpoint(), bench.bytes.usedBytes]).toEqual(['', stored, 0]);
    bench.put([3]);
    await bench.pass(5_000);
    expect([bench.trace, await bench.checkpoint()]).toEqual(['[3]', 3]);
  });
});

describe('memory', () => {
  it('a shard that is stuck holds what it has read, and no more is read; what is dropped comes off the account', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 1 }, answer: () => functionError() });
    bench.put(range(1, 30_000), { bytes: 1_000 });
    const run = await bench.start();
    await bench.pass(60_000);
    expect(bench.bytes.records).toBeGreaterThan(1_000);
    expect(bench.bytes.records).toBeLessThanOrEqual(20_000);
    const reads = readTimes(bench).length;
    await bench.pass(60_000);
    expect(readTimes(bench).length).toBe(reads);
    await bench.handOver(run);
    expect([bench.bytes.usedBytes, bench.bytes.records]).toEqual([0, 0]);
  });

  it('stuck shards leave room for one that is not', async () => {
    const bench = new ShardBench({
      bufferedBytes: 16 * 1_048_576,
      answer: ({ records }) => (records.some((n) => n < 100_000) ? functionError() : success()),
    });
    for (const shardId of ['shardId-1', 'shardId-2', 'shardId-3']) {
      bench.put(range(1, 5_000), { shard: shardId, bytes: 1_000 });
      await bench.start(shardId);
    }
    await bench.pass(60_000);
    bench.put(range(100_001, 101_000), { bytes: 1_000 });
    await bench.start();
    await bench.pass(60_000);
    expect(await bench.checkpoint()).toBe(101_000);
    expect(bench.bytes.usedBytes).toBeLessThanOrEqual(16 * 1_048_576);
  });

  it('a batch that waits for its window goes when there is no memory for more', async () => {
    const bench = new ShardBench({
      bufferedBytes: 8 * 1_048_576,
      mapping: { batchSize: 10_000, maximumBatchingWindowInSeconds: 300 },
    });
    bench.put(range(1, 3_000), { bytes: 1_000 });
    await bench.start();
    await bench.pass(60_000);
    expect(bench.calls.flatMap(({ records }) => records).length).toBeGreaterThan(1_000);
  });
});

it('MET-03 the age of a page, and of the first and last record of a batch when it was invoked', async () => {
  const bench = new ShardBench({ durationMs: 100 });
  const nowMs = bench.clock.nowMs();
  bench.put([1], { atMs: nowMs - 60_000 });
  bench.put([2], { atMs: nowMs - 30_000 });
  await bench.start();
  await bench.pass(5_000);
  const [invoked] = bench.told('invoked');
  const ranAtMs = bench.calls[0]!.atMs - nowMs;
  expect(invoked).toMatchObject({ ageMs: 60_000 + ranAtMs, lastAgeMs: 30_000 + ranAtMs, shard: SHARD, events: 2 });
  expect(bench.told('iteratorAge').at(-1)).toMatchObject({ shard: SHARD, ageMs: 0 });
  expect(bench.shards.status().shards[0]?.behindMs).toBe(0);
});

it('a busy shard comes to weigh more', async () => {
  const bench = new ShardBench({ mapping: { batchSize: 1_000 } });
  const run = await bench.start();
  for (let second = 0; second < 90; second += 1) {
    bench.put(range(second * 300 + 1, second * 300 + 300), { bytes: 1_000 });
    await bench.pass(1_000);
  }
  expect(run.lease.weight).toBe(4);
});
