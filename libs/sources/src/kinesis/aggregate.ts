import { hash } from 'node:crypto';
import { isSequenceNumber } from '@wherry/core/stream/sequence-number';

/** One of the records that the Kinesis Producer Library packed into one. */
export interface UserRecord {
  readonly partitionKey: string;
  /** Decimal; absent where the hash of the partition key counts. */
  readonly explicitHashKey?: string;
  readonly data: Buffer;
}

const MAGIC = Buffer.from('f3899ac2', 'hex');
const MD5_BYTES = 16;

/** Whether a record may be an aggregate at all: a look at its first bytes. */
export function isAggregate(data: Buffer): boolean {
  return data.length > MAGIC.length + MD5_BYTES && data.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * Takes an aggregate apart: magic number, a protobuf message, its MD5.
 *
 * @returns its user records in order, their data still in the same memory; `undefined` if it is none or is broken anywhere, so that the
 *   record is to be passed on as it is: a part of it would be less than what was sent
 * @see https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
 */
export function readAggregate(data: Buffer): readonly UserRecord[] | undefined {
  if (!isAggregate(data)) return undefined;
  const message = data.subarray(MAGIC.length, -MD5_BYTES);
  if (!hash('md5', message, 'buffer').equals(data.subarray(-MD5_BYTES))) return undefined;
  const fields = readFields(message);
  const partitionKeys = bytesOf(fields, 1)?.map(String);
  const explicitHashKeys = bytesOf(fields, 2)?.map(String);
  const records = bytesOf(fields, 3);
  if (partitionKeys === undefined || explicitHashKeys === undefined || records === undefined || records.length === 0) return undefined;
  if (!explicitHashKeys.every(isSequenceNumber)) return undefined;
  const userRecords = records.map((record) => readUserRecord(record, partitionKeys, explicitHashKeys));
  return userRecords.every((one) => one !== undefined) ? userRecords : undefined;
}

/** `Record`: index of the partition key, index of the explicit hash key if there is one, data; tags are of no use to anybody here. */
function readUserRecord(record: Buffer, partitionKeys: readonly string[], explicitHashKeys: readonly string[]): UserRecord | undefined {
  const fields = readFields(record);
  const [keyIndex, hashIndex, data] = [1, 2, 3].map((number) => fields?.findLast((field) => field.number === number)?.value);
  const partitionKey = typeof keyIndex === 'number' ? partitionKeys[keyIndex] : undefined;
  if (partitionKey === undefined || !Buffer.isBuffer(data)) return undefined;
  if (hashIndex === undefined) return { partitionKey, data };
  const explicitHashKey = typeof hashIndex === 'number' ? explicitHashKeys[hashIndex] : undefined;
  return explicitHashKey === undefined ? undefined : { partitionKey, explicitHashKey, data };
}

interface Field {
  readonly number: number;
  /** A varint as a number, everything else as its bytes. */
  readonly value: number | Buffer;
}

/** The values of a field that may come several times; `undefined` if one of them is no text or bytes. */
function bytesOf(fields: readonly Field[] | undefined, number: number): readonly Buffer[] | undefined {
  const values = fields?.filter((field) => field.number === number).map(({ value }) => value);
  return values?.every((value) => Buffer.isBuffer(value)) === true ? values : undefined;
}

/**
 * The fields of a protobuf message, in order; `undefined` if it is none.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
function readFields(message: Buffer): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    if (tag === undefined) return undefined;
    const number = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    const start = readVarint(message, tag.end);
    if (wireType === 0 && start !== undefined) {
      fields.push({ number, value: start.value });
      at = start.end;
      continue;
    }
    const [from, length] = bytesAt(wireType, tag.end, start);
    const value = message.subarray(from, from + length);
    if (value.length !== length) return undefined;
    fields.push({ number, value });
    at = from + length;
  }
  return fields;
}

/** Where the bytes of a field begin and how many they are; of a kind that cannot be, more than any message has. */
function bytesAt(wireType: number, at: number, length: Varint | undefined): [from: number, length: number] {
  if (wireType === 1) return [at, 8];
  if (wireType === 5) return [at, 4];
  return wireType === 2 && length !== undefined ? [length.end, length.value] : [at, Infinity];
}

interface Varint {
  readonly value: number;
  readonly end: number;
}

const VARINT_BYTES_MAX = 10;

/** Beyond 2^53 it is inexact, which is far beyond every index and length that there can be. */
function readVarint(message: Buffer, at: number): Varint | undefined {
  let value = 0;
  for (let index = 0, scale = 1; index < VARINT_BYTES_MAX; index += 1, scale *= 128) {
    const byte = message[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + index + 1 };
  }
  return undefined;
}
