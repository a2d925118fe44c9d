import { StoreError } from '@wherry/core/coordination';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, it } from 'vitest';
import { BenchLease, ShardBench, range } from '../../test-data/shard-bench.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';

type Write = (checkpoint: string) => Promise<'written' | 'fenced' | 'regression'>;

function setup(write: Write) {
  const sim = new SimClock();
  const lease = new BenchLease('unit', 1, '100', '');
  const over = new AbortController();
  const results: string[] = [];
  const writes: string[] = [];
  const now = { checkpoint: '100', window: '', events: 0 };
  const leases = new ShardBench().leases;
  leases.checkpoint = (_id, _owner, _epoch, checkpoint) => {
    writes.push(checkpoint);
    return write(checkpoint);
  };
  const writer = new CheckpointWriter({
    surroundings: { clock: sim.clock(), random: () => 0.5, newId: () => 'id' },
    leases,
    owner: 'poller-1',
    lease,
    stored: { checkpoint: '100', window: '' },
    mapping: 'clicks',
    shardId: 'shard',
    observe: (event) => void (event.type === 'checkpointed' && results.push(`${event.result} ${event.events ?? ''}`)),
    progress: () => ({ ...now }),
    over: over.signal,
    halt: () => over.abort(),
  });
  return { sim, lease, over, results, writes, now, writer };
}

it('writes nothing while the position is that of the lease', async () => {
  const { writer, writes } = setup(() => Promise.resolve('written'));
  expect([await writer.cover(), writes]).toEqual([true, []]);
});

it('covers all who came before a write began with that one, and those who came later with the next', async () => {
  const { sim, writer, writes, now, results } = setup(() => sim.sleep(100).then(() => 'written'));
  const done: string[] = [];
  for (const number of ['101', '102', '103']) {
    now.checkpoint = number;
    now.events += 1;
    void writer.cover().then(() => done.push(number));
  }
  await sim.advance(50);
  now.checkpoint = '104';
  now.events += 1;
  void writer.cover().then(() => done.push('104'));
  expect(done).toEqual([]);
  await sim.advance(50);
  expect(done).toEqual(['101']);
  await sim.advance(200);
  expect(done).toEqual(['101', '102', '103', '104']);
  expect([writes, results]).toEqual([
    ['101', '104'],
    ['written 1', 'written 3'],
  ]);
});

it('writes again while the store does not answer, always the newest position', async () => {
  let failures = 3;
  const { sim, writer, writes, now, results } = setup(() =>
    (failures -= 1) >= 0 ? Promise.reject(new StoreError('down')) : Promise.resolve('written'),
  );
  now.checkpoint = '101';
  const covered = writer.cover();
  now.checkpoint = '102';
  await sim.advance(10_000);
  expect([await covered, writes.at(-1), results]).toEqual([true, '102', ['failed ', 'failed ', 'failed ', 'written 0']]);
});

it('stops to write, and halts the run, when the lease is not valid any more', async () => {
  const { sim, writer, lease, over, now } = setup(() => Promise.reject(new StoreError('down')));
  now.checkpoint = '101';
  const covered = writer.cover();
  await sim.advance(1_000);
  lease.isGood = false;
  await sim.advance(5_000);
  expect([await covered, over.signal.aborted]).toEqual([false, true]);
});

it.each(['fenced', 'regression'] as const)('%s: the run is halted, and nothing more is written', async (result) => {
  const { writer, over, now, writes } = setup(() => Promise.resolve(result));
  now.checkpoint = '101';
  expect([await writer.cover(), await writer.cover(), over.signal.aborted, writes.length]).toEqual([false, false, true, 1]);
});

it('a window alone is written too, with the position as it is', async () => {
  const { writer, now, writes } = setup(() => Promise.resolve('written'));
  now.window = '{"startMs":0}';
  expect([await writer.cover(), writes]).toEqual([true, ['100']]);
});

it('what nobody waits for is overdue after some seconds, and not before', async () => {
  const { sim, writer, now } = setup(() => Promise.resolve('written'));
  expect(writer.isOverdue).toBe(false);
  await sim.advance(10_000);
  expect(writer.isOverdue).toBe(false);
  now.checkpoint = '101';
  expect(writer.isOverdue).toBe(true);
  await writer.cover();
  now.checkpoint = '102';
  expect([writer.isOverdue, writer.isBehind]).toEqual([false, true]);
  await sim.advance(5_000);
  expect(writer.isOverdue).toBe(true);
});

it('through the loop: no batch begins while a write fails, and after an outage of the store nothing is lost or repeated', async () => {
  const bench = new ShardBench({ mapping: { batchSize: 2 } });
  const write = bench.leases.checkpoint.bind(bench.leases);
  let isDown = true;
  bench.leases.checkpoint = (...asked) => (isDown ? Promise.reject(new StoreError('down')) : write(...asked));
  bench.put(range(1, 6));
  await bench.start();
  await bench.pass(30_000);
  expect(bench.trace).toBe('[1,2]');
  isDown = false;
  await bench.pass(10_000);
  expect([bench.trace, await bench.checkpoint()]).toEqual(['[1,2] [3,4] [5,6]', 6]);
});
