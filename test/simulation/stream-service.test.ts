import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ShardPosition, StreamRecord } from '@wherry/core/stream-source';
import { describeStreamSource, noSignal, readRecords } from '@wherry/testkit/contracts/stream-source';
import type { FaultRule } from '@wherry/testkit/call-faults';
import type { FaultProxy } from '@wherry/testkit/fault-proxy';
import { SimClock } from '@wherry/testkit/sim-clock';
import { callSimulatedStream, type CallFault, type StreamCall } from '@wherry/testkit/simulated-stream-calls';
import { SimulatedProcess } from '@wherry/testkit/simulation-process';
import { createSimulatedStream, openSimulatedSource, type StreamChoices } from './stream-service.ts';

const ARN = {
  kinesis: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks',
  dynamodb: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000',
} as const;
const TRIM_HORIZON: ShardPosition = { kind: 'TRIM_HORIZON' };

/** Faults for calls by the names that contracts use, without a network. */
class LocalFaults implements FaultProxy {
  readonly url = '';
  readonly #rules = new Set<{ readonly operation: string; readonly fault: FaultRule['fault']; left: number }>();
  readonly #counts = new Map<string, number>();

  inject({ operation, fault, times = Infinity }: FaultRule): () => void {
    const rule = { operation, fault, left: times };
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  clear(): void {
    this.#rules.clear();
  }

  count(operation: string): number {
    return this.#counts.get(operation) ?? 0;
  }

  async arrived(operation: string, calls: number): Promise<void> {
    while (this.count(operation) < calls) await setImmediate();
  }

  async close(): Promise<void> {
    // Nothing is open.
  }

  take(operation: string): CallFault {
    this.#counts.set(operation, this.count(operation) + 1);
    for (const rule of this.#rules) {
      if (rule.operation !== operation) continue;
      rule.left -= 1;
      if (rule.left <= 0) this.#rules.delete(rule);
      if (rule.fault.kind === 'error') return rule.fault.code;
      return rule.fault.kind === 'lostResponse' ? 'lost' : 'hang';
    }
    return 'none';
  }
}

const OPERATION: Readonly<Record<StreamCall, string>> = {
  describe: 'DescribeStreamSummary',
  listShards: 'ListShards',
  getShardIterator: 'GetShardIterator',
  getRecords: 'GetRecords',
};

function textOf({ recordJson }: StreamRecord): string {
  const { kinesis, dynamodb } = JSON.parse(recordJson) as {
    readonly kinesis?: { readonly data: string };
    readonly dynamodb?: { readonly NewImage: { readonly data: { readonly S: string } } };
  };
  return kinesis === undefined ? (dynamodb?.NewImage.data.S ?? '') : Buffer.from(kinesis.data, 'base64').toString();
}

/** Virtual time that passes by itself, for code that does not know of it. */
function runningClock(): { readonly sim: SimClock; readonly stop: () => void } {
  const sim = new SimClock(Date.now());
  const stopped = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) await sim.advance(100);
  };
  void run();
  return { sim, stop: () => stopped.abort() };
}

describe.each(['kinesis', 'dynamodb'] as const)('%s', (kind) => {
  describeStreamSource('the simulated stream', { listOperation: 'ListShards', readOperation: 'GetRecords' }, async () => {
    const { sim, stop } = runningClock();
    const proxy = new LocalFaults();
    let streams = 0;
    return {
      proxy,
      close: () => Promise.resolve(stop()),
      open: ({ exists }) => {
        const stream = createSimulatedStream({
          clock: sim.clock(),
          kind,
          arn: `${ARN[kind]}${streams++}`,
          shards: 1,
          readsPerSecond: Infinity,
        });
        const calls = callSimulatedStream(stream, {
          sim,
          random: () => 0.5,
          process: new SimulatedProcess('test'),
          latencyMs: 1,
          fault: (call) => {
            const fault = proxy.take(OPERATION[call]);
            return exists ? fault : 'ResourceNotFoundException';
          },
        });
        return Promise.resolve({
          source: openSimulatedSource(calls, sim.clock(), kind),
          write: (texts) => Promise.resolve(texts.forEach((data) => stream.put({ key: 'k', data }))),
          textOf,
          closeShard: () => Promise.resolve(stream.roll(0)),
        });
      },
    };
  });
});

/** A stream and a source on it, where time passes only when the test says so. */
function setup(choices: Partial<StreamChoices> & { readonly kind: 'kinesis' | 'dynamodb' }) {
  const sim = new SimClock();
  const stream = createSimulatedStream({ clock: sim.clock(), arn: ARN[choices.kind], shards: 1, ...choices });
  const link = { sim, random: () => 0.5, process: new SimulatedProcess('test'), latencyMs: 0, fault: () => 'none' };
  const source = openSimulatedSource(callSimulatedStream(stream, link), sim.clock(), choices.kind);
  /** Lets time pass until the call has its answer. */
  const now = async <Answer>(call: Promise<Answer>): Promise<Answer> => {
    const outcome = call.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await sim.advance(0);
    const settled = await outcome;
    if ('error' in settled) throw settled.error;
    return settled.value;
  };
  return { sim, stream, source, now };
}

