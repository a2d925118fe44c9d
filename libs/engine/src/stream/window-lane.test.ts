import { type ScriptedResult, functionError, success } from '@wherry/testkit/fake-invoker';
import { describe, expect, it } from 'vitest';
import { type BenchOptions, type Call, SHARD, ShardBench } from '../../test-data/shard-bench.ts';

interface State {
  readonly count?: number;
}
const stateOf = ({ event }: Call): State => event['state'] as State;
const counted = (call: Call): ScriptedResult => success({ state: { count: (stateOf(call).count ?? 0) + call.records.length } });

function windowed(options: BenchOptions = {}): ShardBench {
  return new ShardBench({ answer: counted, ...options, mapping: { tumblingWindowInSeconds: 10, ...options.mapping } });
}

/** `[1,2] {} final` of each call. */
const told = ({ calls }: ShardBench): string[] =>
  calls.map(({ records, event }) => {
    const flags = `${event['isFinalInvokeForWindow'] === true ? ' final' : ''}${event['isWindowTerminatedEarly'] === true ? ' early' : ''}`;
    const text = event['state'] === undefined ? '' : ` ${JSON.stringify(event['state'])}`;
    return `[${records.join(',')}]${text.length > 100 ? ' large' : text}${flags}`;
  });

/** The beginning of a window a moment ago. */
const windowStart = (bench: ShardBench): number => Math.floor(bench.clock.nowMs() / 10_000) * 10_000;

const storedWindow = async (bench: ShardBench): Promise<string> => {
  const taken = await bench.leases.acquire(bench.unit(), 'poller-1', 1_000_000);
  return taken.kind === 'acquired' ? taken.window : taken.kind;
};

