import { SourceError, type FaultCode } from '@wherry/core/source-error';
import type { ShardPosition, StreamRecord } from '@wherry/core/stream-source';
import { describe, expect, test } from 'vitest';
import { IteratorReader } from './iterator-reader.ts';
import type { StreamCalls } from './stream-calls.ts';

const NOW_MS = 1_789_651_650_000;
const signal = new AbortController().signal;

interface FakeShard {
  readonly calls: StreamCalls;
  /** What was asked for, in order: positions of new iterators, and the limits of reads. */
  readonly asked: (ShardPosition | number)[];
  /** Errors of the next calls, in order. */
  readonly failures: { getRecords: Error[]; getShardIterator: Error[] };
  readonly records: StreamRecord[];
  isClosed: boolean;
}

/** A shard whose iterators are indexes into its records. */
function fakeShard(count: number, { hasTimestamps = true } = {}): FakeShard {
  const shard: FakeShard = {
    asked: [],
    failures: { getRecords: [], getShardIterator: [] },
    records: [],
    isClosed: false,
    calls: undefined!,
  };
  for (let index = 0; index < count; index += 1) write(shard, NOW_MS - 3_600_000);
  const start = (position: ShardPosition): number => {
    if (position.kind === 'TRIM_HORIZON') return 0;
    if (position.kind === 'LATEST') return shard.records.length;
    const isLater = (record: StreamRecord): boolean =>
      position.kind === 'AT_TIMESTAMP'
        ? record.arrivedAtMs >= position.timestampMs
        : Number(record.sequenceNumber) > Number(position.sequenceNumber);
    const index = shard.records.findIndex(isLater);
    return index === -1 ? shard.records.length : index;
  };
  const calls: StreamCalls = {
    recordsPerCall: 1_000,
    hasTimestamps,
    identity: () => Promise.resolve({ arn: 'a', createdAtMs: undefined }),
    listShards: () => Promise.resolve({ shards: [] }),
    getShardIterator: async (_shardId, position) => {
      shard.asked.push(position);
      const failure = shard.failures.getShardIterator.shift();
      if (failure !== undefined) throw failure;
      return String(start(position));
    },
    getRecords: async (_shardId, iterator, limit) => {
      shard.asked.push(limit);
      const failure = shard.failures.getRecords.shift();
      if (failure !== undefined) throw failure;
      const from = Number(iterator);
      const records = shard.records.slice(from, from + limit);
      const isEnd = shard.isClosed && from + records.length === shard.records.length;
      return { records, ...(isEnd ? {} : { nextShardIterator: String(from + records.length) }) };
    },
  };
  return Object.assign(shard, { calls });
}

function write(shard: FakeShard, arrivedAtMs = NOW_MS): void {
  const sequenceNumber = String(shard.records.length + 1);
  shard.records.push({ sequenceNumber, arrivedAtMs, orderKey: 'k', recordJson: '{}', recordBytes: 2 });
}

function open(shard: FakeShard, position: ShardPosition): IteratorReader {
  return new IteratorReader({ shardId: 's', position, calls: () => Promise.resolve(shard.calls), clock: { nowMs: () => NOW_MS } });
}

async function read(reader: IteratorReader, maxRecords = 100): Promise<string[]> {
  return (await reader.read(maxRecords, signal)).records.map(({ sequenceNumber }) => sequenceNumber);
}

function named(name: string, message = 'said the service'): Error {
  return Object.assign(new Error(message), { name });
}

const TRIM_HORIZON: ShardPosition = { kind: 'TRIM_HORIZON' };
const LATEST: ShardPosition = { kind: 'LATEST' };
const after = (sequenceNumber: string): ShardPosition => ({ kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber });
const expired = named('ExpiredIteratorException');

