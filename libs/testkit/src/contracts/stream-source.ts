import type { ShardPage, ShardPosition, ShardReader, StreamRecord, StreamSource } from '@wherry/core/stream-source';
import { streamKey } from '@wherry/core/stream/stream-identity';
import { compareSequenceNumbers } from '@wherry/core/stream/sequence-number';
import { afterAll, afterEach, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import type { FaultProxy } from '../fault-proxy.ts';

/** One stream of a backend with one open shard, and the source under test on it. */
export interface OpenStream {
  readonly source: StreamSource;
  /** Writes one record for each text, in order, by another way than the source. */
  readonly write: (texts: readonly string[]) => Promise<void>;
  /** The text that a record was written with. */
  readonly textOf: (record: StreamRecord) => string;
  /** Closes the shard that is open. */
  readonly closeShard: () => Promise<void>;
}

/** Something that has streams, behind a proxy that its sources call through. */
export interface StreamBackend {
  readonly proxy: FaultProxy;
  /** @param exists without it the stream is named but not made */
  open(options: { exists: boolean }): Promise<OpenStream>;
  close(): Promise<void>;
}

/** What differs between services. */
export interface StreamTraits {
  /** The call that lists shards. */
  readonly listOperation: string;
  /** The call that brings records: asked for them again and again, or once for all that will come. */
  readonly readOperation: 'GetRecords' | 'SubscribeToShard';
  /** Why this backend shows no end of a shard, if it does not. */
  readonly endless?: string;
  /** Why this backend lets shards be read that do not exist, if it does. */
  readonly anyShard?: string;
}

type Open = (context: TestContext, options?: { exists: boolean }) => Promise<OpenStream & { readonly proxy: FaultProxy }>;

const TRIM_HORIZON: ShardPosition = { kind: 'TRIM_HORIZON' };
const LATEST: ShardPosition = { kind: 'LATEST' };

/**
 * What every stream-shaped source does, whatever is behind it.
 *
 * @param start the backend, or the reason why this machine has none; then every test is skipped with it
 */
export function describeStreamSource(name: string, traits: StreamTraits, start: () => Promise<StreamBackend | string>): void {
  describe(name, () => {
    let backend: StreamBackend | string = 'not started';
    beforeAll(async () => {
      backend = await start();
    }, 120_000);
    afterEach(() => {
      if (typeof backend !== 'string') backend.proxy.clear();
    });
    afterAll(async () => {
      if (typeof backend !== 'string') await backend.close();
    });
    const open: Open = async (context, options = { exists: true }) => {
      if (typeof backend === 'string') return context.skip(backend);
      const stream = await backend.open(options);
      context.onTestFinished(() => stream.source.close());
      return { ...stream, proxy: backend.proxy };
    };

    describeIdentity(open);
    describeReading(open);
    describeEnd(open, traits);
    if (traits.readOperation === 'GetRecords') describeIterators(open);
    describeFaults(open, traits);
  });
}

/** A signal that nobody gives. */
export function noSignal(): AbortSignal {
  return new AbortController().signal;
}

/** The one shard of a new stream. */
export async function onlyShard(source: StreamSource): Promise<string> {
  const [shard, ...others] = await source.listShards(noSignal());
  expect(others).toEqual([]);
  return shard?.shardId ?? '';
}

/** Reads as a loop does: waits first where records are pushed. */
export async function readPage(reader: ShardReader, maxRecords: number): Promise<ShardPage> {
  await reader.wait?.(noSignal());
  return await reader.read(maxRecords, noSignal());
}

/** Reads until `count` records have come, or the shard has ended. */
export async function readRecords(reader: ShardReader, count: number, maxRecords = 100): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  while (records.length < count) {
    const page = await readPage(reader, maxRecords);
    records.push(...page.records);
    if (page.isEnd) break;
  }
  return records;
}

/** Reads `count` records with a reader of its own. */
async function readFrom(source: StreamSource, shardId: string, position: ShardPosition, count: number): Promise<StreamRecord[]> {
  const reader = source.openReader(shardId, position);
  const records = await readRecords(reader, count);
  reader.close?.();
  return records;
}

function describeIdentity(open: Open): void {
  test('a stream is the same one each time it is asked, and another one than its neighbour', async (context) => {
    const [one, other] = [await open(context), await open(context)];
    const first = await one.source.identity(noSignal());
    await one.write(['a']);
    expect(await one.source.identity(noSignal())).toEqual(first);
    expect(streamKey(await other.source.identity(noSignal()))).not.toBe(streamKey(first));
  });
}

