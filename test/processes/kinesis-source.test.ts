import type { StreamShard, StreamSource } from '@wherry/core/stream-source';
import type { Backend } from '@wherry/testkit/backend-process';
import { describeStreamSource, noSignal, onlyShard, readRecords } from '@wherry/testkit/contracts/stream-source';
import { startFaultProxy } from '@wherry/testkit/fault-proxy';
import { startKinesisLocal } from '@wherry/testkit/kinesis-local-process';
import { TestStreams, type TestStream } from '@wherry/testkit/test-streams';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openKinesisSource } from './stream-backend.ts';

interface KinesisRecord {
  readonly kinesis: { readonly partitionKey: string; readonly data: string; readonly sequenceNumber: string };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function dataOf({ recordJson }: { readonly recordJson: string }): string {
  return Buffer.from((JSON.parse(recordJson) as KinesisRecord).kinesis.data, 'base64').toString();
}

let backend: Backend;
let streams: TestStreams;

beforeAll(async () => {
  backend = await startKinesisLocal();
  streams = new TestStreams(backend.url);
});
afterAll(() => backend.stop());

describeStreamSource('Kinesis source on kinesis-local', { listOperation: 'ListShards', readOperation: 'GetRecords' }, async () => {
  const proxy = await startFaultProxy(backend.url);
  return {
    proxy,
    close: () => proxy.close(),
    open: async ({ exists }) => {
      const missing = { name: 'missing', arn: 'arn:aws:kinesis:us-east-1:000000000000:stream/missing' };
      const stream = exists ? await streams.create(1) : missing;
      return {
        source: openKinesisSource(stream.arn, { endpoint: proxy.url }),
        write: async (texts) =>
          void (await streams.put(
            stream,
            texts.map((text) => ({ partitionKey: 'k', data: base64(text) })),
          )),
        textOf: dataOf,
        closeShard: async () => {
          const [shard] = await streams.openShards(stream);
          await streams.split(stream, shard!);
        },
      };
    },
  };
});

function open(stream: TestStream, shardsPerCall?: number): StreamSource {
  const source = openKinesisSource(stream.arn, { endpoint: backend.url, ...(shardsPerCall === undefined ? {} : { shardsPerCall }) });
  onTestFinished(() => source.close());
  return source;
}

describe('Kinesis source', () => {
  test('EVT-04 a record is the one that was written: bytes, partition key, sequence number', async () => {
    const stream = await streams.create(1);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64');
    const [sequenceNumber] = await streams.put(stream, [{ partitionKey: 'schlüssel "☃"', data: bytes }]);
    await streams.put(stream, [{ partitionKey: 'k', data: bytes }]);
    const source = open(stream);
    const reader = source.openReader(await onlyShard(source), { kind: 'TRIM_HORIZON' });
    // The first read goes through the SDK, the second does not.
    const [first, second] = await readRecords(reader, 2, 1);
    expect(first).toMatchObject({ orderKey: 'schlüssel "☃"', sequenceNumber, recordBytes: Buffer.byteLength(first!.recordJson) });
    expect(JSON.parse(first!.recordJson)).toEqual({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey: 'schlüssel "☃"',
        sequenceNumber,
        data: bytes,
        approximateArrivalTimestamp: first!.arrivedAtMs / 1000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `shardId-000000000000:${sequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: 'arn:aws:iam::000000000000:role/wherry',
      awsRegion: 'us-east-1',
      eventSourceARN: stream.arn,
    });
    const kinesisOf = (json: string): string[] => Object.keys((JSON.parse(json) as KinesisRecord).kinesis);
    expect(kinesisOf(second!.recordJson)).toEqual(kinesisOf(first!.recordJson));
    expect((JSON.parse(second!.recordJson) as KinesisRecord).kinesis.data).toBe(bytes);
  });

  test('at a timestamp reading begins with the first record that arrived then or later', async () => {
    const stream = await streams.create(1);
    await streams.put(stream, [{ partitionKey: 'k', data: base64('a') }]);
    const source = open(stream);
    const shardId = await onlyShard(source);
    const [first] = await readRecords(source.openReader(shardId, { kind: 'TRIM_HORIZON' }), 1);
    await expect.poll(() => Date.now()).toBeGreaterThan(first!.arrivedAtMs + 2);
    await streams.put(stream, [{ partitionKey: 'k', data: base64('b') }]);
    const records = await readRecords(source.openReader(shardId, { kind: 'AT_TIMESTAMP', timestampMs: first!.arrivedAtMs + 1 }), 1);
    expect(records.map(dataOf)).toEqual(['b']);
  });

  test('a split and a merge leave a tree of shards, listed over several pages, and every shard but the last has an end', async () => {
    const stream = await streams.create(1);
    await streams.put(stream, [{ partitionKey: 'k', data: base64('parent') }]);
    const [parent] = await streams.openShards(stream);
    await streams.split(stream, parent!);
    const [left, right] = await streams.openShards(stream);
    await streams.merge(stream, left!, right!);
    const [merged] = await streams.openShards(stream);
    await streams.put(stream, [{ partitionKey: 'k', data: base64('merged') }]);

    const expected: StreamShard[] = [
      { shardId: parent!.ShardId, parentShardIds: [], isOpen: false },
      { shardId: left!.ShardId, parentShardIds: [parent!.ShardId], isOpen: false },
      { shardId: right!.ShardId, parentShardIds: [parent!.ShardId], isOpen: false },
      { shardId: merged!.ShardId, parentShardIds: [left!.ShardId, right!.ShardId], isOpen: true },
    ];
    for (const shardsPerCall of [1, 2, 3, undefined]) expect(await open(stream, shardsPerCall).listShards(noSignal())).toEqual(expected);

    const source = open(stream);
    const read = async (shardId: string): Promise<string[]> =>
      (await readRecords(source.openReader(shardId, { kind: 'TRIM_HORIZON' }), 1)).map(dataOf);
    expect(await Promise.all(expected.map(({ shardId }) => read(shardId)))).toEqual([['parent'], [], [], ['merged']]);
  });

  test('a stream that was deleted is not found; made again, it is another one and read from its beginning', async () => {
    const stream = await streams.create(1);
    const source = open(stream);
    const shardId = await onlyShard(source);
    const reader = source.openReader(shardId, { kind: 'TRIM_HORIZON' });
    await reader.read(1, noSignal());
    const before = await source.identity(noSignal());
    await streams.delete(stream);
    await expect(reader.read(1, noSignal())).rejects.toMatchObject({ code: 'notFound' });
    await expect(source.listShards(noSignal())).rejects.toMatchObject({ code: 'notFound' });
    await expect(source.identity(noSignal())).rejects.toMatchObject({ code: 'notFound' });
    await streams.create(1, stream.name);
    const again = await source.identity(noSignal());
    expect(Math.abs(again.createdAtMs! - Date.now())).toBeLessThan(60_000);
    expect([again.arn, again.createdAtMs! > before.createdAtMs!]).toEqual([stream.arn, true]);
    await streams.put(stream, [{ partitionKey: 'k', data: base64('new') }]);
    expect((await readRecords(reader, 1)).map(dataOf)).toEqual(['new']);
  });

  test('a sequence number that the stream does not know is a position whose data are gone', async () => {
    const stream = await streams.create(1);
    // The emulator looks at the number only if the shard holds something.
    await streams.put(stream, [{ partitionKey: 'k', data: base64('a') }]);
    const source = open(stream);
    const reader = source.openReader(await onlyShard(source), { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '4966' });
    await expect(reader.read(1, noSignal())).rejects.toMatchObject({ name: 'SourceError', code: 'expired' });
  });

  test('how far a page is behind the tip is told', async () => {
    const stream = await streams.create(1);
    await streams.put(
      stream,
      ['a', 'b'].map((text) => ({ partitionKey: 'k', data: base64(text) })),
    );
    const source = open(stream);
    const reader = source.openReader(await onlyShard(source), { kind: 'TRIM_HORIZON' });
    await readRecords(reader, 2);
    expect(await reader.read(1, noSignal())).toEqual({ records: [], isEnd: false, behindMs: 0 });
  });
});