describe('reading on', () => {
  test('one iterator is asked for, whatever the number of reads', async () => {
    const shard = fakeShard(5);
    const reader = open(shard, TRIM_HORIZON);
    expect([await read(reader, 2), await read(reader, 2), await read(reader, 2), await read(reader, 2)]).toEqual([
      ['1', '2'],
      ['3', '4'],
      ['5'],
      [],
    ]);
    expect(shard.asked).toEqual([TRIM_HORIZON, 2, 2, 2, 2]);
  });

  test('no call asks for more than the service gives, or for nothing', async () => {
    const shard = fakeShard(0);
    const reader = open(shard, TRIM_HORIZON);
    for (const maxRecords of [5_000, 0]) await read(reader, maxRecords);
    expect(shard.asked).toEqual([TRIM_HORIZON, 1_000, 1]);
  });

  test('behind the end of a shard nothing is asked for any more', async () => {
    const shard = fakeShard(1);
    shard.isClosed = true;
    const reader = open(shard, TRIM_HORIZON);
    expect(await reader.read(10, signal)).toMatchObject({ records: [{ sequenceNumber: '1' }], isEnd: true });
    expect(await reader.read(10, signal)).toEqual({ records: [], isEnd: true });
    expect(shard.asked).toEqual([TRIM_HORIZON, 10]);
  });
});

describe('LIF-05 an iterator that expired', () => {
  test('is followed by one after the last record that was returned', async () => {
    const shard = fakeShard(3);
    const reader = open(shard, TRIM_HORIZON);
    const first = await read(reader, 2);
    shard.failures.getRecords.push(expired);
    expect([first, await read(reader, 2)]).toEqual([['1', '2'], ['3']]);
    expect(shard.asked).toEqual([TRIM_HORIZON, 2, 2, after('2'), 2]);
  });

  test('on an empty page too: the last record is older than that', async () => {
    const shard = fakeShard(1);
    const reader = open(shard, TRIM_HORIZON);
    for (let turn = 0; turn < 2; turn += 1) await read(reader);
    shard.failures.getRecords.push(expired);
    write(shard);
    expect(await read(reader)).toEqual(['2']);
  });

  test.each([TRIM_HORIZON, after('1'), { kind: 'AT_TIMESTAMP', timestampMs: NOW_MS - 3_600_000 } as const])(
    'before any record came is followed by one at the same place: %o',
    async (position) => {
      const shard = fakeShard(0);
      const reader = open(shard, position);
      await read(reader);
      shard.failures.getRecords.push(expired);
      await read(reader);
      expect(shard.asked).toEqual([position, 100, 100, position, 100]);
    },
  );

  test('and the next one that does too: the caller is told, and the read after it begins with a new one', async () => {
    const shard = fakeShard(2);
    const reader = open(shard, TRIM_HORIZON);
    await read(reader, 1);
    shard.failures.getRecords.push(expired, expired);
    await expect(read(reader, 1)).rejects.toMatchObject({ code: 'unavailable', serviceCode: 'ExpiredIteratorException' });
    expect(await read(reader, 1)).toEqual(['2']);
    expect(shard.asked).toEqual([TRIM_HORIZON, 1, 1, after('1'), 1, after('1'), 1]);
  });
});

describe('LATEST whose iterator expired before any record came', () => {
  test('goes back to the time at which reading began, and a minute', async () => {
    const shard = fakeShard(2);
    const reader = open(shard, LATEST);
    expect(await read(reader)).toEqual([]);
    write(shard);
    shard.failures.getRecords.push(expired);
    expect(await read(reader)).toEqual(['3']);
    expect(shard.asked).toEqual([LATEST, 100, 100, { kind: 'AT_TIMESTAMP', timestampMs: NOW_MS - 60_000 }, 100]);
  });

  test('goes through the shard from its beginning where there are no timestamps, and leaves the old records out', async () => {
    const shard = fakeShard(5, { hasTimestamps: false });
    const reader = open(shard, LATEST);
    await read(reader);
    write(shard);
    write(shard);
    shard.failures.getRecords.push(expired);
    const pages: string[][] = [];
    for (let page = 0; page < 4; page += 1) pages.push(await read(reader, 2));
    expect(pages).toEqual([[], [], ['6'], ['7']]);
  });

  test('remembers what it leaves out when the second iterator expires as well', async () => {
    const shard = fakeShard(3, { hasTimestamps: false });
    const reader = open(shard, LATEST);
    await read(reader);
    write(shard);
    shard.failures.getRecords.push(expired);
    expect(await read(reader, 2)).toEqual([]);
    shard.failures.getRecords.push(expired);
    expect(await read(reader, 2)).toEqual(['4']);
    expect(shard.asked.at(-2)).toEqual(after('2'));
  });

  test('is still the latest if no iterator was ever given', async () => {
    const shard = fakeShard(2);
    const reader = open(shard, LATEST);
    shard.failures.getShardIterator.push(named('LimitExceededException'));
    await expect(read(reader)).rejects.toMatchObject({ code: 'throttled', message: 'GetShardIterator failed: said the service' });
    expect(await read(reader)).toEqual([]);
    expect(shard.asked).toEqual([LATEST, LATEST, 100]);
  });
});

