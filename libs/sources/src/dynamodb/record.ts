import type { StreamRecord } from '@wherry/core/stream-source';
import type { PlainDynamoDbRecord, PlainItem } from './plain-answer.ts';

/** Writes one record as it will stand in the event's `Records` list. */
export type DynamoDbRecordWriter = (record: PlainDynamoDbRecord) => StreamRecord;

/**
 * Makes the writer of one mapping's records: JSON text as Lambda's own pollers write it, key order included. Keys and images stay
 * as DynamoDB sent them, numbers as text and bytes as base64; an image that the stream's view type leaves out is left out here.
 * What names the record (`eventName`, `eventVersion`, `awsRegion` …) is passed on whatever it says: an emulator's region is none of
 * AWS's, and a kind of change that nobody has heard of is still the function's to judge.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 */
export function createRecordWriter(eventSourceArn: string): DynamoDbRecordWriter {
  const tail = `,"eventSourceARN":${JSON.stringify(eventSourceArn)}}`;
  const region = eventSourceArn.split(':')[3] ?? '';
  return (record) => {
    const { eventID, eventName, eventVersion = '1.1', eventSource = 'aws:dynamodb', awsRegion = region, dynamodb, userIdentity } = record;
    const seconds = dynamodb.ApproximateCreationDateTime;
    const head = JSON.stringify({ eventID, eventName, eventVersion, eventSource, awsRegion });
    const change = JSON.stringify({
      ApproximateCreationDateTime: Math.floor(seconds),
      Keys: dynamodb.Keys,
      NewImage: dynamodb.NewImage,
      OldImage: dynamodb.OldImage,
      SequenceNumber: dynamodb.SequenceNumber,
      SizeBytes: dynamodb.SizeBytes,
      StreamViewType: dynamodb.StreamViewType,
    });
    const identity = userIdentity === undefined ? '' : `,"userIdentity":${identityJson(userIdentity)}`;
    const recordJson = `${head.slice(0, -1)},"dynamodb":${change}${identity}${tail}`;
    return {
      sequenceNumber: dynamodb.SequenceNumber,
      arrivedAtMs: Math.round(seconds * 1000),
      orderKey: canonicalJson(dynamodb.Keys ?? {}),
      recordJson,
      recordBytes: Buffer.byteLength(recordJson),
    };
  };
}

/** In lower camel case, as in Lambda's events; DynamoDB itself names the members otherwise. */
function identityJson({ Type: type, PrincipalId: principalId }: NonNullable<PlainDynamoDbRecord['userIdentity']>): string {
  return JSON.stringify({ type, principalId });
}

/** The same text for the same key, in whichever order its one or two attributes came. */
function canonicalJson(keys: PlainItem): string {
  const names = Object.keys(keys).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(keys[name])}`).join(',')}}`;
}
