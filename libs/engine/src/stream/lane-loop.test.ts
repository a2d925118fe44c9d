import { functionError, success } from '@wherry/testkit/fake-invoker';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { laneOf } from '@wherry/core/stream/lanes';
import { describe, expect, it } from 'vitest';
import { type Call, ShardBench, range } from '../../test-data/shard-bench.ts';

const MIB = 1_048_576;
const keyOf = (n: number): string => `key-${n % 50}`;
/** A key of each of two lanes. */
const [POISON, FINE] = [0, 1].map((lane) => ['a', 'b', 'c', 'd', 'e', 'f'].find((key) => laneOf(key, 2) === lane)!) as [string, string];
const alternating = (n: number): string => (n % 2 === 1 ? POISON : FINE);

describe('a batch goes', () => {
  it('BAT-01 size 2, window 5 s, five records: two full batches at once, the last one after the window', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 2, maximumBatchingWindowInSeconds: 5 } });
    bench.put(range(1, 5));
    await bench.start();
    await bench.pass(10_000);
    expect(bench.trace).toBe('[1,2] [3,4] [5]');
    const [first, second, third] = bench.calls.map(({ atMs }) => atMs);
    expect(second! - first!).toBeLessThan(50);
    expect(third! - first!).toBe(5_000);
  });

  it('BAT-04 before its event is larger than 6 MiB', async () => {
    const bench = new ShardBench();
    bench.put(range(1, 5), { bytes: 2 * MIB });
    await bench.start();
    await bench.pass(5_000);
    expect(bench.trace).toBe('[1,2] [3,4] [5]');
  });

  it.each([
    [0, 1],
    [2, 3],
  ])(
    'BAT-05 without a record of more than 6 MiB: %i retries, the document says %i, the next record is delivered',
    async (retries, count) => {
      const bench = new ShardBench({ mapping: { maximumRetryAttempts: retries }, deliver: () => undefined });
      bench.put([1], { bytes: 7 * MIB });
      bench.put([2]);
      await bench.start();
      await bench.pass(5_000);
      expect(bench.trace).toBe('[2]');
      expect(bench.deliveries.map(({ failure }) => [failure.approximateInvokeCount, failure.response])).toEqual([[count, undefined]]);
      expect(await bench.checkpoint()).toBe(2);
    },
  );

  it('BAT-06 at once with what one read brought, where there is no window', async () => {
    const bench = new ShardBench();
    await bench.start();
    await bench.pass(2_000);
    bench.put([1]);
    await bench.pass(1_000);
    expect(bench.trace).toBe('[1]');
  });

  it('BAT-07 with matching records alone: of ten, nine are filtered, and the window begins with the one', async () => {
    const bench = new ShardBench({
      mapping: { batchSize: 10, maximumBatchingWindowInSeconds: 5 },
      matches: (record) => record.recordJson === '{"n":7}',
    });
    bench.put(range(1, 10));
    await bench.start();
    await bench.pass(4_000);
    expect(bench.trace).toBe('');
    await bench.pass(3_000);
    expect(bench.trace).toBe('[7]');
    expect(await bench.checkpoint()).toBe(10);
    expect(bench.told('filtered').map(({ events }) => events)).toEqual([9]);
  });

  it('from successive pages, where one is smaller than the batch', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 2_500, maximumBatchingWindowInSeconds: 60 } });
    bench.put(range(1, 2_600));
    await bench.start();
    await bench.pass(10_000);
    expect(bench.calls.map(({ records }) => records.length)).toEqual([2_500]);
  });

  it('while the one before runs the next is gathered, and it waits until the checkpoint of that one is written', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 2 }, durationMs: 3_000 });
    bench.put(range(1, 4));
    await bench.start();
    const write = bench.leases.checkpoint.bind(bench.leases);
    const atMs: number[] = [];
    bench.leases.checkpoint = async (...asked) => {
      await bench.clock.sleep(700);
      atMs.push(bench.clock.monotonicMs());
      return await write(...asked);
    };
    await bench.pass(10_000);
    expect(bench.trace).toBe('[1,2] [3,4]');
    expect(bench.calls[1]!.atMs).toBe(bench.calls[0]!.atMs + 3_700);
    expect(atMs[0]).toBe(bench.calls[1]!.atMs);
  });
});

