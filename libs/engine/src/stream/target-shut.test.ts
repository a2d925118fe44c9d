import { success, throttled, unavailable } from '@wherry/testkit/fake-invoker';
import { expect, it } from 'vitest';
import { SHARD, ShardBench, range } from '../../test-data/shard-bench.ts';

const readsOf = (bench: ShardBench, shardId = SHARD): number => bench.stream.shard(shardId).reads.length;

it('while the target is shut a shard that holds records reads no more, and its probe goes through a lane', async () => {
  let isDown = true;
  const bench = new ShardBench({ mapping: { batchSize: 10 }, answer: () => (isDown ? unavailable() : success()) });
  bench.put(range(1, 2_000));
  await bench.start();
  await bench.pass(60_000);
  expect(bench.gate.status().state).toBe('open');
  const reads = readsOf(bench);
  const calls = bench.calls.length;
  await bench.pass(60_000);
  expect(readsOf(bench)).toBe(reads);
  expect(bench.calls.length - calls).toBeLessThanOrEqual(12);
  expect(bench.told('gate').some(({ state }) => state === 'probing')).toBe(true);
  isDown = false;
  await bench.pass(180_000);
  expect(await bench.checkpoint()).toBe(2_000);
  expect(bench.deliveries).toEqual([]);
});

it('MET-02 throttled twice and then fine: polled 1, invoked 3, failed 2, and the attempts are numbered', async () => {
  const bench = new ShardBench({ mapping: { maximumRetryAttempts: 0 }, answer: (_, index) => (index < 2 ? throttled() : success()) });
  bench.put([1]);
  await bench.start();
  await bench.pass(60_000);
  expect(bench.told('polled').reduce((sum, { events }) => sum + events, 0)).toBe(1);
  expect(bench.told('invoked').map(({ outcome, failed, attempt }) => [outcome, failed, attempt])).toEqual([
    ['throttled', 1, 1],
    ['throttled', 1, 2],
    ['success', 0, 3],
  ]);
  expect(await bench.checkpoint()).toBe(1);
});

it('Retry-After is honoured', async () => {
  const bench = new ShardBench({ answer: (_, index) => (index === 0 ? throttled(30_000) : success()) });
  bench.put([1]);
  await bench.start();
  await bench.pass(60_000);
  expect(bench.calls).toHaveLength(2);
  expect(bench.calls[1]!.atMs - bench.calls[0]!.atMs).toBeGreaterThanOrEqual(30_000);
});

it('ReservedConcurrentExecutions 1: the lanes of all shards take turns', async () => {
  const bench = new ShardBench({
    mapping: { parallelizationFactor: 4, batchSize: 5 },
    function: { reservedConcurrentExecutions: 1 },
    durationMs: 50,
  });
  for (const shardId of ['shardId-1', 'shardId-2']) {
    bench.put(range(1, 200), { shard: shardId, key: (n) => `key-${n}` });
    await bench.start(shardId);
  }
  await bench.pass(120_000);
  expect(bench.peak).toBe(1);
  expect([await bench.checkpoint('shardId-1'), await bench.checkpoint('shardId-2')]).toEqual([200, 200]);
});

it('a record that is too large for the target alone spends its retries, several are halved whatever the settings say', async () => {
  const bench = new ShardBench({
    mapping: { maximumRetryAttempts: 1 },
    answer: ({ records }) => (records.length > 1 || records[0] === 3 ? { kind: 'tooLarge', reason: '413' } : success()),
    deliver: () => undefined,
  });
  bench.put([1, 2, 3]);
  await bench.start();
  await bench.pass(30_000);
  expect(bench.trace).toBe('[1,2,3] [1] [2,3] [2] [3] [3]');
  expect(bench.told('invoked').map(({ isBisected }) => isBisected === true)).toEqual([true, false, true, false, false, false]);
  expect(bench.deliveries).toHaveLength(1);
});
