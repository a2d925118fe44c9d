/**
 * When a batch of records is closed: by count, by window, or by size, whichever comes first.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
 */

const WRAPPER_HEAD = '{"Records":[';
const WRAPPER_TAIL = ']}';
const WRAPPER_BYTES = WRAPPER_HEAD.length + WRAPPER_TAIL.length;
const COMMA_BYTES = 1;

/** Lambda's limit for the payload of one synchronous invocation: 6 MiB. It counts the whole encoded event. */
export const EVENT_BYTES_MAX = 6_291_456;

/** UTF-8 bytes of the largest record that fits into an event alone. */
export const RECORD_BYTES_MAX = EVENT_BYTES_MAX - WRAPPER_BYTES;

/** When a batch is full. */
export interface BatchLimits {
  /** `BatchSize`. */
  readonly records: number;
  /** `MaximumBatchingWindowInSeconds`, in milliseconds; 0 sends whatever one poll returned. */
  readonly windowMs: number;
  /** UTF-8 bytes of the whole event. */
  readonly bytes: number;
}

/** How full an open batch is. The records themselves are the loop's business. */
export interface BatchFill {
  readonly records: number;
  /** UTF-8 bytes of the event as it would be sent now. */
  readonly bytes: number;
  /** When the first record came in; the window's clock starts there. */
  readonly openedAtMs: number;
}

/** Why a batch is closed. */
export type CloseReason = 'count' | 'bytes' | 'window';

/** A batch without records: the wrapper alone. */
export const EMPTY_BATCH: BatchFill = { records: 0, bytes: WRAPPER_BYTES, openedAtMs: 0 };

/** The batch with one more record of `recordBytes` UTF-8 bytes. */
export function addRecord(fill: BatchFill, recordBytes: number, nowMs: number): BatchFill {
  const first = fill.records === 0;
  return {
    records: fill.records + 1,
    bytes: fill.bytes + recordBytes + (first ? 0 : COMMA_BYTES),
    openedAtMs: first ? nowMs : fill.openedAtMs,
  };
}

/**
 * Whether a record still fits. If not, the batch is closed and the record starts the next one. An empty batch takes any
 * record, because a record that is too large alone must come to the target's own answer rather than be held for ever.
 */
export function hasRoomFor(fill: BatchFill, recordBytes: number, limits: BatchLimits): boolean {
  if (fill.records === 0) return true;
  return fill.records < limits.records && fill.bytes + COMMA_BYTES + recordBytes <= limits.bytes;
}

/** Why the batch has to go now; `undefined` while it may wait for more records. An empty batch never goes. */
export function closeReason(fill: BatchFill, limits: BatchLimits, nowMs: number): CloseReason | undefined {
  if (fill.records === 0) return undefined;
  if (fill.records >= limits.records) return 'count';
  if (fill.bytes >= limits.bytes) return 'bytes';
  if (nowMs >= fill.openedAtMs + limits.windowMs) return 'window';
  return undefined;
}

const encoder = new TextEncoder();

/** The event as UTF-8 bytes: `{"Records":[…]}` around records that are JSON texts already. */
export function encodeEvent(recordJsons: readonly string[]): Uint8Array {
  return encoder.encode(WRAPPER_HEAD + recordJsons.join(',') + WRAPPER_TAIL);
}