describe('tumbling windows, through the loop', () => {
  it('WIN-01 the second batch of a window carries the state of the first, which is stored with the checkpoint', async () => {
    const bench = windowed({ mapping: { batchSize: 2 } });
    bench.put([1, 2, 3]);
    await bench.start();
    await bench.pass(2_000);
    expect(told(bench)).toEqual(['[1,2] {}', '[3] {"count":2}']);
    expect(bench.calls[0]?.event).toMatchObject({ shardId: SHARD, eventSourceARN: bench.mapping.eventSourceArn });
    const start = windowStart(bench);
    expect(await storedWindow(bench)).toBe(`{"startMs":${start},"endMs":${start + 10_000},"state":{"count":3}}`);
    expect(await bench.checkpoint()).toBe(3);
  });

  it('WIN-02 a record of the next window brings the last call, and the new window begins with {}', async () => {
    const bench = windowed();
    bench.put([1, 2]);
    await bench.start();
    await bench.pass(11_000);
    bench.put([3]);
    await bench.pass(2_000);
    expect(told(bench)).toEqual(['[1,2] {}', '[] {"count":2} final', '[3] {}']);
  });

  it.each([true, false])(
    'WIN-03 without more records the last call comes within 120 s of its end (the source says it is at the tip: %s)',
    async (says) => {
      const bench = windowed();
      bench.stream.saysBehind = says;
      bench.put([1]);
      await bench.start();
      const endMs = windowStart(bench) + 10_000;
      await bench.pass(10_000 + 100_000);
      expect(bench.calls).toHaveLength(1);
      await bench.pass(endMs + 121_000 - bench.clock.nowMs());
      expect(told(bench)).toEqual(['[1] {}', '[] {"count":1} final']);
      expect(await storedWindow(bench)).toBe('');
    },
  );

  it('WIN-04 an answer without state is a failure, and the same state goes along again', async () => {
    const bench = windowed({ mapping: { batchSize: 1 }, answer: (call) => (bench.calls.length === 2 ? success({}) : counted(call)) });
    bench.put([1, 2]);
    await bench.start();
    await bench.pass(5_000);
    expect(told(bench)).toEqual(['[1] {}', '[2] {"count":1}', '[2] {"count":1}']);
    expect(bench.calls[1]?.request.requestId).toBe(bench.calls[2]?.request.requestId);
  });

  it('WIN-05 a state of more than 1 MB ends its window early, before the checkpoint of its records is written', async () => {
    const large = { text: 'x'.repeat(1_100_000) };
    const bench = windowed({ answer: (call) => (call.records[0] === 1 ? success({ state: large }) : counted(call)) });
    const checkpoints: unknown[] = [];
    const write = bench.leases.checkpoint.bind(bench.leases);
    bench.leases.checkpoint = (...asked) => {
      checkpoints.push(bench.calls.length);
      return write(...asked);
    };
    bench.put([1]);
    await bench.start();
    await bench.pass(2_000);
    bench.put([2]);
    await bench.pass(2_000);
    expect(told(bench)).toEqual(['[1] {}', '[] large final early', '[2] {}']);
    expect(checkpoints[0]).toBe(2);
  });

  it('WIN-06 a last call that fails until its retries are spent goes to the destination, and the shard moves on', async () => {
    const bench = windowed({
      mapping: { maximumRetryAttempts: 1 },
      answer: (call) => (call.records.length === 0 ? functionError() : counted(call)),
      deliver: () => undefined,
    });
    bench.put([1]);
    await bench.start();
    await bench.pass(11_000);
    bench.put([2]);
    await bench.pass(5_000);
    expect(told(bench)).toEqual(['[1] {}', '[] {"count":1} final', '[] {"count":1} final', '[2] {}']);
    const [delivery] = bench.deliveries;
    expect(delivery?.failure.records).toEqual([]);
    expect(delivery?.origin.window).toMatchObject({ isFinalInvokeForWindow: true, isWindowTerminatedEarly: false });
    expect(JSON.parse(new TextDecoder().decode(delivery?.event()))).toMatchObject({ Records: [], state: { count: 1 } });
  });

  it('WIN-07 records of two windows in one page are two batches', async () => {
    const bench = windowed();
    const start = windowStart(bench);
    bench.put([1, 2], { atMs: start - 5_000 });
    bench.put([3, 4], { atMs: start });
    await bench.start();
    await bench.pass(2_000);
    expect(told(bench)).toEqual(['[1,2] {}', '[] {"count":2} final', '[3,4] {}']);
  });

  it('WIN-08 a shard that ends inside a window makes its last call before it is ended', async () => {
    const bench = windowed();
    const shards = [{ shardId: SHARD, parentShardIds: [] }];
    const nothing = { missing: [], nowMs: 0, foundAgain: [], retire: [], unregister: [] };
    await bench.streams.change(bench.mapping.uuid, bench.stream.stream, { register: shards, ...nothing });
    bench.put([1]);
    bench.stream.shard(SHARD).end = { childShards: [{ shardId: 'shardId-1', parentShardIds: [SHARD], isOpen: true }] };
    const run = await bench.start();
    await bench.pass(5_000);
    expect(told(bench)).toEqual(['[1] {}', '[] {"count":1} final']);
    expect(run.isOver).toBe(true);
    expect(bench.told('shards').at(-1)).toMatchObject({ change: 'ended' });
  });

  it('WIN-09 after a crash between invocation and checkpoint the batch comes again with the older state', async () => {
    const bench = windowed({ mapping: { batchSize: 1 }, durationMs: 500 });
    bench.put([1, 2]);
    const first = await bench.start();
    await bench.pass(1_300);
    expect(bench.calls).toHaveLength(2);
    await bench.crash(first);
    await bench.pass(1_000);
    await bench.start();
    await bench.pass(3_000);
    expect(told(bench)).toEqual(['[1] {}', '[2] {"count":1}', '[2] {"count":1}']);
  });

  it('a hand-over takes the open window along', async () => {
    const bench = windowed();
    bench.put([1]);
    const first = await bench.start();
    await bench.pass(2_000);
    await bench.handOver(first);
    bench.put([2]);
    await bench.start();
    await bench.pass(3_000);
    expect(told(bench)).toEqual(['[1] {}', '[2] {"count":1}']);
  });

  it('what a batch returned before it was cut short is not stored: the state always fits the checkpoint', async () => {
    const bench = windowed({
      mapping: { reportBatchItemFailures: true },
      answer: (call) =>
        call.records.includes(3)
          ? success({ state: { count: 2 }, batchItemFailures: [{ itemIdentifier: `4966${String(3).padStart(52, '0')}` }] })
          : counted(call),
    });
    bench.put([1, 2, 3]);
    const run = await bench.start();
    await bench.pass(5_000);
    await bench.handOver(run);
    expect(await bench.checkpoint()).toBe(2);
    expect(await storedWindow(bench)).toContain('"state":{"count":2}');
  });
});

/** As the owner before left it. */
async function storeWindow(bench: ShardBench, window: string): Promise<void> {
  const run = await bench.start();
  await bench.leases.checkpoint(run.lease.id, 'poller-1', run.lease.epoch, 'TRIM_HORIZON', window);
  await bench.handOver(run);
  bench.events.length = 0;
}

describe('a stored window', () => {
  it('of a mapping that has no windows any more gets its last call first, and is cleared', async () => {
    const bench = new ShardBench({ mapping: { parallelizationFactor: 2 } });
    await storeWindow(bench, '{"startMs":0,"endMs":10000,"state":{"count":7}}');
    bench.put([1]);
    await bench.start();
    await bench.pass(5_000);
    expect(told(bench)).toEqual(['[] {"count":7} final', '[1]']);
    expect(await storedWindow(bench)).toBe('');
  });

  it('that cannot be read is told and dropped, and reading goes on', async () => {
    const bench = windowed();
    await storeWindow(bench, '{"startMs":');
    bench.put([1]);
    await bench.start();
    await bench.pass(3_000);
    expect(told(bench)).toEqual(['[1] {}']);
    expect(bench.told('shards')).toMatchObject([{ change: 'windowLost', shards: [SHARD] }]);
  });
});
