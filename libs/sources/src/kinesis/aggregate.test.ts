import { array, assert, constant, nat, oneof, property, record, string, uint8Array, bigInt } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aggregateOf, field, numberField, wrap } from '../../test-data/aggregate.ts';
import { isAggregate, readAggregate } from './aggregate.ts';

const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64');
const seen = (data: Buffer) => readAggregate(data)?.map((one) => ({ ...one, data: one.data.toString() }));

/** Aggregates that other programs made: AWS's producer library for Java, and its aggregation libraries for Python and Ruby. */
const ONE = '84mawgoFa2V5LTAaJQgAGiFUZXN0aW5nIEtQTCBBZ2dyZWdhdGVkIFJlY29yZCAxLTBlW2Hfd6iL1WkMbznr8jc2';
const THREE =
  '84mawgoEcGstMAoEcGstMQoEcGstMhoTCAAaD3sibXNnIjoibGluZTAifRoTCAEaD3sibXNnIjoibGluZTEifRoTCAIaD3sibXNnIjoibGluZTIifZ8hyadI+v2KZPZrUGim6cQ=';
const ONE_KEY =
  '84mawgoCcDEaGAgAGhQwMTIzNDU2Nzg5MDEyMzQ1NjdfQRoYCAAaFDAxMjM0NTY3ODkwMTIzNDU2N19CGhgIABoUMDEyMzQ1Njc4OTAxMjM0NTY3X0NHjL02iyRk3D+kO2UC2X6u';
const HASH_KEYS = [
  '84mawgokZmMwM2RkODgtM2U3OS00NDhhLWIwMWEtN2NmMWJkNDdiNzg0CiRjYWU0MWIxYy1lYTYxLTQz',
  'ZjItOTBiZS1iODc1NWViZjg4ZTIKJGQ0OTA2OTBjLWU3NGQtNGRiMi1hM2M4LWQ4ZjJmMTg0ZmQyMwokYzkyNGJjMDktYjg1ZS00N2',
  'YxLWIzMmUtMzM2NTIyZWU1M2M4EiYzODQ4NjQ5NTg2NzUwODM5OTA3ODE1OTcyMzg0NjA1MTgwNzAyMBInMTkzNzg3NjAwMDM3Njgx',
  'NzA2OTUyMTQzMzU3MDcxOTE2MzUyNjA0EicyNjY4ODA0MzY5NjQ5MzI0MjQyNjU0NjY5MTY3MzQwNjg2ODQ0MzkSJzMzOTYwNjYwMD',
  'k0Mjk2NzM5MTg1NDYwMzU1MjQwMjAyMTg0NzI5MhomCAAQABogUkVDT1JEIDIyIHBlZW9iaGN6YnpkbXNrYm91cGd5cQoaJggBEAEa',
  'IFJFQ09SRCAyMyB1c3dreGZ0eHJvZXVzc2N4c2pobm8KGiYIAhACGiBSRUNPUkQgMjQgY2FzZWhkZ2l2ZmF4ZXVzdGx5c3p5ChomCA',
  'MQAxogUkVDT1JEIDI1IG52ZmZ2cG11b2dkb3BqaGFtZXZyawpRwVPQ3go0yp4Y6kvM0q3V',
].join('');

describe('LIF-11 an aggregate that another program made', () => {
  test('holds its records with the keys and the data that they were sent with', () => {
    expect(seen(fromBase64(ONE))).toEqual([{ partitionKey: 'key-0', data: 'Testing KPL Aggregated Record 1-0' }]);
    expect(seen(fromBase64(THREE))).toEqual([0, 1, 2].map((i) => ({ partitionKey: `pk-${i}`, data: `{"msg":"line${i}"}` })));
    expect(seen(fromBase64(ONE_KEY))).toEqual(['A', 'B', 'C'].map((end) => ({ partitionKey: 'p1', data: `012345678901234567_${end}` })));
  });

  test('has explicit hash keys where they were given', () => {
    const records = seen(fromBase64(HASH_KEYS));
    expect(records?.map(({ explicitHashKey }) => explicitHashKey)).toEqual([
      '38486495867508399078159723846051807020',
      '193787600037681706952143357071916352604',
      '266880436964932424265466916734068684439',
      '339606600942967391854603552402021847292',
    ]);
    expect(records?.at(-1)).toMatchObject({
      partitionKey: 'c924bc09-b85e-47f1-b32e-336522ee53c8',
      data: 'RECORD 25 nvffvpmuogdopjhamevrk\n',
    });
  });

  test('that lost or changed a byte anywhere is none', () => {
    const whole = fromBase64(THREE);
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 0x40;
      expect([at, readAggregate(changed), readAggregate(whole.subarray(0, at))]).toEqual([at, undefined, undefined]);
    }
  });
});

