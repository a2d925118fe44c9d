import { isAscii } from 'node:buffer';
import type { _Record, GetRecordsCommandOutput } from '@aws-sdk/client-kinesis';
import { isSequenceNumber } from '@wherry/core/stream/sequence-number';
import { isObject } from '../aws/plain-json.ts';
import type { PushedRecord } from './unpack-records.ts';

/** A record as Kinesis sent it. */
export interface PlainKinesisRecord {
  readonly SequenceNumber: string;
  readonly PartitionKey: string;
  /** Base64. ASCII that may stand in JSON as it is. */
  readonly Data: string;
  /** Seconds. */
  readonly ApproximateArrivalTimestamp: number;
}

/** The parts of a GetRecords answer that a reader needs. */
export interface PlainKinesisPage {
  readonly records: readonly PlainKinesisRecord[];
  readonly nextShardIterator: string | undefined;
  readonly behindMs: number | undefined;
}

const NOT_BASE64 = /[^A-Za-z0-9+/=]/;
const BACKSLASH = 0x5c;

/**
 * The answer of a GetRecords, or nothing where a member has another type than Kinesis gives it: the SDK has rules for such things,
 * and they are not repeated here. `null` for a member that may be missing means that it is missing, as it does to the SDK.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
 */
export function readPage(answer: unknown, chunks: readonly Buffer[]): PlainKinesisPage | undefined {
  if (!isObject(answer)) return undefined;
  const { Records: records, NextShardIterator: next, MillisBehindLatest: behind } = answer;
  if (!Array.isArray(records) || !records.every(isRecord)) return undefined;
  // Where nothing was escaped on the way here, nothing has to be on the way out: one look at the bytes, not one at each text.
  const isPlainText = chunks.every((chunk) => isAscii(chunk) && !chunk.includes(BACKSLASH));
  if (!isPlainText && records.some(({ Data }) => NOT_BASE64.test(Data))) return undefined;
  const nextShardIterator = next ?? undefined;
  const behindMs = behind ?? undefined;
  if (nextShardIterator !== undefined && typeof nextShardIterator !== 'string') return undefined;
  if (behindMs !== undefined && typeof behindMs !== 'number') return undefined;
  return { records, nextShardIterator, behindMs };
}

/**
 * The same from an answer that came through the SDK, which has turned texts into bytes and dates. Throws on a record without a
 * sequence number: nothing could say where in the shard it stands.
 */
export function fromSdk(answer: GetRecordsCommandOutput): PlainKinesisPage {
  const records = (answer.Records ?? []).map(fromSdkRecord).map(({ sequenceNumber, partitionKey, data, arrivedAtMs }) => ({
    SequenceNumber: sequenceNumber,
    PartitionKey: partitionKey,
    Data: data.toString('base64'),
    ApproximateArrivalTimestamp: arrivedAtMs / 1000,
  }));
  return { records, nextShardIterator: answer.NextShardIterator, behindMs: answer.MillisBehindLatest };
}

/** One record that came through the SDK; throws as `fromSdk` does. */
export function fromSdkRecord(record: _Record): PushedRecord {
  const { buffer, byteOffset, byteLength } = record.Data ?? new Uint8Array();
  return {
    sequenceNumber: digits(record.SequenceNumber),
    partitionKey: record.PartitionKey ?? '',
    data: Buffer.from(buffer, byteOffset, byteLength),
    arrivedAtMs: (record.ApproximateArrivalTimestamp ?? new Date()).getTime(),
  };
}

function digits(sequenceNumber = ''): string {
  if (!isSequenceNumber(sequenceNumber)) throw new Error(`a record has the sequence number "${sequenceNumber}"; expected decimal digits`);
  return sequenceNumber;
}

function isRecord(value: unknown): value is PlainKinesisRecord {
  if (!isObject(value)) return false;
  const { SequenceNumber, PartitionKey, Data, ApproximateArrivalTimestamp } = value;
  return (
    typeof SequenceNumber === 'string' &&
    isSequenceNumber(SequenceNumber) &&
    typeof PartitionKey === 'string' &&
    typeof ApproximateArrivalTimestamp === 'number' &&
    typeof Data === 'string'
  );
}
