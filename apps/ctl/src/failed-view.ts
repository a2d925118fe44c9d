import type { FailedBatch } from '@wherry/core/failed-store';

/** A batch as `wherry failed` shows it in JSON: the names of the failure record where that has them. Names are stable. */
export interface FailedView {
  readonly id: string;
  /** `<name>` of `wherry://failed/<name>`. */
  readonly name: string;
  readonly mapping: string;
  readonly mappingUuid: string;
  readonly functionName: string;
  readonly qualifier: string | null;
  readonly condition: FailedBatch['condition'];
  readonly requestId: string | null;
  readonly approximateInvokeCount: number | null;
  readonly functionError: string | null;
  readonly shardId: string;
  readonly streamArn: string | null;
  /** Null for the last call of a window, which has no records. */
  readonly startSequenceNumber: string | null;
  readonly endSequenceNumber: string | null;
  readonly batchSize: number;
  /** When it was given up, ISO 8601 in UTC. */
  readonly timestamp: string;
  readonly eventBytes: number;
}

/** What of a failure record the view shows. */
interface ShownDocument {
  readonly requestContext?: { readonly requestId?: string; readonly approximateInvokeCount?: number };
  readonly responseContext?: { readonly functionError?: string | null };
  readonly KinesisBatchInfo?: { readonly streamArn?: string };
  readonly DDBStreamBatchInfo?: { readonly streamArn?: string };
}

/** A batch of the store as JSON shows it. */
export function failedView(batch: FailedBatch): FailedView {
  const {
    requestContext,
    responseContext,
    KinesisBatchInfo: kinesis,
    DDBStreamBatchInfo: dynamoDb,
  } = JSON.parse(batch.document) as ShownDocument;
  return {
    id: batch.id,
    name: batch.name,
    mapping: batch.mapping,
    mappingUuid: batch.mappingUuid,
    functionName: batch.functionName,
    qualifier: batch.qualifier ?? null,
    condition: batch.condition,
    requestId: requestContext?.requestId ?? null,
    approximateInvokeCount: requestContext?.approximateInvokeCount ?? null,
    functionError: responseContext?.functionError ?? null,
    shardId: batch.shardId,
    streamArn: (kinesis ?? dynamoDb)?.streamArn ?? null,
    startSequenceNumber: batch.firstSequenceNumber === '' ? null : batch.firstSequenceNumber,
    endSequenceNumber: batch.lastSequenceNumber === '' ? null : batch.lastSequenceNumber,
    batchSize: batch.records,
    timestamp: new Date(batch.failedAtMs).toISOString(),
    eventBytes: batch.eventBytes,
  };
}
