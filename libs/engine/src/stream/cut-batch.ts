import { type BatchLimits, hasRoomFor, addRecord, closeReason, EMPTY_BATCH } from '@wherry/core/batch';
import { expiredCount, expiresAtMs } from '@wherry/core/stream/record-age';
import type { StreamRecord } from '@wherry/core/stream-source';

/** What a free lane has before it. */
export interface WaitingRecords {
  /** How many wait. */
  readonly count: number;
  readonly peek: (index: number) => StreamRecord | undefined;
  /** When the first of them was read, on the monotonic clock. */
  readonly sinceMs: number;
}

/** What decides when a batch goes. */
export interface CutRules {
  readonly limits: BatchLimits;
  readonly maximumRecordAgeInSeconds: number;
  /** Whether a record may go into this batch at all: windows are not mixed. */
  readonly belongs: (record: StreamRecord) => boolean;
  /** No more records come in while these wait, so that waiting for them is of no use. */
  readonly isFinal: boolean;
  /** Monotonic and wall time. */
  readonly monotonicMs: number;
  readonly nowMs: number;
}

/** The next batch of a lane: its first `count` records, now; or when to look again. */
export type Cut = { readonly kind: 'due'; readonly count: number } | { readonly kind: 'wait'; readonly ms: number };

/**
 * Whether the records that wait in a lane are a batch: by count, by size, by the batching window that began with the first of them, or
 * because nothing more can join them. Records whose time is up while the others may still wait are a batch of their own, which is then
 * given up without an invocation.
 */
export function cutBatch(waiting: WaitingRecords, rules: CutRules): Cut {
  const { limits, monotonicMs, nowMs, maximumRecordAgeInSeconds } = rules;
  let fill = EMPTY_BATCH;
  let isClosed = rules.isFinal;
  while (fill.records < waiting.count && fill.records < limits.records) {
    const record = waiting.peek(fill.records)!;
    if (!hasRoomFor(fill, record.recordBytes, limits) || (fill.records > 0 && !rules.belongs(record))) {
      isClosed = true;
      break;
    }
    fill = addRecord(fill, record.recordBytes, waiting.sinceMs);
  }
  if (isClosed || closeReason(fill, limits, monotonicMs) !== undefined) return { kind: 'due', count: fill.records };
  const expired = expiredCount(headOf(waiting, fill.records, rules), maximumRecordAgeInSeconds, nowMs);
  if (expired > 0) return { kind: 'due', count: expired };
  const expiresInMs = (expiresAtMs(waiting.peek(0)!, maximumRecordAgeInSeconds) ?? Infinity) - nowMs;
  return { kind: 'wait', ms: Math.min(fill.openedAtMs + limits.windowMs - monotonicMs, expiresInMs) };
}

/** The records that may have expired: up to and with the first that has not. */
function headOf({ peek }: WaitingRecords, count: number, { maximumRecordAgeInSeconds, nowMs }: CutRules): StreamRecord[] {
  const head: StreamRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const record = peek(index)!;
    head.push(record);
    if (!((expiresAtMs(record, maximumRecordAgeInSeconds) ?? Infinity) <= nowMs)) break;
  }
  return head;
}