test('a shard answers 5 reads a second, whoever asks', async () => {
  const { sim, source, now } = setup({ kind: 'kinesis' });
  const readers = [0, 1].map(() => source.openReader('shardId-000000000000', TRIM_HORIZON));
  for (let read = 0; read < 5; read += 1) await now(readers[read % 2]!.read(1, noSignal()));
  await expect(now(readers[1]!.read(1, noSignal()))).rejects.toMatchObject({ code: 'throttled' });
  await sim.advance(1_000);
  expect(await now(readers[1]!.read(1, noSignal()))).toMatchObject({ records: [], isEnd: false });
});

test('each key has one open shard, and its records keep their order through splits and merges', async () => {
  const { stream, source, now } = setup({ kind: 'kinesis', shards: 2 });
  const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
  for (const reshard of [() => stream.split(0), () => stream.split(1), () => stream.merge(0), () => stream.roll(1), () => {}]) {
    for (const key of keys) stream.put({ key, data: '' });
    reshard();
  }
  const shards = await now(source.listShards(noSignal()));
  const parents = new Map(shards.map(({ shardId, parentShardIds }) => [shardId, parentShardIds]));
  const isDescendant = (id: string, of: string): boolean => id === of || (parents.get(id) ?? []).some((parent) => isDescendant(parent, of));
  const lastShard = new Map<string, string>();
  for (const shard of stream.shards.values()) {
    for (const { key } of shard.records) {
      const before = lastShard.get(key);
      expect(before === undefined || isDescendant(shard.shardId, before)).toBe(true);
      lastShard.set(key, shard.shardId);
    }
  }
  expect([...stream.shards.values()].flatMap(({ records }) => records)).toHaveLength(100);
  expect(shards.filter(({ isOpen }) => isOpen)).toHaveLength(3);
});

test('listings lag behind, end names the children, and DynamoDB names none', async () => {
  const { sim, stream, source, now } = setup({ kind: 'kinesis', listingDelayMs: 5_000 });
  stream.split(0);
  expect(await now(source.listShards(noSignal()))).toMatchObject([{ isOpen: true }]);
  await sim.advance(5_000);
  expect(await now(source.listShards(noSignal()))).toHaveLength(3);
  expect(stream.getRecords(stream.getShardIterator('shardId-000000000000', TRIM_HORIZON), 1).childShards).toHaveLength(2);
  const other = setup({ kind: 'dynamodb' });
  other.stream.roll(0);
  expect(other.stream.getRecords(other.stream.getShardIterator('shardId-000000000000', TRIM_HORIZON), 1)).toEqual({ records: [] });
});

test('shards of DynamoDB roll over by themselves', async () => {
  const { sim, source, now } = setup({ kind: 'dynamodb', rollAfterMs: 60_000 });
  await sim.advance(130_000);
  const shards = await now(source.listShards(noSignal()));
  expect(shards.map(({ isOpen }) => isOpen)).toEqual([false, true]);
});

test('what is older than the retention is gone: Kinesis goes on behind it, DynamoDB says so, closed shards leave the list', async () => {
  for (const kind of ['kinesis', 'dynamodb'] as const) {
    const { sim, stream, source, now } = setup({ kind, retentionMs: 60_000 });
    stream.put({ key: 'k', data: 'old' });
    stream.put({ key: 'k', data: 'older than it looks' });
    const reader = source.openReader('shardId-000000000000', TRIM_HORIZON);
    await now(reader.read(1, noSignal()));
    await sim.advance(59_000);
    stream.put({ key: 'k', data: 'new' });
    stream.roll(0);
    await sim.advance(2_000);
    if (kind === 'kinesis') expect((await now(readRecords(reader, 1))).map(textOf)).toEqual(['new']);
    else await expect(now(reader.read(1, noSignal()))).rejects.toMatchObject({ code: 'expired' });
    await sim.advance(60_000);
    expect(await now(source.listShards(noSignal()))).toMatchObject([{ shardId: 'shardId-000000000001' }]);
  }
});

test('an iterator that has expired costs nothing', async () => {
  const { sim, stream, source, now } = setup({ kind: 'kinesis', iteratorLifeMs: 1_000 });
  const reader = source.openReader('shardId-000000000000', TRIM_HORIZON);
  await now(reader.read(1, noSignal()));
  stream.put({ key: 'k', data: 'a' });
  await sim.advance(2_000);
  expect((await now(readRecords(reader, 1))).map(textOf)).toEqual(['a']);
});
