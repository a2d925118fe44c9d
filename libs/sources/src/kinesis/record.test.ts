import { describe, expect, test } from 'vitest';
import type { PlainKinesisRecord } from './plain-answer.ts';
import { createRecordWriter } from './record.ts';

const eventSourceArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks';
const invokeIdentityArn = 'arn:aws:iam::000000000000:role/esm-role';
const write = createRecordWriter({ eventSourceArn, invokeIdentityArn });
const shardId = 'shardId-000000000000';
const sequenceNumber = '49668000000000000000000000000000000000000000000000000001';

function received(changes: Partial<PlainKinesisRecord> = {}): PlainKinesisRecord {
  return {
    SequenceNumber: sequenceNumber,
    PartitionKey: 'user-7',
    Data: 'aGVsbG8=',
    ApproximateArrivalTimestamp: 1789651650.123,
    ...changes,
  };
}

test('EVT-04 a record stands in the event as Lambda writes it, key order included', () => {
  const recordJson =
    `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"user-7","sequenceNumber":"${sequenceNumber}"` +
    `,"data":"aGVsbG8=","approximateArrivalTimestamp":1789651650.123},"eventSource":"aws:kinesis","eventVersion":"1.0"` +
    `,"eventID":"${shardId}:${sequenceNumber}","eventName":"aws:kinesis:record"` +
    `,"invokeIdentityArn":"${invokeIdentityArn}","awsRegion":"us-east-1","eventSourceARN":"${eventSourceArn}"}`;
  const recordBytes = Buffer.byteLength(recordJson);
  expect(write(shardId, received())).toEqual({ sequenceNumber, arrivedAtMs: 1789651650123, orderKey: 'user-7', recordJson, recordBytes });
});

test('EVT-04 the encryption type is not shown', () => {
  const record = { ...received(), EncryptionType: 'KMS' };
  expect(write(shardId, record).recordJson).toBe(write(shardId, received()).recordJson);
});

test.each([
  [1789651650, 1789651650, 1789651650000],
  [1789651650.5, 1789651650.5, 1789651650500],
  [1789651650.123456, 1789651650.123, 1789651650123],
  [1.789651650999e9, 1789651650.999, 1789651650999],
])('EVT-04 a record that arrived at %d s says %d', (sent, shown, arrivedAtMs) => {
  const record = write(shardId, received({ ApproximateArrivalTimestamp: sent }));
  expect(record.arrivedAtMs).toBe(arrivedAtMs);
  expect(JSON.parse(record.recordJson)).toMatchObject({ kinesis: { approximateArrivalTimestamp: shown } });
});

test('EVT-08 with a consumer the event names the consumer', () => {
  const consumerArn = `${eventSourceArn}/consumer/wherry:1789651650`;
  const record = createRecordWriter({ eventSourceArn: consumerArn, invokeIdentityArn })(shardId, received());
  expect(JSON.parse(record.recordJson)).toMatchObject({ eventSourceARN: consumerArn, awsRegion: 'us-east-1' });
});

describe('the length of a record', () => {
  test.each(['user-7', 'grüß ☃', '😀', '"quoted"\\\n', ''])('with the partition key %j is that of its UTF-8', (partitionKey) => {
    const record = write(shardId, received({ PartitionKey: partitionKey }));
    expect(record).toMatchObject({ orderKey: partitionKey, recordBytes: Buffer.byteLength(record.recordJson) });
    expect(JSON.parse(record.recordJson)).toMatchObject({ kinesis: { partitionKey } });
  });

  test('counts what is not ASCII in the role', () => {
    const record = createRecordWriter({ eventSourceArn, invokeIdentityArn: 'arn:aws:iam::0:role/prüfer' })(shardId, received());
    expect(record.recordBytes).toBe(Buffer.byteLength(record.recordJson));
  });
});
