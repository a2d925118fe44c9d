import { createHash } from 'node:crypto';

/** A record of an aggregate that a test makes. */
export interface TestUserRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly data: Buffer;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/** A protobuf field that has a length. */
export function field(number: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A protobuf field that is a number. */
export function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** What stands around the message of an aggregate. */
export function wrap(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, createHash('md5').update(message).digest()]);
}

/** An aggregate as the Kinesis Producer Library makes it: keys in tables, records with indexes into them. */
export function aggregateOf(records: readonly TestUserRecord[]): Buffer {
  const keys = [...new Set(records.map(({ partitionKey }) => partitionKey))];
  const hashKeys = [...new Set(records.flatMap(({ explicitHashKey }) => explicitHashKey ?? []))];
  const fields = [
    ...keys.map((key) => field(1, key)),
    ...hashKeys.map((key) => field(2, key)),
    ...records.map(({ partitionKey, explicitHashKey, data }) => {
      const hashIndex = explicitHashKey === undefined ? [] : [numberField(2, hashKeys.indexOf(explicitHashKey))];
      return field(3, Buffer.concat([numberField(1, keys.indexOf(partitionKey)), ...hashIndex, field(3, data)]));
    }),
  ];
  return wrap(Buffer.concat(fields));
}
