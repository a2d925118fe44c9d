import { functionError, success } from '@wherry/testkit/fake-invoker';
import type { StreamShard } from '@wherry/core/stream-source';
import { StoreError } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import { type BenchOptions, SHARD, ShardBench } from '../../test-data/shard-bench.ts';

const child = (shardId: string, ...parentShardIds: string[]): StreamShard => ({ shardId, parentShardIds, isOpen: true });
const LEFT = child('shardId-1', SHARD);
const RIGHT = child('shardId-2', SHARD);
const BOTH_ENDED = [{ change: 'ended', shards: [SHARD] }];

/** A bench whose register knows the shard, and shards that the stream listed with it. */
async function registered(options: BenchOptions = {}, others: readonly StreamShard[] = []): Promise<ShardBench> {
  const bench = new ShardBench(options);
  const shards = [child(SHARD), ...others];
  bench.stream.listed.push(...shards);
  await bench.leases.create(shards.map(({ shardId }) => ({ id: bench.unit(shardId), checkpoint: 'TRIM_HORIZON', ended: false })));
  const nothing = { missing: [], nowMs: 0, foundAgain: [], retire: [], unregister: [] };
  await bench.streams.change(bench.mapping.uuid, bench.stream.stream, { register: shards, ...nothing });
  return bench;
}

async function rows(bench: ShardBench, ...shardIds: string[]): Promise<(string | undefined)[]> {
  const views = await bench.leases.view([SHARD, ...shardIds].map((shardId) => bench.unit(shardId)));
  return views.map(({ ended, checkpoint }) => (ended ? 'ended' : checkpoint));
}

async function known(bench: ShardBench): Promise<string[]> {
  const [register] = await bench.streams.read([{ id: bench.mapping.uuid }]);
  if (register === undefined || register === 'unchanged') throw new Error('there is no register');
  return register.shards.map(({ shardId }) => shardId);
}

describe('the end of a shard', () => {
  it('the children that the last page names get leases and are registered, then the shard is ended', async () => {
    const bench = await registered();
    bench.put([1]);
    bench.stream.shard(SHARD).end = { childShards: [LEFT, RIGHT] };
    const run = await bench.start();
    await bench.pass(5_000);
    expect([run.isOver, bench.trace]).toEqual([true, '[1]']);
    expect(await rows(bench, 'shardId-1', 'shardId-2')).toEqual(['ended', 'TRIM_HORIZON', 'TRIM_HORIZON']);
    expect(await known(bench)).toEqual([SHARD, 'shardId-1', 'shardId-2']);
    expect(bench.told('shards')).toMatchObject([{ change: 'found', shards: ['shardId-1', 'shardId-2'] }, ...BOTH_ENDED]);
  });

  it('LIF-03 while a batch of it is not terminal it does not end, and its children have no leases', async () => {
    let isBad = true;
    const bench = await registered({ answer: () => (isBad ? functionError() : success()) });
    bench.put([1]);
    bench.stream.shard(SHARD).end = { childShards: [LEFT] };
    await bench.start();
    await bench.pass(60_000);
    expect(await rows(bench, 'shardId-1')).toEqual(['TRIM_HORIZON', undefined]);
    isBad = false;
    await bench.pass(120_000);
    expect(await rows(bench, 'shardId-1')).toEqual(['ended', 'TRIM_HORIZON']);
  });

  it('nothing more can join the last batch, so it does not wait for its window', async () => {
    const bench = await registered({ mapping: { maximumBatchingWindowInSeconds: 300 } });
    bench.put([1]);
    bench.stream.shard(SHARD).end = { childShards: [LEFT] };
    await bench.start();
    await bench.pass(5_000);
    expect(await rows(bench)).toEqual(['ended']);
  });

  it('where the last page names no children the stream is listed', async () => {
    const bench = await registered();
    bench.stream.shard(SHARD).end = {};
    bench.stream.listed.push(LEFT);
    await bench.start();
    await bench.pass(10_000);
    expect(await rows(bench, 'shardId-1')).toEqual(['ended', 'TRIM_HORIZON']);
  });

  it('where none is ever found it ends after a minute, visibly waiting until then', async () => {
    const bench = await registered();
    bench.stream.shard(SHARD).end = {};
    const run = await bench.start();
    await bench.pass(30_000);
    expect(bench.shards.status().shards).toMatchObject([{ state: 'ending' }]);
    expect(await rows(bench)).toEqual(['TRIM_HORIZON']);
    await bench.pass(40_000);
    expect([run.isOver, await rows(bench)]).toEqual([true, ['ended']]);
  });

  it('handed over meanwhile it is not ended, and the next owner ends it', async () => {
    const bench = await registered();
    bench.put([1]);
    bench.stream.shard(SHARD).end = {};
    const first = await bench.start();
    await bench.pass(10_000);
    await bench.handOver(first);
    expect(await rows(bench)).not.toContain('ended');
    bench.stream.shard(SHARD).end = { childShards: [LEFT] };
    await bench.start();
    await bench.pass(10_000);
    expect([bench.trace, await rows(bench, 'shardId-1')]).toEqual(['[1]', ['ended', 'TRIM_HORIZON']]);
  });

  it('a store that does not answer is asked again, and nothing of it is done twice', async () => {
    const bench = await registered();
    bench.stream.shard(SHARD).end = { childShards: [LEFT] };
    const change = bench.streams.change.bind(bench.streams);
    let failures = 3;
    bench.streams.change = (...asked) => ((failures -= 1) >= 0 ? Promise.reject(new StoreError('down')) : change(...asked));
    await bench.start();
    await bench.pass(30_000);
    expect(await rows(bench, 'shardId-1')).toEqual(['ended', 'TRIM_HORIZON']);
    expect(bench.told('shards').map(({ change: what }) => what)).toEqual(['found', 'ended']);
  });

  it('an end that is refused because the lease is somebody else’s is told to nobody', async () => {
    const bench = await registered();
    bench.stream.shard(SHARD).end = { childShards: [LEFT] };
    bench.leases.end = () => Promise.resolve('fenced');
    const run = await bench.start();
    await bench.pass(10_000);
    expect([run.isOver, bench.told('shards').map(({ change }) => change)]).toEqual([true, ['found']]);
  });
});
