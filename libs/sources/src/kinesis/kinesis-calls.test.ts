import { KinesisClient } from '@aws-sdk/client-kinesis';
import type { AnswerRequest } from '@wherry/testkit/target-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answersOf, expectSameWithoutSdk, serve } from '../../test-data/stream-calls.ts';
import type { StreamCalls } from '../streams/stream-calls.ts';
import { createKinesisCalls, openKinesisClient } from './kinesis-calls.ts';
import { createRecordWriter } from './record.ts';

const streamArn = 'arn:aws:kinesis:us-east-1:123456789012:stream/clicks';
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const writeRecord = createRecordWriter({ eventSourceArn: streamArn, invokeIdentityArn: 'arn:aws:iam::0:role/r' });
const signal = new AbortController().signal;
const { json, text } = answersOf('1.1');
const sequenceNumber = '49668000000000000000000000000000000000000000000000000001';
const record = { SequenceNumber: sequenceNumber, PartitionKey: 'k', Data: 'aGVsbG8=', ApproximateArrivalTimestamp: 1789651650.123 };

function openCalls(endpoint: string, shardsPerCall?: number): StreamCalls {
  const client = openKinesisClient({ region: 'us-east-1', endpoint, maxAttempts: 1 }, () => Promise.resolve(credentials));
  onTestFinished(() => client.destroy());
  return createKinesisCalls(client, { streamArn, writeRecord, ...(shardsPerCall === undefined ? {} : { shardsPerCall }) });
}

describe('GetRecords', () => {
  test('is the same request without the SDK as with it', async () => {
    const server = await serve();
    server.answer(json(200, { Records: [], NextShardIterator: 'next' }));
    const calls = openCalls(server.url);
    for (const iterator of ['one', 'two']) await calls.getRecords('shardId-0', iterator, 10, signal);
    const [whole, direct] = server.requests;
    expect(['amz-sdk-invocation-id' in whole!.headers, 'amz-sdk-invocation-id' in direct!.headers]).toEqual([true, false]);
    expect(JSON.parse(String(whole?.body))).toEqual({ StreamARN: streamArn, ShardIterator: 'one', Limit: 10 });
    expect(JSON.parse(String(direct?.body))).toEqual({ StreamARN: streamArn, ShardIterator: 'two', Limit: 10 });
    for (const name of ['content-type', 'host', 'user-agent', 'x-amz-target', 'x-amz-user-agent']) {
      expect(direct?.headers[name]).toBe(whole?.headers[name]);
    }
    expect(direct?.headers.authorization).toMatch(/Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/kinesis\/aws4_request/);
  });

  test('goes to the host of the account that the ARN names', async () => {
    const client = new KinesisClient({
      region: 'us-east-1',
      credentials,
      requestHandler: { handle: ({ hostname }: { hostname: string }) => Promise.reject(new Error(`asked ${hostname}`)) },
      maxAttempts: 1,
    });
    const calls = createKinesisCalls(client, { streamArn, writeRecord });
    const host = 'asked 123456789012.data-kinesis.us-east-1.amazonaws.com';
    for (let turn = 0; turn < 2; turn += 1) await expect(calls.getRecords('shardId-0', 'i', 1, signal)).rejects.toThrow(host);
  });

  test.each<[string, AnswerRequest]>([
    ['a record', json(200, { Records: [record], NextShardIterator: 'next', MillisBehindLatest: 5 })],
    ['the end of a shard', json(200, { Records: [record], ChildShards: [{ ShardId: 's', ParentShards: ['p'] }], MillisBehindLatest: 0 })],
    ['null for what is missing', json(200, { Records: [], NextShardIterator: null, MillisBehindLatest: null, ChildShards: null })],
    ['a partition key that is not ASCII', json(200, { Records: [{ ...record, PartitionKey: 'grüß "☃"\n' }], NextShardIterator: 'next' })],
    ['slashes that were escaped', text(200, JSON.stringify({ Records: [{ ...record, Data: '+//+' }] }).replaceAll('/', '\\/'))],
    ['no data', json(200, { Records: [{ ...record, Data: '' }], NextShardIterator: 'next' })],
    ['data that would break the record', json(200, { Records: [{ ...record, Data: 'aGVs","bG8=' }] })],
    ['a time in scientific notation', text(200, JSON.stringify({ Records: [record] }).replace('1789651650.123', '1.789651650123E9'))],
    ['a time as text', json(200, { Records: [{ ...record, ApproximateArrivalTimestamp: '2026-09-17T12:47:30.123Z' }] })],
    ['a sequence number that is none', json(200, { Records: [{ ...record, SequenceNumber: '"' }] })],
    ['a record without a sequence number', json(200, { Records: [{ ...record, SequenceNumber: undefined }] })],
    ['an expired iterator', json(400, { __type: 'ExpiredIteratorException', message: 'expired' })],
    ['a throttled call', json(400, { __type: 'ProvisionedThroughputExceededException', message: 'slow down' })],
    ['a forbidden call', json(400, { __type: 'AccessDeniedException', Message: 'not you' })],
    ['a missing stream', json(400, { __type: 'ResourceNotFoundException', message: 'gone' })],
    ['a broken server', text(500, '')],
    ['a page of a load balancer', text(503, '<html>busy</html>')],
    ['no JSON', text(200, '<html>hello</html>')],
    ['a cut connection', (request) => request.socket.destroy()],
  ])('comes to the same with the SDK and without it: %s', async (_what, answer) => {
    await expectSameWithoutSdk((endpoint) => openCalls(endpoint), answer, json(200, { Records: [] }));
  });
});