function describeReading(open: Open): void {
  test('a new stream has one open shard without parents', async (context) => {
    const { source } = await open(context);
    expect(await source.listShards(noSignal())).toEqual([{ shardId: expect.any(String), parentShardIds: [], isOpen: true }]);
  });

  test('from the trim horizon all records come, once and in order, as the function will see them', async (context) => {
    const { source, write, textOf } = await open(context);
    const before = Date.now();
    await write(['one', 'grüß', '☃', 'four', 'five']);
    const reader = source.openReader(await onlyShard(source), TRIM_HORIZON);
    const records = await readRecords(reader, 5, 2);
    expect(records.map(textOf)).toEqual(['one', 'grüß', '☃', 'four', 'five']);
    for (const [index, record] of records.entries()) {
      const after = records[index - 1]?.sequenceNumber ?? '0';
      expect(compareSequenceNumbers(record.sequenceNumber, after)).toBeGreaterThan(0);
      expect(record.recordBytes).toBe(Buffer.byteLength(record.recordJson));
      // One emulator gives minutes only.
      expect(Math.abs(record.arrivedAtMs - before)).toBeLessThan(120_000);
      expect(record.orderKey).not.toBe('');
    }
    expect(await reader.read(100, noSignal())).toMatchObject({ records: [], isEnd: false });
  });

  test('a page has no more records than asked for', async (context) => {
    const { source, write } = await open(context);
    await write(['a', 'b', 'c']);
    const reader = source.openReader(await onlyShard(source), TRIM_HORIZON);
    const sizes: number[] = [];
    for (let page = 0; page < 2; page += 1) sizes.push((await readPage(reader, 2)).records.length);
    sizes.push((await reader.read(2, noSignal())).records.length);
    expect(sizes).toEqual([2, 1, 0]);
  });

  test('from the latest only what is written after the first read comes', async (context) => {
    const { source, write, textOf } = await open(context);
    await write(['old']);
    const reader = source.openReader(await onlyShard(source), LATEST);
    expect(await reader.read(100, noSignal())).toMatchObject({ records: [], isEnd: false });
    await write(['new', 'newer']);
    expect((await readRecords(reader, 2)).map(textOf)).toEqual(['new', 'newer']);
  });

  test('after a sequence number the next record comes, at it the record itself, from a source that never saw it before', async (context) => {
    const { source, write, textOf } = await open(context);
    await write(['a', 'b', 'c']);
    const shardId = await onlyShard(source);
    const [, second] = await readFrom(source, shardId, TRIM_HORIZON, 3);
    const { sequenceNumber } = second!;
    const after = await readFrom(source, shardId, { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber }, 1);
    expect(after.map(textOf)).toEqual(['c']);
    const at = await readFrom(source, shardId, { kind: 'AT_SEQUENCE_NUMBER', sequenceNumber }, 2);
    expect(at.map(textOf)).toEqual(['b', 'c']);
  });
}

function describeEnd(open: Open, { endless }: StreamTraits): void {
  test('a closed shard gives what it holds and then its end, again and again', async (context) => {
    if (endless !== undefined) context.skip(endless);
    const { source, write, textOf, closeShard } = await open(context);
    await write(['a', 'b']);
    const shardId = await onlyShard(source);
    const reader = source.openReader(shardId, TRIM_HORIZON);
    const first = await readPage(reader, 1);
    await closeShard();
    const shards = await source.listShards(noSignal());
    expect(shards.find((shard) => shard.shardId === shardId)?.isOpen).toBe(false);
    const rest = await readRecords(reader, Infinity);
    expect([...first.records, ...rest].map(textOf)).toEqual(['a', 'b']);
    expect(await readPage(reader, 1)).toMatchObject({ records: [], isEnd: true });
    const position: ShardPosition = { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: rest.at(-1)!.sequenceNumber };
    expect(await readRecords(source.openReader(shardId, position), 1)).toEqual([]);
  });
}

function describeIterators(open: Open): void {
  const expired = { operation: 'GetRecords', fault: { kind: 'error', code: 'ExpiredIteratorException', status: 400 }, times: 1 } as const;

  test('LIF-05 an iterator that expires in the middle costs no record and repeats none', async (context) => {
    const { source, write, textOf, proxy } = await open(context);
    await write(['a', 'b', 'c']);
    const reader = source.openReader(await onlyShard(source), TRIM_HORIZON);
    const first = await readRecords(reader, 2, 2);
    proxy.inject(expired);
    expect([...first, ...(await readRecords(reader, 1))].map(textOf)).toEqual(['a', 'b', 'c']);
  });

  test('one that expires before any record came begins where the reader began', async (context) => {
    const { source, write, textOf, proxy } = await open(context);
    await write(['a']);
    const shardId = await onlyShard(source);
    const [record] = await readRecords(source.openReader(shardId, TRIM_HORIZON), 1);
    for (const position of [TRIM_HORIZON, { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: record!.sequenceNumber } as const]) {
      const reader = source.openReader(shardId, position);
      proxy.inject(expired);
      // The first read's own iterator fails, so it is told; the next read has another one.
      await expect(reader.read(100, noSignal())).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'ExpiredIteratorException' });
      expect((await reader.read(100, noSignal())).records.map(textOf)).toEqual(position.kind === 'TRIM_HORIZON' ? ['a'] : []);
    }
  });

  test('LATEST whose iterator expires before any record came loses nothing that was written since', async (context) => {
    const { source, write, textOf, proxy } = await open(context);
    const reader = source.openReader(await onlyShard(source), LATEST);
    await reader.read(100, noSignal());
    await write(['a', 'b']);
    proxy.inject(expired);
    expect((await readRecords(reader, 2, 1)).map(textOf)).toEqual(['a', 'b']);
  });
}

