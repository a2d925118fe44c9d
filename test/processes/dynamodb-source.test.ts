import type { StreamRecord, StreamSource } from '@wherry/core/stream-source';
import type { Backend } from '@wherry/testkit/backend-process';
import { describeStreamSource, noSignal, onlyShard, readRecords, type StreamBackend } from '@wherry/testkit/contracts/stream-source';
import { startDynamoDbLocal } from '@wherry/testkit/dynamodb-local-process';
import { startFaultProxy } from '@wherry/testkit/fault-proxy';
import { TestTables, type StreamViewType, type TestItem, type TestTable } from '@wherry/testkit/test-tables';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, type TestContext } from 'vitest';
import { openDynamoDbSource } from './stream-backend.ts';

interface DynamoDbRecord {
  readonly eventName: string;
  readonly dynamodb: {
    readonly Keys: TestItem;
    readonly NewImage?: TestItem;
    readonly OldImage?: TestItem;
    readonly ApproximateCreationDateTime: number;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
  };
}

/** One for both suites: it takes some seconds to start. */
let backend: Backend | string = 'not started';
beforeAll(async () => {
  const start = await startDynamoDbLocal();
  backend = start.kind === 'missing' ? start.reason : start.backend;
});
afterAll(async () => {
  if (typeof backend !== 'string') await backend.stop();
});

function parse({ recordJson }: StreamRecord): DynamoDbRecord {
  return JSON.parse(recordJson) as DynamoDbRecord;
}

async function startContractBackend(): Promise<StreamBackend | string> {
  if (typeof backend === 'string') return backend;
  const proxy = await startFaultProxy(backend.url);
  const tables = new TestTables(backend.url);
  return {
    proxy,
    close: () => proxy.close(),
    open: async ({ exists }) => {
      const missing = { name: 'missing', streamArn: 'arn:aws:dynamodb:ddblocal:000000000000:table/missing/stream/2026-01-01T00:00:00.000' };
      const table = exists ? await tables.create() : missing;
      let count = 0;
      return {
        source: openDynamoDbSource(table.streamArn, { endpoint: proxy.url }),
        write: async (texts) => {
          for (const text of texts) await tables.put(table, { pk: { S: 'k' }, sk: { N: String((count += 1)) }, text: { S: text } });
        },
        textOf: (record) => String(parse(record).dynamodb.NewImage?.['text']?.['S']),
        closeShard: () => tables.disableStream(table),
      };
    },
  };
}

describeStreamSource(
  'DynamoDB source on DynamoDB Local',
  { listOperation: 'DescribeStream', readOperation: 'GetRecords' },
  startContractBackend,
);

async function openTable(context: TestContext, viewType?: StreamViewType) {
  if (typeof backend === 'string') return context.skip(backend);
  const tables = new TestTables(backend.url);
  return { tables, table: await tables.create(viewType), endpoint: backend.url };
}

function openSource(table: TestTable, endpoint: string): StreamSource {
  const source = openDynamoDbSource(table.streamArn, { endpoint });
  onTestFinished(() => source.close());
  return source;
}

async function readAll(source: StreamSource, count: number): Promise<StreamRecord[]> {
  // The first page comes through the SDK, the others do not.
  return await readRecords(source.openReader(await onlyShard(source), { kind: 'TRIM_HORIZON' }), count, 1);
}

