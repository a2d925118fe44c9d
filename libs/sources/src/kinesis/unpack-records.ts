import { hash } from 'node:crypto';
import type { StreamRecord } from '@wherry/core/stream-source';
import { isAggregate, readAggregate, type UserRecord } from './aggregate.ts';
import type { KinesisRecordWriter } from './record.ts';

/** A record as a subscription brings it. */
export interface PushedRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly arrivedAtMs: number;
}

/** The hash keys that a shard is responsible for, both ends included. */
export interface HashRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** What is needed to write the records of one shard. */
export interface UnpackOptions {
  readonly shardId: string;
  readonly writeRecord: KinesisRecordWriter;
  /** The range of the shard; asked for only where there is an aggregate. `undefined` if nobody knows. */
  readonly hashRange: () => Promise<HashRange | undefined>;
}

/**
 * Writes what a subscription brought. Aggregates of the Kinesis Producer Library are taken apart, as Lambda does it for enhanced
 * fan-out only: each user record has the partition key and the data of its own, and the sequence number, the event id and the time of
 * the aggregate. An aggregate that is broken, or that holds a record whose hash key does not belong to the shard, is one record as it
 * is; Lambda was seen to do the same.
 */
export async function unpackRecords(records: readonly PushedRecord[], options: UnpackOptions): Promise<readonly StreamRecord[]> {
  const { shardId, writeRecord } = options;
  const write = ({ sequenceNumber, arrivedAtMs }: PushedRecord, partitionKey: string, data: Buffer): StreamRecord =>
    writeRecord(shardId, {
      SequenceNumber: sequenceNumber,
      PartitionKey: partitionKey,
      Data: data.toString('base64'),
      ApproximateArrivalTimestamp: arrivedAtMs / 1000,
    });
  const range = records.some(({ data }) => isAggregate(data)) ? await options.hashRange() : undefined;
  return records.flatMap((record) => {
    const userRecords = readAggregate(record.data);
    if (userRecords === undefined || !areWithin(userRecords, range)) return [write(record, record.partitionKey, record.data)];
    return userRecords.map(({ partitionKey, data }, index) => ({
      ...write(record, partitionKey, data),
      ...(index < userRecords.length - 1 ? { isWithinAggregate: true } : {}),
    }));
  });
}

function areWithin(userRecords: readonly UserRecord[], range: HashRange | undefined): boolean {
  if (range === undefined) return true;
  const keys = new Set(userRecords.map(({ partitionKey, explicitHashKey }) => `${explicitHashKey ?? ''} ${partitionKey}`));
  return [...keys].every((key) => {
    const space = key.indexOf(' ');
    const explicit = key.slice(0, space);
    const hashKey = explicit === '' ? BigInt(`0x${hash('md5', key.slice(space + 1), 'hex')}`) : BigInt(explicit);
    return hashKey >= range.start && hashKey <= range.end;
  });
}
