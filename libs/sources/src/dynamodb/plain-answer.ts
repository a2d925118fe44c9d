import type { GetRecordsCommandOutput, _Record } from '@aws-sdk/client-dynamodb-streams';
import { isSequenceNumber } from '@wherry/core/stream/sequence-number';
import { isAbsentOr, isObject, isTextOrAbsent } from '../aws/plain-json.ts';
import { toPlainItem } from './attribute-value.ts';

/** Attributes by name, each an attribute value as DynamoDB writes it: `{"S":"a"}`, `{"B":"<base64>"}`. */
export type PlainItem = Readonly<Record<string, unknown>>;

/** A record as DynamoDB sent it. */
export interface PlainDynamoDbRecord {
  readonly eventID?: string | undefined;
  readonly eventName?: string | undefined;
  readonly eventVersion?: string | undefined;
  readonly eventSource?: string | undefined;
  readonly awsRegion?: string | undefined;
  readonly dynamodb: {
    /** Seconds. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys?: PlainItem | undefined;
    readonly NewImage?: PlainItem | undefined;
    readonly OldImage?: PlainItem | undefined;
    readonly SequenceNumber: string;
    readonly SizeBytes?: number | undefined;
    readonly StreamViewType?: string | undefined;
  };
  readonly userIdentity?: { readonly Type?: string | undefined; readonly PrincipalId?: string | undefined } | undefined;
}

/** The parts of a GetRecords answer that a reader needs. */
export interface PlainDynamoDbPage {
  readonly records: readonly PlainDynamoDbRecord[];
  readonly nextShardIterator: string | undefined;
}

/**
 * The answer of a GetRecords, or nothing where a member has another type than DynamoDB gives it: the SDK has rules for such
 * things, and they are not repeated here. Keys and images are not looked into: they are passed on as they are.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
 */
export function readPage(answer: unknown): PlainDynamoDbPage | undefined {
  if (!isObject(answer)) return undefined;
  const { Records: records, NextShardIterator: next } = answer;
  if (!Array.isArray(records) || !records.every(isRecord)) return undefined;
  const nextShardIterator = next ?? undefined;
  if (!isTextOrAbsent(nextShardIterator)) return undefined;
  return { records, nextShardIterator };
}

/**
 * The same from an answer that came through the SDK, which has turned texts into bytes and dates. Throws on a record without a
 * sequence number: nothing could say where in the shard it stands.
 */
export function fromSdk(answer: GetRecordsCommandOutput): PlainDynamoDbPage {
  return { records: (answer.Records ?? []).map(recordFromSdk), nextShardIterator: answer.NextShardIterator };
}

function recordFromSdk({ dynamodb = {}, ...record }: _Record): PlainDynamoDbRecord {
  const {
    ApproximateCreationDateTime,
    SequenceNumber: sequenceNumber = '',
    Keys,
    NewImage,
    OldImage,
    SizeBytes,
    StreamViewType,
  } = dynamodb;
  if (!isSequenceNumber(sequenceNumber)) throw new Error(`a record has the sequence number "${sequenceNumber}"; expected decimal digits`);
  return {
    ...record,
    dynamodb: {
      ApproximateCreationDateTime: (ApproximateCreationDateTime ?? new Date()).getTime() / 1000,
      Keys: Keys && toPlainItem(Keys),
      NewImage: NewImage && toPlainItem(NewImage),
      OldImage: OldImage && toPlainItem(OldImage),
      SequenceNumber: sequenceNumber,
      SizeBytes,
      StreamViewType,
    },
  };
}

function isRecord(value: unknown): value is PlainDynamoDbRecord {
  if (!isObject(value)) return false;
  const { eventID, eventName, eventVersion, eventSource, awsRegion, dynamodb, userIdentity } = value;
  return (
    [eventID, eventName, eventVersion, eventSource, awsRegion].every(isTextOrAbsent) &&
    isObject(dynamodb) &&
    isChange(dynamodb) &&
    isAbsentOr(userIdentity, ({ Type, PrincipalId }) => isTextOrAbsent(Type) && isTextOrAbsent(PrincipalId))
  );
}

function isChange(change: Record<string, unknown>): boolean {
  const { ApproximateCreationDateTime, Keys, NewImage, OldImage, SequenceNumber, SizeBytes, StreamViewType } = change;
  return (
    typeof ApproximateCreationDateTime === 'number' &&
    [Keys, NewImage, OldImage].every((item) => item === undefined || isObject(item)) &&
    typeof SequenceNumber === 'string' &&
    isSequenceNumber(SequenceNumber) &&
    (SizeBytes === undefined || typeof SizeBytes === 'number') &&
    isTextOrAbsent(StreamViewType)
  );
}