function shard(id: string, more: object = {}): object {
  return { ShardId: id, SequenceNumberRange: { StartingSequenceNumber: '1' }, ...more };
}

describe('ListShards', () => {
  test('begins behind the last shard of the part before, and always names the stream', async () => {
    const server = await serve();
    server.answer(json(200, { Shards: [shard('a'), shard('b')], NextToken: 'token' }));
    const calls = openCalls(server.url, 2);
    expect(await calls.listShards(undefined, signal)).toMatchObject({ continueAfter: 'b' });
    server.answer(json(200, { Shards: [shard('c')], NextToken: null }));
    expect(await calls.listShards('b', signal)).toEqual({ shards: [{ shardId: 'c', parentShardIds: [], isOpen: true }] });
    expect(server.requests.map(({ body }) => JSON.parse(String(body)) as object)).toEqual([
      { StreamARN: streamArn, MaxResults: 2 },
      { StreamARN: streamArn, ExclusiveStartShardId: 'b', MaxResults: 2 },
    ]);
  });

  test('gives no, one or two parents, and says which shards are closed', async () => {
    const server = await serve();
    const closed = { SequenceNumberRange: { StartingSequenceNumber: '1', EndingSequenceNumber: '9' } };
    const split = shard('b', { ParentShardId: 'a', AdjacentParentShardId: null });
    server.answer(json(200, { Shards: [shard('a', closed), split, shard('c', { ParentShardId: 'a', AdjacentParentShardId: 'b' })] }));
    expect((await openCalls(server.url).listShards(undefined, signal)).shards).toEqual([
      { shardId: 'a', parentShardIds: [], isOpen: false },
      { shardId: 'b', parentShardIds: ['a'], isOpen: true },
      { shardId: 'c', parentShardIds: ['a', 'b'], isOpen: true },
    ]);
  });
});

describe('the identity of the stream', () => {
  test.each<[string, unknown, number | undefined]>([
    ['seconds with a fraction, as AWS writes it', 1789651650.123, 1_789_651_650_123],
    ['whole seconds', 1789651650, 1_789_651_650_000],
    ['milliseconds', 1789651650123, 1_789_651_650_123],
    ['a text', '1789651650.123', 1_789_651_650_123],
    ['null', null, undefined],
    ['nothing', undefined, undefined],
  ])('is the time of its creation in epoch milliseconds, from %s', async (_what, StreamCreationTimestamp, createdAtMs) => {
    const server = await serve();
    server.answer(json(200, { StreamDescriptionSummary: { StreamName: 'clicks', StreamCreationTimestamp } }));
    expect(await openCalls(server.url).identity(signal)).toEqual({ arn: streamArn, createdAtMs });
    expect(JSON.parse(String(server.requests[0]?.body))).toEqual({ StreamARN: streamArn });
  });

  test('in scientific notation is the same time', async () => {
    const server = await serve();
    server.answer(text(200, '{"StreamDescriptionSummary":{"StreamCreationTimestamp":1.789651650123E9}}'));
    expect(await openCalls(server.url).identity(signal)).toEqual({ arn: streamArn, createdAtMs: 1_789_651_650_123 });
  });
});

test.each([
  [{ kind: 'TRIM_HORIZON' } as const, { ShardIteratorType: 'TRIM_HORIZON' }],
  [{ kind: 'LATEST' } as const, { ShardIteratorType: 'LATEST' }],
  [{ kind: 'AT_TIMESTAMP', timestampMs: 1789651650123 } as const, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 1789651650.123 }],
  [
    { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber } as const,
    { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: sequenceNumber },
  ],
])('GetShardIterator asks for %o', async (position, asked) => {
  const server = await serve();
  server.answer(json(200, { ShardIterator: 'i' }));
  expect(await openCalls(server.url).getShardIterator('shardId-0', position, signal)).toBe('i');
  expect(JSON.parse(String(server.requests[0]?.body))).toEqual({ StreamARN: streamArn, ShardId: 'shardId-0', ...asked });
});
