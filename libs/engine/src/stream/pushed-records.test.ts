import type { ShardPage, ShardReader, StreamRecord } from '@wherry/core/stream-source';
import { expect, it } from 'vitest';
import { type BenchOptions, ShardBench, benchRecord, range } from '../../test-data/shard-bench.ts';

/** A reader that is pushed to, as enhanced fan-out does it. */
class PushedReader implements ShardReader {
  readonly pages: ShardPage[] = [];
  reads = 0;
  isClosed = false;
  #wake: () => void = () => undefined;

  push(records: readonly StreamRecord[], isEnd = false): void {
    this.pages.push({ records, isEnd, behindMs: 0 });
    this.#wake();
  }

  read(): Promise<ShardPage> {
    this.reads += 1;
    return Promise.resolve(this.pages.shift() ?? { records: [], isEnd: false });
  }

  wait(signal: AbortSignal): Promise<void> {
    if (this.pages.length > 0 || signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    return promise;
  }

  close(): void {
    this.isClosed = true;
  }
}

function pushed(options: BenchOptions = {}): { bench: ShardBench; reader: PushedReader } {
  const bench = new ShardBench({ ...options, mapping: { consumer: { kind: 'enhanced-fan-out', register: false }, ...options.mapping } });
  const reader = new PushedReader();
  bench.stream.openReader = () => reader;
  return { bench, reader };
}

it('nothing is read and no memory is held until something has come; what comes is delivered at once', async () => {
  const { bench, reader } = pushed();
  const run = await bench.start();
  await bench.pass(60_000);
  expect([reader.reads, bench.bytes.usedBytes, bench.idleShards.count]).toEqual([0, 0, 0]);
  const sentAtMs = bench.clock.monotonicMs();
  reader.push([benchRecord(1, bench.clock.nowMs())]);
  await bench.pass(100);
  expect([bench.trace, bench.calls[0]?.atMs, await bench.checkpoint()]).toEqual(['[1]', sentAtMs, 1]);
  await bench.handOver(run);
  expect(reader.isClosed).toBe(true);
});

it('what was filtered is written although nothing more comes', async () => {
  const { bench, reader } = pushed({ matches: () => false });
  await bench.start();
  reader.push([benchRecord(1, bench.clock.nowMs())]);
  await bench.pass(10_000);
  expect(await bench.checkpoint()).toBe(1);
});

it('LIF-11 a checkpoint never stands in the midst of an aggregate, and a hand-over finishes the aggregate that was begun', async () => {
  const { bench, reader } = pushed({ mapping: { batchSize: 2 }, durationMs: 1_000 });
  const run = await bench.start();
  const [first, , , ...others] = range(1, 7).map((n) => benchRecord(n, bench.clock.nowMs()));
  // Records 1, then three of one aggregate under the number of 2, then the rest.
  const inner = (n: number, isWithinAggregate: boolean): StreamRecord => ({
    ...benchRecord(2, bench.clock.nowMs()),
    recordJson: `{"n":${n}}`,
    isWithinAggregate,
  });
  reader.push([first!, inner(21, true), inner(22, true), inner(23, false), ...others]);
  await bench.pass(1_500);
  expect([bench.trace, await bench.checkpoint()]).toEqual(['[1,21] [22,23]', 1]);
  run.lease.yielding.abort();
  await bench.pass(5_000);
  expect([run.isOver, bench.trace, await bench.checkpoint()]).toEqual([true, '[1,21] [22,23]', 2]);
});
