import { functionError, success } from '@wherry/testkit/fake-invoker';
import { describe, expect, it } from 'vitest';
import { BenchLease, SHARD, ShardBench, range } from '../../test-data/shard-bench.ts';

describe('a shard under its lease', () => {
  it('goes on after the checkpoint of the owner before', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 2 } });
    bench.put(range(1, 4));
    await bench.handOver(await startAndPass(bench, 5_000));
    bench.put([5, 6]);
    const next = await startAndPass(bench, 5_000);
    expect(bench.trace).toBe('[1,2] [3,4] [5,6]');
    expect(bench.calls[2]?.request.delivery.epoch).toBe(next.lease.epoch);
    expect(bench.stream.shard(SHARD).opened[1]).toMatchObject({ kind: 'AFTER_SEQUENCE_NUMBER' });
  });

  it('is not read without a checkpoint, and the lease is given back at once', async () => {
    const bench = new ShardBench();
    bench.put([1]);
    const run = bench.run(new BenchLease(bench.unit(), 1, undefined, ''));
    await bench.pass(5_000);
    expect([run.isOver, bench.trace, bench.stream.shard(SHARD).opened.length]).toEqual([true, '', 0]);
  });

  it('is not read from a checkpoint that cannot be read, until its lease ends', async () => {
    const bench = new ShardBench();
    bench.put([1]);
    const run = bench.run(new BenchLease(bench.unit(), 1, 'LATEST?', ''));
    await bench.pass(60_000);
    expect([run.isOver, bench.trace]).toEqual([false, '']);
    expect(bench.told('shards')).toMatchObject([{ change: 'damaged', shards: [SHARD] }]);
    expect(bench.shards.status().shards).toMatchObject([{ state: 'damaged' }]);
    run.lease.yielding.abort();
    await bench.pass(0);
    expect(run.isOver).toBe(true);
  });
});

async function startAndPass(bench: ShardBench, ms: number) {
  const run = await bench.start();
  await bench.pass(ms);
  return run;
}

describe('a run that is told to stop', () => {
  const stops = {
    yielded: (run: Awaited<ReturnType<ShardBench['start']>>) => run.lease.yielding.abort(),
    retired: (run: Awaited<ReturnType<ShardBench['start']>>) => run.retired.abort(),
  };

  it.each(Object.entries(stops))('%s: finishes and checkpoints the batch that runs, and begins no other', async (_, stop) => {
    const bench = new ShardBench({ mapping: { batchSize: 2 }, durationMs: 5_000 });
    bench.put(range(1, 10));
    const run = await bench.start();
    await bench.pass(3_000);
    stop(run);
    await bench.pass(1_000);
    expect([run.isOver, bench.trace]).toEqual([false, '[1,2]']);
    const [view] = await bench.leases.view([bench.unit()]);
    expect(view?.note).toContain('draining');
    await bench.pass(2_000);
    expect([run.isOver, bench.trace, await bench.checkpoint()]).toEqual([true, '[1,2]', 2]);
    expect(bench.bytes.usedBytes).toBe(0);
  });

  it('does not go on with the retries of a poison batch, nor with the other half of one that was split', async () => {
    const bench = new ShardBench({
      mapping: { bisectBatchOnFunctionError: true },
      answer: ({ records }) => (records.includes(3) ? functionError() : success()),
    });
    bench.put([1, 2, 3, 4]);
    const run = await startAndPass(bench, 5_000);
    run.lease.yielding.abort();
    await bench.pass(1_000);
    expect([run.isOver, await bench.checkpoint()]).toEqual([true, 2]);
    expect(bench.calls.slice(0, 4).map(({ records }) => records)).toEqual([[1, 2, 3, 4], [1, 2], [3, 4], [3]]);
  });

  it('writes what was only filtered before it ends', async () => {
    const bench = new ShardBench({ matches: () => false });
    const run = await startAndPass(bench, 1_000);
    bench.put([1, 2, 3]);
    await bench.pass(1_500);
    run.lease.yielding.abort();
    await bench.pass(100);
    expect([run.isOver, await bench.checkpoint()]).toEqual([true, 3]);
  });

  it('killed: the invocation is abandoned, and nothing is written', async () => {
    const bench = new ShardBench({ durationMs: 5_000 });
    bench.put([1, 2]);
    const run = await startAndPass(bench, 3_000);
    bench.kill.abort();
    await bench.pass(100);
    expect([run.isOver, await bench.checkpoint(), bench.told('invoked')]).toEqual([true, 'TRIM_HORIZON', []]);
  });
});

describe('a lease that is not ours any more', () => {
  it('LIF-10 stolen while the function runs: the old owner writes no checkpoint, and begins nothing', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 2 }, durationMs: 5_000 });
    bench.put(range(1, 4));
    const run = await startAndPass(bench, 3_000);
    await bench.leases.reposition([{ id: bench.unit(), checkpoint: 'TRIM_HORIZON', ended: false }]);
    await bench.pass(5_000);
    expect([run.isOver, bench.trace, await bench.checkpoint()]).toEqual([true, '[1,2]', 'TRIM_HORIZON']);
    expect(bench.told('checkpointed').map(({ result }) => result)).toEqual(['fenced']);
  });

  it('lost while the function runs: the answer is told, and nothing is written', async () => {
    const bench = new ShardBench({ durationMs: 5_000 });
    bench.put([1]);
    const run = await startAndPass(bench, 3_000);
    run.lease.losing.abort();
    await bench.pass(5_000);
    expect([run.isOver, bench.told('invoked').length, bench.told('checkpointed').length]).toEqual([true, 1, 0]);
    expect(await bench.checkpoint()).toBe('TRIM_HORIZON');
  });

  it('not valid by our own clock: no invocation, no write, and the run ends', async () => {
    const bench = new ShardBench({ mapping: { batchSize: 1 }, durationMs: 1_000 });
    bench.put([1, 2]);
    const run = await bench.start();
    await bench.pass(1_000);
    run.lease.isGood = false;
    await bench.pass(5_000);
    expect([run.isOver, bench.trace, await bench.checkpoint()]).toEqual([true, '[1]', 'TRIM_HORIZON']);
  });

  it('not valid: a record that is to be given up reaches no destination', async () => {
    const bench = new ShardBench({
      mapping: { maximumRetryAttempts: 0 },
      durationMs: 1_000,
      answer: () => functionError(),
      deliver: () => undefined,
    });
    bench.put([1]);
    const run = await bench.start();
    await bench.pass(1_000);
    run.lease.isGood = false;
    await bench.pass(5_000);
    expect([run.isOver, bench.deliveries.length, bench.told('discarded').length]).toEqual([true, 0, 0]);
  });
});

it('a loop that breaks ends the others, writes nothing more, and is told to the caller', async () => {
  const bench = new ShardBench({
    matches: () => {
      throw new Error('a bug');
    },
  });
  bench.put([1]);
  const run = await bench.start();
  const ended = expect(run.ended).rejects.toThrow('a bug');
  await bench.pass(5_000);
  await ended;
  expect([bench.bytes.usedBytes, await bench.checkpoint(), bench.idleShards.count]).toEqual([0, 'TRIM_HORIZON', 0]);
});
