import { describe, expect, test } from 'vitest';
import { aggregateOf, type TestUserRecord } from '../../test-data/aggregate.ts';
import { createRecordWriter } from './record.ts';
import { unpackRecords, type HashRange, type PushedRecord } from './unpack-records.ts';

const consumerArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks/consumer/wherry:1';
const writeRecord = createRecordWriter({ eventSourceArn: consumerArn, invokeIdentityArn: 'arn:aws:iam::0:role/r' });
const ALL: HashRange = { start: 0n, end: 2n ** 128n - 1n };

function pushed(sequenceNumber: string, data: Buffer): PushedRecord {
  return { sequenceNumber, partitionKey: 'outer', data, arrivedAtMs: 1_789_651_650_123 };
}

function user(partitionKey: string, text: string, explicitHashKey?: string): TestUserRecord {
  return { partitionKey, data: Buffer.from(text), ...(explicitHashKey === undefined ? {} : { explicitHashKey }) };
}

async function unpack(records: readonly PushedRecord[], range: HashRange | undefined = ALL) {
  let asked = 0;
  const hashRange = async (): Promise<HashRange | undefined> => {
    asked += 1;
    return range;
  };
  const written = await unpackRecords(records, { shardId: 'shardId-000000000001', writeRecord, hashRange });
  const told = written.map(({ recordJson, recordBytes, ...rest }) => {
    expect(recordBytes).toBe(Buffer.byteLength(recordJson));
    const { eventID, eventSourceARN, kinesis } = JSON.parse(recordJson) as {
      eventID: string;
      eventSourceARN: string;
      kinesis: { data: string; partitionKey: string; sequenceNumber: string; approximateArrivalTimestamp: number };
    };
    return { ...rest, eventID, eventSourceARN, kinesis: { ...kinesis, data: Buffer.from(kinesis.data, 'base64').toString() } };
  });
  return { told, asked };
}

/** The part of a record that is its own, of an aggregate with the sequence number 7. */
function inner(partitionKey: string, data: string): object {
  const approximateArrivalTimestamp = 1_789_651_650.123;
  return { kinesis: { kinesisSchemaVersion: '1.0', partitionKey, sequenceNumber: '7', data, approximateArrivalTimestamp } };
}

describe('LIF-11 what a subscription brought', () => {
  test('of an aggregate each record comes by itself, all with the number, the id and the time of the aggregate', async () => {
    const aggregate = aggregateOf([user('a', 'one'), user('grüß', 'two'), user('a', 'three')]);
    const { told } = await unpack([pushed('7', aggregate)]);
    const common = { sequenceNumber: '7', arrivedAtMs: 1_789_651_650_123, eventID: 'shardId-000000000001:7', eventSourceARN: consumerArn };
    expect(told).toEqual([
      { ...common, orderKey: 'a', isWithinAggregate: true, ...inner('a', 'one') },
      { ...common, orderKey: 'grüß', isWithinAggregate: true, ...inner('grüß', 'two') },
      { ...common, orderKey: 'a', ...inner('a', 'three') },
    ]);
  });

  test('an aggregate of one record needs no mark', async () => {
    const { told } = await unpack([pushed('7', aggregateOf([user('a', 'one')]))]);
    expect(told.map((one) => 'isWithinAggregate' in one)).toEqual([false]);
  });

  test('plain records and broken aggregates come as they are, and nobody is asked for the range of the shard because of plain ones', async () => {
    const { told, asked } = await unpack([pushed('1', Buffer.from('plain'))]);
    expect([told.map(({ orderKey, kinesis }) => [orderKey, kinesis.data]), asked]).toEqual([[['outer', 'plain']], 0]);
    const broken = aggregateOf([user('a', 'one'), user('b', 'two')]);
    broken[broken.length - 1]! ^= 1;
    const mixed = await unpack([pushed('1', Buffer.from('plain')), pushed('2', broken), pushed('3', aggregateOf([user('c', 'in')]))]);
    expect(mixed.told.map(({ orderKey, sequenceNumber }) => [orderKey, sequenceNumber])).toEqual([
      ['outer', '1'],
      ['outer', '2'],
      ['c', '3'],
    ]);
    expect(mixed.asked).toBe(1);
  });
});

// MD5 of 'a' is 0cc175b9c0f1b6a831c399e269772661, of 'b' 92eb5ffee6ae2fec3ad71c777531578f.
const MD5_A = BigInt('0x0cc175b9c0f1b6a831c399e269772661');
const MD5_B = BigInt('0x92eb5ffee6ae2fec3ad71c777531578f');

describe('an aggregate with a record of another shard', () => {
  test.each<[string, TestUserRecord[], HashRange | undefined, number]>([
    ['all within', [user('a', '1'), user('b', '2')], { start: MD5_A, end: MD5_B }, 2],
    ['one below', [user('a', '1'), user('b', '2')], { start: MD5_A + 1n, end: MD5_B }, 1],
    ['one above', [user('a', '1'), user('b', '2')], { start: MD5_A, end: MD5_B - 1n }, 1],
    ['explicit hash keys count before the partition keys', [user('a', '1', '5'), user('b', '2', '6')], { start: 5n, end: 6n }, 2],
    ['one explicit hash key outside', [user('a', '1', '5'), user('b', '2', '7')], { start: 5n, end: 6n }, 1],
    ['the same key with and without an explicit one', [user('a', '1', '5'), user('a', '2')], { start: 5n, end: 6n }, 1],
    ['a key with a space in it', [user(' a b', '1')], { start: 0n, end: 0n }, 1],
    ['a range that nobody knows', [user('a', '1'), user('b', '2', '7')], undefined, 2],
  ])('is one record as it is: %s', async (_what, records, range, count) => {
    const hashRange = () => Promise.resolve(range);
    const written = await unpackRecords([pushed('7', aggregateOf(records))], { shardId: 's', writeRecord, hashRange });
    expect(written.map(({ orderKey }) => orderKey === 'outer')).toEqual(count === 1 ? [true] : [false, false]);
  });
});
