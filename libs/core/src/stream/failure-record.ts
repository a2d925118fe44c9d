/**
 * The document that a failure destination gets for records of a stream that were given up: the body of an SQS message, the
 * `Message` of an SNS notification, the object in S3. Members, their order and the form of times are those of AWS's own
 * documents as they were recorded. SQS and SNS get no records: their consumer reads the stream again, from
 * `startSequenceNumber` to `endSequenceNumber`, before its retention ends. S3 gets the whole event beside.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
import type { StreamRecord } from '../stream-source.ts';
import type { Discarded } from './stream-batch.ts';

/** The tumbling window in which the records were invoked. Times are epoch milliseconds. */
export interface FailedWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly isFinalInvokeForWindow: boolean;
  readonly isWindowTerminatedEarly: boolean;
}

/** Where the records come from, and who failed on them. */
export interface FailureOrigin {
  readonly source: 'kinesis' | 'dynamodb';
  /** As the mapping names it, with the qualifier if it has one. */
  readonly functionArn: string;
  /** ARN of the stream; of the consumer where the mapping reads with enhanced fan-out. */
  readonly streamArn: string;
  readonly shardId: string;
  /** Where `TumblingWindowInSeconds` is set. */
  readonly window?: FailedWindow;
}

/** `Content-Type` of the object in S3. */
export const FAILURE_OBJECT_CONTENT_TYPE = 'application/octet-stream';

/** Functions without versions run as `$LATEST`; so does what ended without an answer that could name one. */
const UNNAMED_VERSION = '$LATEST';

/**
 * The document as JSON text.
 * @param event for S3 alone: the event's JSON text, which the document carries as a string
 */
export function failureRecord(failure: Discarded, origin: FailureOrigin, event?: string): string {
  const { requestId, condition, approximateInvokeCount, response } = failure;
  const batchInfo = batchInfoOf(failure.records, origin);
  return JSON.stringify({
    requestContext: { requestId, functionArn: origin.functionArn, condition, approximateInvokeCount },
    responseContext: response && {
      statusCode: response.statusCode,
      executedVersion: response.executedVersion ?? UNNAMED_VERSION,
      functionError: response.functionError,
    },
    version: '1.0',
    payload: event,
    timestamp: milliseconds(failure.discardedAtMs),
    ...(origin.source === 'kinesis' ? { KinesisBatchInfo: batchInfo } : { DDBStreamBatchInfo: batchInfo }),
    timeWindowInfo: origin.window && {
      window: { start: wholeSeconds(origin.window.startMs), end: wholeSeconds(origin.window.endMs) },
      isFinalInvokeForWindow: origin.window.isFinalInvokeForWindow,
      isWindowTerminatedEarly: origin.window.isWindowTerminatedEarly,
    },
  });
}

/**
 * The key of the object in S3: `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random id>`, in UTC.
 * @param mappingUuid UUID of the mapping
 * @param randomId a fresh UUID, so that two documents of one second stand beside each other
 */
export function failureObjectKey(failure: Discarded, origin: FailureOrigin, mappingUuid: string, randomId: string): string {
  const time = wholeSeconds(failure.discardedAtMs).slice(0, -'Z'.length);
  const day = time.slice(0, 'YYYY-MM-DD'.length).replaceAll('-', '/');
  return `aws/lambda/${mappingUuid}/${origin.shardId}/${day}/${time.replaceAll(':', '.')}-${randomId}`;
}

/** The last call of a window has no records, and the document then says only where it was. */
function batchInfoOf(records: readonly StreamRecord[], { source, shardId, streamArn }: FailureOrigin): object {
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) return { shardId, streamArn };
  const time = source === 'kinesis' ? milliseconds : wholeSeconds;
  return {
    shardId,
    startSequenceNumber: first.sequenceNumber,
    endSequenceNumber: last.sequenceNumber,
    approximateArrivalOfFirstRecord: time(first.arrivedAtMs),
    approximateArrivalOfLastRecord: time(last.arrivedAtMs),
    batchSize: records.length,
    streamArn,
  };
}

/** `2026-09-17T12:52:02.835Z` */
function milliseconds(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** `2026-09-17T12:52:02Z` */
function wholeSeconds(epochMs: number): string {
  return `${milliseconds(epochMs).slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`;
}