describe('ParallelizationFactor', () => {
  it('STR-17 a poison record blocks its lane alone: the other lane and the other shard go on, the checkpoint of the shard waits', async () => {
    const bench = new ShardBench({
      mapping: { parallelizationFactor: 2, batchSize: 1 },
      answer: ({ records }) => (records.includes(2) ? functionError() : success()),
    });
    bench.put([1], { key: () => FINE });
    bench.put([2], { key: () => POISON });
    bench.put(range(3, 6), { key: () => FINE });
    bench.put([11, 12], { shard: 'shardId-1' });
    await bench.start();
    await bench.start('shardId-1');
    await bench.pass(20_000);
    const done = bench.calls.flatMap(({ records }) => records).filter((n) => n !== 2);
    expect(done.toSorted((a, b) => a - b)).toEqual([1, 3, 4, 5, 6, 11, 12]);
    expect(await bench.checkpoint()).toBe(1);
    expect(await bench.checkpoint('shardId-1')).toBe(12);
    const [status] = bench.shards.status().shards;
    expect(status).toMatchObject({ state: 'blocked', lanes: 2, bufferedEvents: 1, inFlight: 0 });
    expect(status?.blocked).toMatchObject([{ lane: 0, reason: 'functionError', error: 'Error' }]);
    const [view] = await bench.leases.view([bench.unit()]);
    expect(JSON.parse(view!.note)).toMatchObject({ state: 'blocked', lane: 0, reason: 'functionError' });
  });

  it('STR-17 a lane that goes on again says so, and takes back the note', async () => {
    const bench = new ShardBench({ answer: (_, index) => (index < 4 ? functionError() : success()) });
    bench.put([1]);
    await bench.start();
    await bench.pass(60_000);
    expect(bench.told('blocked').map(({ attempts }) => attempts)).toEqual([1, 2, 3, 4, 0]);
    const [view] = await bench.leases.view([bench.unit()]);
    expect(view?.note).toBe('');
  });

  it('STR-18 a factor of 4, 1,000 records over 50 keys: order per key, at most 4 at a time', async () => {
    const random = seededRandom(7);
    const bench = new ShardBench({
      mapping: { parallelizationFactor: 4, batchSize: 10 },
      durationMs: () => Math.floor(random() * 500),
      answer: () => (random() < 0.1 ? functionError() : success()),
    });
    bench.put(range(1, 1_000), { key: keyOf });
    await bench.start();
    await bench.pass(600_000);
    expect(bench.peak).toBe(4);
    const lastOf = new Map<string, number>();
    for (const { records } of bench.calls) {
      for (const n of records) {
        // A repeat of the batch begins with a record that came before; a record that is skipped would be seen here.
        expect(n).toBeLessThanOrEqual((lastOf.get(keyOf(n)) ?? ((n - 1) % 50) - 49) + 50);
        lastOf.set(keyOf(n), n);
      }
    }
    expect(await bench.checkpoint()).toBe(1_000);
    expect(bench.bytes.usedBytes).toBe(0);
  });

  it('STR-19 after a crash with one lane ahead of the other reading goes on at the watermark, and nothing is lost', async () => {
    let isBad = true;
    const bench = new ShardBench({
      mapping: { parallelizationFactor: 2, batchSize: 1 },
      answer: ({ records }) => (isBad && records.includes(2) ? functionError() : success()),
    });
    bench.put([1, 2, 3, 4], { key: (n) => (n === 2 ? POISON : FINE) });
    const first = await bench.start();
    await bench.pass(10_000);
    expect(await bench.checkpoint()).toBe(1);
    await bench.crash(first);
    isBad = false;
    bench.calls.length = 0;
    await bench.start();
    await bench.pass(10_000);
    expect(bench.calls.flatMap(({ records }) => records).toSorted((a, b) => a - b)).toEqual([2, 3, 4]);
    expect(await bench.checkpoint()).toBe(4);
  });

  it('a lane does not wait for its window while the reader can bring nothing more', async () => {
    const bench = new ShardBench({
      mapping: { parallelizationFactor: 2, batchSize: 10_000, maximumBatchingWindowInSeconds: 300 },
      answer: ({ records }) => (records.includes(1) ? functionError() : success()),
    });
    bench.put(range(1, 45_000), { key: (n) => (n === 1 ? POISON : FINE) });
    await bench.start();
    await bench.pass(60_000);
    expect(bench.calls.flatMap(({ records }) => records).length).toBeGreaterThan(20_000);
  });
});

describe('a run with several lanes that is told to stop', () => {
  const slowLane = { durationMs: ({ records }: Call) => (records.some((n) => n % 2 === 1) ? 3_000 : 0) };

  it('lets lanes that are behind catch up with those that are ahead, so that nothing is delivered twice', async () => {
    const bench = new ShardBench({ mapping: { parallelizationFactor: 2, batchSize: 1 }, ...slowLane });
    bench.put(range(1, 6), { key: alternating });
    const run = await bench.start();
    await bench.pass(2_000);
    bench.put(range(7, 20), { key: alternating });
    run.lease.yielding.abort();
    await bench.pass(20_000);
    expect([run.isOver, await bench.checkpoint()]).toEqual([true, 6]);
    expect(bench.calls.flatMap(({ records }) => records).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('does not do so behind a batch that fails, and not for long', async () => {
    const failing = new ShardBench({
      mapping: { parallelizationFactor: 2, batchSize: 1 },
      answer: ({ records }) => (records.includes(1) ? functionError() : success()),
    });
    failing.put(range(1, 6), { key: alternating });
    const run = await failing.start();
    await failing.pass(5_000);
    run.lease.yielding.abort();
    await failing.pass(100);
    expect([run.isOver, await failing.checkpoint()]).toEqual([true, 'TRIM_HORIZON']);

    const slow = new ShardBench({ mapping: { parallelizationFactor: 2, batchSize: 1 }, ...slowLane });
    slow.put(range(1, 100), { key: alternating });
    const other = await slow.start();
    await slow.pass(2_000);
    other.lease.yielding.abort();
    await slow.pass(25_000);
    expect(other.isOver).toBe(true);
  });
});
