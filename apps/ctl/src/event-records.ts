import { createHash } from 'node:crypto';
import type { EventRecord, RecordSource } from '@wherry/core/event-pattern/record-filter';
import type { Mapping } from '@wherry/core/mapping';
import { createRecordWriter } from '@wherry/sources/sqs/record';

/** The records that a file stands for, and what it was taken as. */
export interface GivenRecords {
  readonly takenAs: 'event' | 'record' | 'payload';
  readonly records: readonly EventRecord[];
}

/**
 * Reads a whole Lambda event (`{"Records":[…]}`), one record, or else a payload, from which a record is built as the mapping's source
 * would: the body of an SQS message and the data of a Kinesis record byte for byte, the `dynamodb` part of a DynamoDB record. An event or record of
 * another source is a payload: SQS often carries those.
 *
 * @returns undefined if the file can be none of them: DynamoDB's payloads are JSON objects
 */
export function recordsOf(mapping: Mapping, bytes: Buffer): GivenRecords | undefined {
  const value = parsed(bytes.toString('utf8'));
  if (isObject(value)) {
    const list = value['Records'];
    if (Array.isArray(list) && list.length > 0 && list.every((item) => isRecordOf(mapping.source, item))) {
      return { takenAs: 'event', records: list };
    }
    if (isRecordOf(mapping.source, value)) return { takenAs: 'record', records: [value] };
  }
  const record = builtRecord(mapping, bytes, value);
  return record && { takenAs: 'payload', records: [record] };
}

/** The member of a record that says what kind it is where `eventSource` was left out. */
const TELLTALE = { sqs: 'messageId', kinesis: 'kinesis', dynamodb: 'dynamodb' } as const;

function isRecordOf(source: RecordSource, value: unknown): value is EventRecord {
  if (!isObject(value)) return false;
  return Object.hasOwn(value, 'eventSource') ? value['eventSource'] === `aws:${source}` : Object.hasOwn(value, TELLTALE[source]);
}

function isObject(value: unknown): value is EventRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

function builtRecord(mapping: Mapping, bytes: Buffer, value: unknown): EventRecord | undefined {
  if (mapping.source === 'sqs') return sqsRecord(mapping, bytes);
  const { eventSourceArn } = mapping;
  const common = { awsRegion: eventSourceArn.split(':')[3] ?? '', eventSourceARN: eventSourceArn };
  if (mapping.source === 'kinesis') return { ...kinesisRecord(bytes), ...common };
  return isObject(value) ? { ...dynamodbRecord(value), ...common } : undefined;
}

const SAMPLE_ID = '00000000-0000-0000-0000-000000000000';
const SAMPLE_SEQUENCE_NUMBER = '49590338271490256608559692538361571095921575989136588898';

function sqsRecord(mapping: Mapping, bytes: Buffer): EventRecord {
  const body = bytes.toString('utf8');
  const now = String(Date.now());
  const group = { SequenceNumber: '18850000000000000000', MessageGroupId: 'sample', MessageDeduplicationId: SAMPLE_ID };
  const written = createRecordWriter(mapping)({
    MessageId: SAMPLE_ID,
    ReceiptHandle: 'sample',
    Body: body,
    MD5OfBody: createHash('md5').update(body).digest('hex'),
    Attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: now,
      ...(mapping.eventSourceArn.endsWith('.fifo') ? group : {}),
      SenderId: 'sample',
      ApproximateFirstReceiveTimestamp: now,
    },
  });
  return JSON.parse(written) as EventRecord;
}

function kinesisRecord(bytes: Buffer): EventRecord {
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: 'sample',
      sequenceNumber: SAMPLE_SEQUENCE_NUMBER,
      data: bytes.toString('base64'),
      approximateArrivalTimestamp: Date.now() / 1_000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-000000000000:${SAMPLE_SEQUENCE_NUMBER}`,
    eventName: 'aws:kinesis:record',
  };
}

/** Which images there are tells what happened to the item, unless the stream has none; then it is taken for new. */
function dynamodbRecord(payload: EventRecord): EventRecord {
  const hasOld = Object.hasOwn(payload, 'OldImage');
  return {
    eventID: SAMPLE_ID.replaceAll('-', ''),
    eventName: hasOld ? (Object.hasOwn(payload, 'NewImage') ? 'MODIFY' : 'REMOVE') : 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    dynamodb: { ApproximateCreationDateTime: Math.floor(Date.now() / 1_000), ...payload },
  };
}
