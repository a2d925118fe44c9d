import type { StreamRecord } from '@wherry/core/stream-source';
import type { PlainKinesisRecord } from './plain-answer.ts';

/** Writes one record of a shard as it will stand in the event's `Records` list. */
export type KinesisRecordWriter = (shardId: string, record: PlainKinesisRecord) => StreamRecord;

/**
 * Makes the writer of one mapping's records: JSON text exactly as Lambda's own pollers write it, key order included, put together
 * once. `data` stays the base64 that Kinesis sent: it is neither decoded nor looked at again, and the text is only referred to, so
 * that no byte of it is copied before the event is.
 *
 * @param mapping `eventSourceArn` is that of the stream or, with enhanced fan-out, of the consumer; `invokeIdentityArn` is the role
 *   that the event names
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
export function createRecordWriter(mapping: { readonly eventSourceArn: string; readonly invokeIdentityArn: string }): KinesisRecordWriter {
  const region = mapping.eventSourceArn.split(':')[3] ?? '';
  const tail =
    `","eventName":"aws:kinesis:record","invokeIdentityArn":${JSON.stringify(mapping.invokeIdentityArn)}` +
    `,"awsRegion":${JSON.stringify(region)},"eventSourceARN":${JSON.stringify(mapping.eventSourceArn)}}`;
  const tailExtraBytes = extraBytes(tail);
  return (shardId, record) => {
    const { SequenceNumber: sequenceNumber, PartitionKey: partitionKey } = record;
    const keyJson = JSON.stringify(partitionKey);
    const arrivedAtMs = Math.round(record.ApproximateArrivalTimestamp * 1000);
    const recordJson =
      `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":${keyJson},"sequenceNumber":"${sequenceNumber}","data":"${record.Data}"` +
      `,"approximateArrivalTimestamp":${arrivedAtMs / 1000}},"eventSource":"aws:kinesis","eventVersion":"1.0"` +
      `,"eventID":"${shardId}:${sequenceNumber}${tail}`;
    return {
      sequenceNumber,
      arrivedAtMs,
      orderKey: partitionKey,
      recordJson,
      // Everything but these two is ASCII, so its length is known without walking through it.
      recordBytes: recordJson.length + extraBytes(keyJson) + tailExtraBytes,
    };
  };
}

function extraBytes(text: string): number {
  return Buffer.byteLength(text) - text.length;
}