function describeFaults(open: Open, { listOperation, readOperation, anyShard }: StreamTraits): void {
  const isPushed = readOperation === 'SubscribeToShard';

  test('a read that is refused is told with its class, and the next one is the same read', async (context) => {
    const { source, write, textOf, proxy } = await open(context);
    await write(['a', 'b', 'c']);
    const reader = source.openReader(await onlyShard(source), TRIM_HORIZON);
    // A subscription that stands is asked for nothing.
    if (!isPushed) await reader.read(1, noSignal());
    for (const [name, status, code] of [
      ['ProvisionedThroughputExceededException', 400, 'throttled'],
      ['LimitExceededException', 400, 'throttled'],
      ['AccessDeniedException', 400, 'accessDenied'],
      ['InternalServerError', 500, 'unavailable'],
    ] as const) {
      proxy.inject({ operation: readOperation, fault: { kind: 'error', code: name, status }, times: 1 });
      await expect(reader.read(1, noSignal())).rejects.toMatchObject({ name: 'SourceError', code, serviceCode: name });
    }
    const left = isPushed ? ['a', 'b', 'c'] : ['b', 'c'];
    expect((await readRecords(reader, left.length)).map(textOf)).toEqual(left);
  });

  test('data that were trimmed at the position of the reader are told as such', async (context) => {
    const { source, write, proxy } = await open(context);
    await write(['a', 'b']);
    const reader = source.openReader(await onlyShard(source), TRIM_HORIZON);
    if (!isPushed) await reader.read(1, noSignal());
    const fault = { kind: 'error', code: 'TrimmedDataAccessException', status: 400 } as const;
    for (const operation of isPushed ? [readOperation] : [readOperation, 'GetShardIterator']) proxy.inject({ operation, fault, times: 1 });
    await expect(reader.read(1, noSignal())).rejects.toMatchObject({ name: 'SourceError', code: 'expired' });
  });

  test('a read whose answer was lost is made again and brings the same', async (context) => {
    const { source, write, textOf, proxy } = await open(context);
    await write(['a', 'b', 'c']);
    const reader = source.openReader(await onlyShard(source), TRIM_HORIZON);
    if (!isPushed) await reader.read(1, noSignal());
    // The answer of a subscription has no end that could be lost.
    proxy.inject({ operation: readOperation, fault: { kind: isPushed ? 'reset' : 'lostResponse' }, times: 1 });
    await expect(reader.read(1, noSignal())).rejects.toMatchObject({ name: 'SourceError', code: 'unavailable' });
    const left = isPushed ? ['a', 'b', 'c'] : ['b', 'c'];
    expect((await readRecords(reader, left.length)).map(textOf)).toEqual(left);
  });

  test('a read that gets no answer ends when it is aborted, and the next one is the same read', async (context) => {
    const { source, write, textOf, proxy } = await open(context);
    await write(['a']);
    const reader = source.openReader(await onlyShard(source), TRIM_HORIZON);
    const before = proxy.count(readOperation);
    proxy.inject({ operation: readOperation, fault: { kind: 'blackHole' }, times: 1 });
    const stop = new AbortController();
    const read = reader.read(1, stop.signal);
    await proxy.arrived(readOperation, before + 1);
    stop.abort();
    await expect(read).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'AbortError' });
    expect((await readRecords(reader, 1)).map(textOf)).toEqual(['a']);
  });

  test('a stream that is not there is not found', async (context) => {
    const missing = await open(context, { exists: false });
    await expect(missing.source.listShards(noSignal())).rejects.toMatchObject({ name: 'SourceError', code: 'notFound' });
    const reader = missing.source.openReader('shardId-000000000000', TRIM_HORIZON);
    await expect(readPage(reader, 1)).rejects.toMatchObject({ name: 'SourceError', code: 'notFound' });
  });

  test('a shard that is not there is not found', async (context) => {
    if (anyShard !== undefined) context.skip(anyShard);
    const { source } = await open(context);
    const shardId = (await onlyShard(source)).replace(/..$/, '99');
    await expect(readPage(source.openReader(shardId, LATEST), 1)).rejects.toMatchObject({ name: 'SourceError', code: 'notFound' });
  });

  test('a list of shards that is refused is told with its class', async (context) => {
    const { source, proxy } = await open(context);
    proxy.inject({ operation: listOperation, fault: { kind: 'error', code: 'AccessDeniedException', status: 400 }, times: 1 });
    await expect(source.listShards(noSignal())).rejects.toMatchObject({ code: 'accessDenied', serviceCode: 'AccessDeniedException' });
    expect(await source.listShards(noSignal())).toHaveLength(1);
  });
}
