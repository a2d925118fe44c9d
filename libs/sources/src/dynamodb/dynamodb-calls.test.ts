import type { AnswerRequest } from '@wherry/testkit/target-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answersOf, expectSameWithoutSdk, serve } from '../../test-data/stream-calls.ts';
import type { StreamCalls } from '../streams/stream-calls.ts';
import { createDynamoDbCalls, openDynamoDbClient } from './dynamodb-calls.ts';
import { createRecordWriter } from './record.ts';

const streamArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-09-17T12:49:54.528';
const signal = new AbortController().signal;
const { json, text } = answersOf('1.0');

const image = {
  pk: { S: 'a' },
  n: { N: '123456789012345678901234567890' },
  tags: { SS: ['x', 'y'] },
  nums: { NS: ['1', '2.5'] },
  bin: { B: '3q2+7w==' },
  bins: { BS: ['AQI=', 'Aw=='] },
  no: { BOOL: false },
  nil: { NULL: true },
  list: { L: [{ B: '//8=' }, { L: [] }, { M: { deep: { BS: ['AA=='] } } }] },
  map: { M: { 'grüß "☃"': { S: 'v\n' }, b: { B: '' } } },
  emptyList: { L: [] },
  emptyMap: { M: {} },
};

/** What DynamoDB Streams answered, with the changes of one case. */
function record(changes: object = {}, dynamodb: object = {}): object {
  return {
    eventID: '3b6a1b7c5f0d4a0e9d6b2c1a8e7f6543',
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: 1789651658,
      Keys: { pk: { S: 'a' } },
      NewImage: image,
      SequenceNumber: '4421584500000000017450439091',
      SizeBytes: 59,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      ...dynamodb,
    },
    ...changes,
  };
}

function openCalls(endpoint: string): StreamCalls {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const client = openDynamoDbClient({ region: 'us-east-1', endpoint, maxAttempts: 1 }, () => Promise.resolve(credentials));
  onTestFinished(() => client.destroy());
  return createDynamoDbCalls(client, streamArn, createRecordWriter(streamArn));
}

describe('GetRecords', () => {
  test('EVT-06 an item is passed on as it was written, with the SDK and without it', async () => {
    const server = await serve();
    server.answer(json(200, { Records: [record()], NextShardIterator: 'next' }));
    const calls = openCalls(server.url);
    for (const isDirect of [false, true]) {
      const page = await calls.getRecords('shardId-0', 'iterator', 10, signal);
      expect(JSON.parse(page.records[0]!.recordJson)).toEqual({ ...record(), eventSourceARN: streamArn });
      expect('amz-sdk-invocation-id' in server.requests.at(-1)!.headers).toBe(!isDirect);
      expect(JSON.parse(String(server.requests.at(-1)?.body))).toEqual({ ShardIterator: 'iterator', Limit: 10 });
    }
  });

  test.each<[string, AnswerRequest]>([
    ['a record', json(200, { Records: [record()], NextShardIterator: 'next' })],
    ['the end of a shard', json(200, { Records: [record()] })],
    ['null for the next iterator', json(200, { Records: [], NextShardIterator: null })],
    ['a time in scientific notation', text(200, JSON.stringify({ Records: [record()] }).replace('1789651658', '1.789651658E9'))],
    ['a time with a fraction', text(200, JSON.stringify({ Records: [record()] }).replace('1789651658', '1789651658.000'))],
    [
      'a deletion by time to live',
      json(200, { Records: [record({ userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' } })] }),
    ],
    ['an event nobody knows', json(200, { Records: [record({ eventName: 'UNKNOWN_TO_SDK_VERSION' })] })],
    ['members that are missing', json(200, { Records: [record({ eventID: undefined, awsRegion: undefined }, { SizeBytes: undefined })] })],
    ['null for an image', json(200, { Records: [record({}, { OldImage: null })] })],
    ['null for the identity', json(200, { Records: [record({ userIdentity: null })] })],
    ['a number for a text', json(200, { Records: [record({ eventVersion: 1.1 })] })],
    ['an image that is none', json(200, { Records: [record({}, { NewImage: [] })] })],
    ['a record without a change', json(200, { Records: [{ eventID: 'x' }] })],
    ['a sequence number that is none', json(200, { Records: [record({}, { SequenceNumber: 'x' })] })],
    ['an expired iterator', json(400, { __type: 'com.amazonaws.dynamodb.v20120810#ExpiredIteratorException', message: 'expired' })],
    ['trimmed data', json(400, { __type: 'com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException', message: 'trimmed' })],
    ['a throttled call', json(400, { __type: 'com.amazonaws.dynamodb.v20120810#LimitExceededException', message: 'slow down' })],
    ['a forbidden call', json(400, { __type: 'com.amazon.coral.service#AccessDeniedException', Message: 'not you' })],
    ['a missing stream', json(400, { __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException', message: 'gone' })],
    ['an iterator that is none', json(400, { __type: 'com.amazon.coral.validate#ValidationException', Message: 'Invalid ShardIterator' })],
    ['a broken server', json(500, { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError' })],
    ['a cut connection', (request) => request.socket.destroy()],
  ])('comes to the same with the SDK and without it: %s', async (_what, answer) => {
    await expectSameWithoutSdk((endpoint) => openCalls(endpoint), answer, json(200, { Records: [] }));
  });
});

test('DescribeStream goes on behind the shard that the part before it ended with', async () => {
  const server = await serve();
  const closed = { StartingSequenceNumber: '1', EndingSequenceNumber: '9' };
  const parent = { ShardId: 'a', SequenceNumberRange: closed };
  const child = { ShardId: 'b', ParentShardId: 'a', SequenceNumberRange: { StartingSequenceNumber: '10' } };
  server.answer(json(200, { StreamDescription: { Shards: [parent], LastEvaluatedShardId: 'a' } }));
  const calls = openCalls(server.url);
  expect(await calls.listShards(undefined, signal)).toEqual({
    shards: [{ shardId: 'a', parentShardIds: [], isOpen: false }],
    continueAfter: 'a',
  });
  server.answer(json(200, { StreamDescription: { Shards: [child] } }));
  expect(await calls.listShards('a', signal)).toEqual({ shards: [{ shardId: 'b', parentShardIds: ['a'], isOpen: true }] });
  expect(server.requests.map(({ body }) => JSON.parse(String(body)) as object)).toEqual([
    { StreamArn: streamArn },
    { StreamArn: streamArn, ExclusiveStartShardId: 'a' },
  ]);
});

test.each([
  [{ kind: 'TRIM_HORIZON' } as const, { ShardIteratorType: 'TRIM_HORIZON' }],
  [{ kind: 'LATEST' } as const, { ShardIteratorType: 'LATEST' }],
  [{ kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '7' } as const, { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '7' }],
])('GetShardIterator asks for %o', async (position, asked) => {
  const server = await serve();
  server.answer(json(200, { ShardIterator: 'i' }));
  expect(await openCalls(server.url).getShardIterator('shardId-0', position, signal)).toBe('i');
  expect(JSON.parse(String(server.requests[0]?.body))).toEqual({ StreamArn: streamArn, ShardId: 'shardId-0', ...asked });
});
