import type { FailureDelivery } from '@wherry/core/failure-destination';
import type { StreamRecord } from '@wherry/core/stream-source';

/** What a destination has to be told about records that were given up, and the document as AWS writes it. */
export interface SampleFailure {
  readonly delivery: FailureDelivery;
  /** As SQS and SNS get it. */
  readonly document: string;
  /** The event, UTF-8. */
  readonly event: string;
  /** As S3 gets it, with the event. */
  readonly documentWithEvent: string;
}

const REQUEST_ID = 'c9b8fa9f-5a7f-4c5b-8f0c-1f2e3d4c5b6a';
const HEAD =
  `{"requestContext":{"requestId":"${REQUEST_ID}","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f",` +
  '"condition":"RetryAttemptsExhausted","approximateInvokeCount":2},' +
  '"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0",';
const TAIL =
  '"timestamp":"2026-09-17T12:52:04.117Z",' +
  '"KinesisBatchInfo":{"shardId":"shardId-000000000000","startSequenceNumber":"496601","endSequenceNumber":"496609",' +
  '"approximateArrivalOfFirstRecord":"2026-09-17T12:52:02.835Z","approximateArrivalOfLastRecord":"2026-09-17T12:52:03.001Z",' +
  '"batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:000000000000:stream/clicks"}}';

function record(sequenceNumber: string, arrived: string): StreamRecord {
  return { sequenceNumber, arrivedAtMs: Date.parse(arrived), orderKey: 'key', recordJson: '{}', recordBytes: 2 };
}

/** A batch of two Kinesis records that failed twice. `document` has the members and the order of what AWS sends. */
export function sampleFailure(
  id: string,
  event = '{"Records":[{"kinesis":{"data":"aGVsbG8="},"note":"quo\\"te \\u00e9 ☃\\n"}]}',
): SampleFailure {
  const delivery: FailureDelivery = {
    id,
    failure: {
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 2,
      requestId: REQUEST_ID,
      response: { statusCode: 200, functionError: 'Unhandled' },
      records: [record('496601', '2026-09-17T12:52:02.835Z'), record('496609', '2026-09-17T12:52:03.001Z')],
      discardedAtMs: Date.parse('2026-09-17T12:52:04.117Z'),
    },
    origin: {
      source: 'kinesis',
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks',
      shardId: 'shardId-000000000000',
    },
    event: () => Buffer.from(event),
  };
  const payload = `"payload":${JSON.stringify(event)},`;
  return { delivery, event, document: HEAD + TAIL, documentWithEvent: HEAD + payload + TAIL };
}