test('any records come out as they were packed', () => {
  const one = record({
    partitionKey: string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
    explicitHashKey: oneof(constant(undefined), bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(String)),
    data: uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }).map(({ explicitHashKey, ...rest }) => ({ ...rest, ...(explicitHashKey === undefined ? {} : { explicitHashKey }) }));
  assert(
    property(array(one, { minLength: 1, maxLength: 40 }), (records) => {
      expect(readAggregate(aggregateOf(records))).toEqual(records);
    }),
  );
});

test('a message that is no aggregate is none, whatever it is, and is not stumbled over', () => {
  assert(
    property(uint8Array({ maxLength: 60 }), nat(3), (bytes, kind) => {
      const message = Buffer.from(bytes);
      const data = kind === 0 ? message : wrap(Buffer.concat([message, ...(kind === 1 ? [field(3, message)] : [])]));
      const records = readAggregate(data);
      expect(records === undefined || records.length > 0).toBe(true);
    }),
  );
});

const key = field(1, 'k');
const data = field(3, 'd');
const good = field(3, Buffer.concat([numberField(1, 0), data]));

test.each<[string, Buffer]>([
  ['nothing', Buffer.alloc(0)],
  ['keys but no record', key],
  ['a record without a key', Buffer.concat([key, field(3, data)])],
  ['a record without data', Buffer.concat([key, field(3, numberField(1, 0))])],
  ['a key that is not in the table', Buffer.concat([key, good, field(3, Buffer.concat([numberField(1, 1), data]))])],
  ['a hash key that is not in the table', Buffer.concat([key, field(3, Buffer.concat([numberField(1, 0), numberField(2, 0), data]))])],
  ['a hash key that is no number', Buffer.concat([key, field(2, '0x10'), good])],
  ['a table that is a number', Buffer.concat([numberField(1, 5), good])],
  ['data that are a number', Buffer.concat([key, field(3, Buffer.concat([numberField(1, 0), numberField(3, 7)]))])],
  ['a number that never ends', Buffer.concat([key, good, Buffer.alloc(11, 0xff)])],
  ['a field that is longer than the message', Buffer.concat([key, good, Buffer.from([0x1a, 0x7f, 0x01])])],
  ['a group, which nobody writes any more', Buffer.concat([key, good, Buffer.from([0x1b])])],
])('is broken with %s', (_what, message) => {
  expect(readAggregate(wrap(message))).toBeUndefined();
});

test('members that came later are left out: of every kind, in the message and in a record', () => {
  const later = [numberField(9, 300), field(10, 'x'), Buffer.from([0x59, 1, 2, 3, 4, 5, 6, 7, 8]), Buffer.from([0x65, 1, 2, 3, 4])];
  const tag = field(4, Buffer.concat([field(1, 'name'), field(2, 'value')]));
  const record3 = field(3, Buffer.concat([...later, numberField(1, 0), tag, data]));
  expect(seen(wrap(Buffer.concat([...later, key, record3])))).toEqual([{ partitionKey: 'k', data: 'd' }]);
});

test('only what begins like one may be one', () => {
  expect(isAggregate(fromBase64(ONE))).toBe(true);
  for (const other of [Buffer.alloc(0), fromBase64(ONE).subarray(0, 20), Buffer.from('hello, this is no aggregate')]) {
    expect(isAggregate(other)).toBe(false);
  }
});