describe('DynamoDB source', () => {
  const key: TestItem = { pk: { S: 'schlüssel' }, sk: { N: '-1.5' } };
  const first: TestItem = {
    ...key,
    n: { N: '123456789012345678901234567890' },
    tags: { SS: ['x', 'y'] },
    nums: { NS: ['1', '2.5'] },
    bin: { B: '3q2+7w==' },
    bins: { BS: ['AQI=', 'Aw=='] },
    ok: { BOOL: true },
    nil: { NULL: true },
    list: { L: [{ S: 'q' }, { B: '//8=' }, { L: [] }, { M: { deep: { BS: ['AA=='] } } }] },
    map: { M: { k: { S: 'v' }, b: { B: 'AAECAw==' } } },
    emptyList: { L: [] },
    emptyMap: { M: {} },
    emptyText: { S: '' },
  };
  const second: TestItem = { ...key, n: { N: '2' } };

  const changeThrice = async (tables: TestTables, table: TestTable): Promise<void> => {
    await tables.put(table, first);
    await tables.put(table, second);
    await tables.delete(table, key);
  };

  const views: readonly (readonly [StreamViewType, boolean, boolean])[] = [
    ['NEW_AND_OLD_IMAGES', true, true],
    ['NEW_IMAGE', true, false],
    ['OLD_IMAGE', false, true],
    ['KEYS_ONLY', false, false],
  ];
  for (const [viewType, hasNew, hasOld] of views) {
    test(`EVT-05 insert, modify and remove with ${viewType} have the images they should`, async (context) => {
      const { tables, table, endpoint } = await openTable(context, viewType);
      await changeThrice(tables, table);
      const records = (await readAll(openSource(table, endpoint), 3)).map(parse);
      expect(records.map(({ eventName }) => eventName)).toEqual(['INSERT', 'MODIFY', 'REMOVE']);
      expect(records.map(({ dynamodb }) => dynamodb.Keys)).toEqual([key, key, key]);
      expect(records.map(({ dynamodb }) => 'NewImage' in dynamodb)).toEqual([hasNew, hasNew, false]);
      expect(records.map(({ dynamodb }) => 'OldImage' in dynamodb)).toEqual([false, hasOld, hasOld]);
      expect(records.every((record) => !('userIdentity' in record))).toBe(true);
    });
  }

  test('EVT-06 every type of attribute comes through as it was written, with the SDK and without it', async (context) => {
    const { tables, table, endpoint } = await openTable(context);
    await changeThrice(tables, table);
    const stream = await readAll(openSource(table, endpoint), 3);
    const [inserted, modified] = stream.map(parse);
    expect(inserted?.dynamodb.NewImage).toEqual(first);
    expect(modified?.dynamodb).toMatchObject({ NewImage: second, OldImage: first, StreamViewType: 'NEW_AND_OLD_IMAGES' });
    expect(stream.map(({ orderKey }) => orderKey)).toEqual(Array(3).fill('{"pk":{"S":"schlüssel"},"sk":{"N":"-1.5"}}'));
    expect(inserted).toMatchObject({
      eventSource: 'aws:dynamodb',
      eventVersion: '1.1',
      awsRegion: 'ddblocal',
      eventSourceARN: table.streamArn,
    });
    expect(inserted?.dynamodb.ApproximateCreationDateTime).toBe(stream[0]!.arrivedAtMs / 1000);
  });

  test('EVT-07 an item whose time to live is over is removed by DynamoDB itself, and the record says so', async (context) => {
    const { tables, table, endpoint } = await openTable(context);
    const ttl = { Enabled: true, AttributeName: 'ttl' };
    await tables.call('UpdateTimeToLive', { TableName: table.name, TimeToLiveSpecification: ttl });
    await tables.put(table, { ...key, ttl: { N: String(Math.floor(Date.now() / 1000) - 60) } });
    const [, removed] = (await readAll(openSource(table, endpoint), 2)).map(parse);
    expect(removed).toMatchObject({ eventName: 'REMOVE', userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } });
  });

  test('a stream that was switched off and on again is another one, and the old one is still there to be read', async (context) => {
    const { tables, table, endpoint } = await openTable(context);
    await tables.put(table, first);
    await tables.disableStream(table);
    const next = await tables.enableStream(table);
    await tables.put(table, second);
    expect(next.streamArn).not.toBe(table.streamArn);
    const names = async (one: TestTable): Promise<string[]> =>
      (await readAll(openSource(one, endpoint), 1)).map((record) => parse(record).eventName);
    expect([await names(table), await names(next)]).toEqual([['INSERT'], ['MODIFY']]);
  });

  test('a stream cannot be read from a timestamp', async (context) => {
    const { table, endpoint } = await openTable(context);
    const source = openSource(table, endpoint);
    const reader = source.openReader(await onlyShard(source), { kind: 'AT_TIMESTAMP', timestampMs: 0 });
    await expect(reader.read(1, noSignal())).rejects.toMatchObject({ name: 'SourceError', code: 'invalid' });
  });
});