describe('a read that failed', () => {
  test.each<[string, FaultCode]>([
    ['ProvisionedThroughputExceededException', 'throttled'],
    ['AccessDeniedException', 'accessDenied'],
    ['TimeoutError', 'unavailable'],
    ['SomethingNew', 'unknown'],
  ])('with %s is %s, and is repeated with the same iterator', async (name, code) => {
    const shard = fakeShard(2);
    const reader = open(shard, TRIM_HORIZON);
    await read(reader, 1);
    shard.failures.getRecords.push(named(name));
    await expect(reader.read(1, signal)).rejects.toMatchObject({ name: 'SourceError', code });
    expect(await read(reader, 1)).toEqual(['2']);
    expect(shard.asked).toEqual([TRIM_HORIZON, 1, 1, 1]);
  });

  test('because its data were trimmed is told as expired when the position is gone', async () => {
    const shard = fakeShard(2);
    const reader = open(shard, TRIM_HORIZON);
    await read(reader, 1);
    shard.failures.getRecords.push(named('TrimmedDataAccessException'));
    shard.failures.getShardIterator.push(named('TrimmedDataAccessException'));
    await expect(read(reader)).rejects.toMatchObject({ code: 'expired', serviceCode: 'TrimmedDataAccessException' });
  });

  test('because its data were trimmed goes on at the new horizon where the horizon was asked for', async () => {
    const shard = fakeShard(0);
    const reader = open(shard, TRIM_HORIZON);
    await read(reader);
    shard.failures.getRecords.push(named('TrimmedDataAccessException'));
    write(shard);
    expect(await read(reader)).toEqual(['1']);
    expect(shard.asked).toEqual([TRIM_HORIZON, 100, 100, TRIM_HORIZON, 100]);
  });

  test('because the stream is gone asks for a new iterator once, which finds a stream that was made again', async () => {
    const shard = fakeShard(1);
    const reader = open(shard, TRIM_HORIZON);
    await read(reader);
    const gone = named('ResourceNotFoundException', 'Stream clicks under account 000000000000 not found.');
    shard.failures.getRecords.push(gone);
    shard.failures.getShardIterator.push(gone);
    await expect(read(reader)).rejects.toMatchObject({ code: 'notFound' });
    const stranger = 'StartingSequenceNumber 1 used in GetShardIterator on shard s is invalid because it did not come from this stream.';
    shard.failures.getShardIterator.push(named('InvalidArgumentException', stranger));
    await expect(read(reader)).rejects.toMatchObject({ code: 'expired', serviceCode: 'InvalidArgumentException' });
  });

  test('before its calls could be made is the error of that', async () => {
    const failure = new SourceError('accessDenied', 'CredentialsProviderError', 'no keys');
    const calls = (): Promise<StreamCalls> => Promise.reject(failure);
    const reader = new IteratorReader({ shardId: 's', position: LATEST, calls, clock: { nowMs: () => NOW_MS } });
    await expect(read(reader)).rejects.toBe(failure);
  });
});
