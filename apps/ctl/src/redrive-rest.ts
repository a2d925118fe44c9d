import type { FailedBatch } from '@wherry/core/failed-store';
import type { Surroundings } from '@wherry/core/clock';
import type { FailedEvent } from '@wherry/core/stream/failed-event';
import { failureRecord, type FailureOrigin } from '@wherry/core/stream/failure-record';
import type { Discarded } from '@wherry/core/stream/stream-batch';
import type { FailedResponse } from '@wherry/core/stream/stream-verdict';
import type { WindowState } from '@wherry/core/stream/tumbling-window';

/** An invocation after which only the beginning of a stored batch is done. */
export interface PartialSuccess {
  /** Place of the first record that is not done. */
  readonly failedFrom: number;
  readonly requestId: string;
  readonly response: FailedResponse;
  /** The window's state after the records that are done; absent without windows. */
  readonly state?: WindowState;
}

/** A batch as the store takes it. */
export interface StoredBatch {
  readonly batch: FailedBatch;
  readonly event: Uint8Array;
}

/** What remains of a batch whose beginning is done: a batch of its own, with an id and a failure record of its own, as the poller would make them. */
export function restOfBatch(
  batch: FailedBatch,
  event: FailedEvent,
  success: PartialSuccess,
  surroundings: Pick<Surroundings, 'clock' | 'newId'>,
): StoredBatch {
  const { failedFrom, requestId, response, state } = success;
  const rest = Buffer.from(event.rest(failedFrom, state));
  const failedAtMs = surroundings.clock.nowMs();
  const records = event.records.slice(failedFrom).map((record) => ({ ...record, orderKey: '', recordJson: '', recordBytes: 0 }));
  const failure: Discarded = {
    condition: 'RetryAttemptsExhausted',
    approximateInvokeCount: 1,
    requestId,
    response,
    records,
    discardedAtMs: failedAtMs,
  };
  return {
    batch: {
      ...batch,
      id: surroundings.newId(),
      condition: failure.condition,
      records: records.length,
      firstSequenceNumber: records[0]?.sequenceNumber ?? '',
      lastSequenceNumber: records.at(-1)?.sequenceNumber ?? '',
      failedAtMs,
      document: failureRecord(failure, originOf(batch)),
      eventBytes: rest.byteLength,
    },
    event: rest,
  };
}

/** The parts of a failure record that name where its records come from. */
interface OriginDocument {
  readonly requestContext: { readonly functionArn: string };
  readonly KinesisBatchInfo?: { readonly streamArn: string };
  readonly DDBStreamBatchInfo?: { readonly streamArn: string };
  readonly timeWindowInfo?: {
    readonly window: { readonly start: string; readonly end: string };
    readonly isFinalInvokeForWindow: boolean;
    readonly isWindowTerminatedEarly: boolean;
  };
}

function originOf({ document, shardId }: FailedBatch): FailureOrigin {
  const {
    requestContext,
    KinesisBatchInfo: kinesis,
    DDBStreamBatchInfo: dynamoDb,
    timeWindowInfo,
  } = JSON.parse(document) as OriginDocument;
  const window = timeWindowInfo && {
    startMs: Date.parse(timeWindowInfo.window.start),
    endMs: Date.parse(timeWindowInfo.window.end),
    isFinalInvokeForWindow: timeWindowInfo.isFinalInvokeForWindow,
    isWindowTerminatedEarly: timeWindowInfo.isWindowTerminatedEarly,
  };
  return {
    source: kinesis === undefined ? 'dynamodb' : 'kinesis',
    functionArn: requestContext.functionArn,
    streamArn: kinesis?.streamArn ?? dynamoDb?.streamArn ?? '',
    shardId,
    ...(window === undefined ? {} : { window }),
  };
}
