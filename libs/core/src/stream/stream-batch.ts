/**
 * The error policy of a batch of an ordered stream, as a pure state machine. One lane of a shard has one `StreamBatch` in hand:
 * what is left of the batch, as a stack of pieces in the order of the shard. The loop asks `nextStep`, performs the step, and
 * goes on with the step's `next`, or after an invocation with what `afterInvocation` makes of it:
 *
 *     let batch = openStreamBatch(records, newId());
 *     for (;;) {
 *       const step = nextStep(batch, rules, clock.nowMs(), newId);
 *       switch (step.kind) {
 *         case 'invoke':     // one attempt; then judgeInvocation (stream-verdict.ts)
 *           batch = afterInvocation(batch, verdict, rules, surroundings); break;
 *         case 'wait':       // sleep step.ms
 *         case 'discard':    // deliver step.failure to the failure destination, until it is confirmed or given up
 *         case 'checkpoint': // step.records are terminal: watermark.finish(lane, step.records.length), write it, know that it is good
 *           batch = step.next; break;
 *         case 'done': return;
 *       }
 *     }
 *
 * A loop that has to wait before it may invoke (a closed gate, no permit) asks again right before it invokes, because records
 * age meanwhile. Whatever a loop drops half-way is neither lost nor charged: the next owner of the shard reads from the checkpoint.
 */
import { type BackoffPolicy, backoffMs } from '../backoff.ts';
import type { NewId, Surroundings } from '../clock.ts';
import type { StreamRecord } from '../stream-source.ts';
import { expiredCount, expiresAtMs } from './record-age.ts';
import type { FailedResponse, StreamVerdict } from './stream-verdict.ts';

/** The settings that decide about failed batches. They may change between two steps. */
export interface StreamRules {
  /** -1 for no limit; 0 gives a batch up after its first failure. */
  readonly maximumRetryAttempts: number;
  /** -1 for no limit. */
  readonly maximumRecordAgeInSeconds: number;
  readonly bisectBatchOnFunctionError: boolean;
  /**
   * The largest `recordBytes` of a record that is invoked at all: `RECORD_BYTES_MAX` of `batch.ts`, or less where the event has
   * more around its records.
   */
  readonly recordBytesMax: number;
}

/** Records that are invoked together, with a retry budget of their own. */
interface Piece {
  /** The id of the batch in every invocation of it; a part of it is a new batch with a new id. */
  readonly id: string;
  readonly records: readonly StreamRecord[];
  /** Invocations so far, refused ones included. */
  readonly attempts: number;
  /** Failed attempts that spend the budget. */
  readonly counted: number;
  /** Counted failures in a row, for the pauses: goes on where the head of a batch was too old and the rest became a new batch. */
  readonly failuresInRow: number;
  /** Of the last counted attempt; absent if there was none, or if the record was too large. */
  readonly response: FailedResponse | undefined;
  /** Of the last invocation that was not refused, if the target chose it. */
  readonly requestId: string | undefined;
}

/** Why a lane waits, for status and logs. */
export type WaitReason = 'functionError' | 'refused' | 'tooLarge';

/** The work in hand of one lane. Opaque to the loop; plain data. */
export interface StreamBatch {
  /** What is left, in the order of the shard; the first is in hand. */
  readonly pieces: readonly Piece[];
  /** Terminal, but not in the checkpoint yet. */
  readonly settled: readonly StreamRecord[];
  readonly pause: { readonly ms: number; readonly reason: WaitReason } | undefined;
  /** Attempts in a row that did not reach the function; they lengthen the pauses and cost nothing. */
  readonly refusals: number;
}

/** Records that are given up, as the failure record needs them (`failure-record.ts`). */
export interface Discarded {
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly approximateInvokeCount: number;
  /** Of the last invocation; a fresh id if there was none. */
  readonly requestId: string;
  /** Absent where records were too old or too large. */
  readonly response: FailedResponse | undefined;
  /** None if the last call of a window is given up, which has no records. */
  readonly records: readonly StreamRecord[];
  /** Wall time, epoch milliseconds. */
  readonly discardedAtMs: number;
}

/** What a lane does next; `next` is the state once it is done. */
export type StreamStep =
  /** Run the function with these records. `attempt` is 1 for the first invocation of this batch id. */
  | { readonly kind: 'invoke'; readonly batchId: string; readonly attempt: number; readonly records: readonly StreamRecord[] }
  | { readonly kind: 'wait'; readonly ms: number; readonly reason: WaitReason; readonly next: StreamBatch }
  /** Deliver the failure record first; the records become terminal by that, and the next step checkpoints them. */
  | { readonly kind: 'discard'; readonly failure: Discarded; readonly next: StreamBatch }
  /** These records, all that is left before the others, are terminal. At least one. */
  | { readonly kind: 'checkpoint'; readonly records: readonly StreamRecord[]; readonly next: StreamBatch }
  | { readonly kind: 'done' };

/** What became of an attempt, for logs: all done, some done, halved, the same batch again, or its budget is spent. */
export type StreamDecision = 'complete' | 'advance' | 'split' | 'repeat' | 'exhausted';

/**
 * Pauses between attempts of one batch. Inferred: the first repeat was recorded 0.22 s after the failure, and eight attempts
 * within a record age of 60 s, which 250 ms doubling gives; AWS documents neither its bound nor its jitter.
 */
export const STREAM_BACKOFF: BackoffPolicy = { firstMs: 250, maxMs: 60_000, leastMs: 50 };

/**
 * A batch as the lane takes it in hand.
 * @param records in the order of the shard; empty for the last call of a tumbling window, which has the same retries
 * @param id fresh; the id of the batch in every invocation of it
 */
export function openStreamBatch(records: readonly StreamRecord[], id: string): StreamBatch {
  return { pieces: [newPiece(records, id)], settled: [], pause: undefined, refusals: 0 };
}

/**
 * What is to be done now. Calling it again, later, with the same batch is fine: the answer may differ because records aged.
 * @param nowMs wall time, epoch milliseconds
 * @param newId for the batch that remains where only the head of one is too old
 */
export function nextStep(batch: StreamBatch, rules: StreamRules, nowMs: number, newId: NewId): StreamStep {
  if (batch.settled.length > 0) return { kind: 'checkpoint', records: batch.settled, next: { ...batch, settled: [] } };
  if (batch.pause !== undefined) return { kind: 'wait', ...batch.pause, next: { ...batch, pause: undefined } };
  const [piece, ...waiting] = batch.pieces;
  if (piece === undefined) return { kind: 'done' };
  if (isExhausted(piece, rules)) {
    return discard(batch, waiting, { ...aboutLast(piece), condition: 'RetryAttemptsExhausted', discardedAtMs: nowMs });
  }
  const expired = expiredCount(piece.records, rules.maximumRecordAgeInSeconds, nowMs);
  if (expired > 0) return discardExpired(batch, piece, waiting, expired, nowMs, newId);
  if (isTooLarge(piece, rules)) return handleTooLarge(batch, piece, waiting, rules, nowMs);
  return { kind: 'invoke', batchId: piece.id, attempt: piece.attempts + 1, records: piece.records };
}

/**
 * The batch after the invocation that the last `invoke` step asked for. Throttles and service errors cost nothing. What failed
 * as a whole is halved at once where `BisectBatchOnFunctionError` is on and it can be halved, without spending a retry; else
 * it is repeated under its id until its budget is spent. Every part has a fresh budget, and the left one is finished first.
 * Records that succeeded before the first reported failure are done, and the rest is a new batch. An event that is too large
 * for the target is halved whatever the settings say.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export function afterInvocation(
  batch: StreamBatch,
  verdict: StreamVerdict,
  rules: StreamRules,
  surroundings: Pick<Surroundings, 'random' | 'newId'>,
): { readonly decision: StreamDecision; readonly batch: StreamBatch } {
  const [before, ...waiting] = batch.pieces;
  if (before === undefined) throw new Error('a batch that is done was invoked: only an invoke step may be followed by its result');
  const requestId = verdict.kind === 'refused' ? before.requestId : verdict.requestId;
  const piece = { ...before, attempts: before.attempts + 1, requestId };
  const { random, newId } = surroundings;
  const reached = { ...batch, refusals: 0 };
  switch (verdict.kind) {
    case 'succeeded':
      return { decision: 'complete', batch: { ...reached, pieces: waiting, settled: piece.records } };
    case 'refused': {
      const refusals = batch.refusals + 1;
      const ms = Math.max(verdict.atLeastMs, backoffMs(refusals, STREAM_BACKOFF, random));
      return { decision: 'repeat', batch: { ...batch, pieces: [piece, ...waiting], refusals, pause: { ms, reason: 'refused' } } };
    }
    case 'tooLarge':
      if (piece.records.length > 1) return { decision: 'split', batch: { ...reached, pieces: [...halves(piece, newId), ...waiting] } };
      return spend(reached, piece, waiting, undefined, rules, surroundings);
    case 'failed': {
      if (verdict.failedFrom > 0) {
        const rest = newPiece(piece.records.slice(verdict.failedFrom), newId());
        const pause = { ms: backoffMs(1, STREAM_BACKOFF, random), reason: 'functionError' } as const;
        const settled = piece.records.slice(0, verdict.failedFrom);
        return { decision: 'advance', batch: { ...reached, pieces: [rest, ...waiting], settled, pause } };
      }
      if (rules.bisectBatchOnFunctionError && piece.records.length > 1) {
        return { decision: 'split', batch: { ...reached, pieces: [...halves(piece, newId), ...waiting] } };
      }
      return spend(reached, piece, waiting, verdict.response, rules, surroundings);
    }
  }
}

/** One more attempt counts against the batch. If that was the last, there is no pause: the next step gives it up. */
function spend(
  batch: StreamBatch,
  before: Piece,
  waiting: readonly Piece[],
  response: FailedResponse | undefined,
  rules: StreamRules,
  surroundings: Pick<Surroundings, 'random'>,
): { readonly decision: StreamDecision; readonly batch: StreamBatch } {
  const failuresInRow = before.failuresInRow + 1;
  const piece: Piece = { ...before, counted: before.counted + 1, failuresInRow, response };
  const pieces = [piece, ...waiting];
  if (isExhausted(piece, rules)) return { decision: 'exhausted', batch: { ...batch, pieces } };
  const ms = backoffMs(failuresInRow, STREAM_BACKOFF, surroundings.random);
  return { decision: 'repeat', batch: { ...batch, pieces, pause: { ms, reason: response === undefined ? 'tooLarge' : 'functionError' } } };
}

function newPiece(records: readonly StreamRecord[], id: string): Piece {
  return { id, records, attempts: 0, counted: 0, failuresInRow: 0, response: undefined, requestId: undefined };
}

/** The recorded splits of AWS: the first half is the smaller one. */
function halves(piece: Piece, newId: NewId): readonly Piece[] {
  const middle = Math.floor(piece.records.length / 2);
  return [newPiece(piece.records.slice(0, middle), newId()), newPiece(piece.records.slice(middle), newId())];
}

function isExhausted(piece: Piece, rules: StreamRules): boolean {
  return rules.maximumRetryAttempts >= 0 && piece.counted > rules.maximumRetryAttempts;
}

function isTooLarge(piece: Piece, rules: StreamRules): boolean {
  const [first] = piece.records;
  return first !== undefined && piece.records.length === 1 && first.recordBytes > rules.recordBytesMax;
}

function aboutLast(piece: Piece): Omit<Discarded, 'condition' | 'discardedAtMs'> {
  // AWS says 1, never 0, for what was given up without an invocation.
  const approximateInvokeCount = Math.max(1, piece.counted);
  return { approximateInvokeCount, requestId: piece.requestId ?? piece.id, response: piece.response, records: piece.records };
}

function discard(batch: StreamBatch, pieces: readonly Piece[], failure: Discarded): StreamStep {
  return { kind: 'discard', failure, next: { ...batch, pieces, settled: failure.records } };
}

/** Only what is too old is given up; what remains is a new batch, though the function is still as slow to come back as it was. */
function discardExpired(
  batch: StreamBatch,
  piece: Piece,
  waiting: readonly Piece[],
  expired: number,
  nowMs: number,
  newId: NewId,
): StreamStep {
  const records = piece.records.slice(0, expired);
  const rest = piece.records.slice(expired);
  const remains = rest.length === 0 ? [] : [{ ...newPiece(rest, newId()), failuresInRow: piece.failuresInRow }];
  const failure = { ...aboutLast(piece), condition: 'RecordAgeExceeded', response: undefined, records, discardedAtMs: nowMs } as const;
  return discard(batch, [...remains, ...waiting], failure);
}

/**
 * A record that fits into no event is never invoked. Every attempt at it would be refused and spend one retry, and nothing can
 * change between them: so all retries are spent at once, or, where there is no end to them, it blocks its lane until it is too old.
 */
function handleTooLarge(batch: StreamBatch, piece: Piece, waiting: readonly Piece[], rules: StreamRules, nowMs: number): StreamStep {
  if (rules.maximumRetryAttempts >= 0) {
    const approximateInvokeCount = rules.maximumRetryAttempts + 1;
    const failure = { ...aboutLast(piece), approximateInvokeCount, response: undefined } as const;
    return discard(batch, waiting, { ...failure, condition: 'RetryAttemptsExhausted', discardedAtMs: nowMs });
  }
  const first = piece.records[0];
  const expiresAt = first === undefined ? undefined : expiresAtMs(first, rules.maximumRecordAgeInSeconds);
  // Never longer than a pause between attempts, so that a wall clock that jumps or a changed setting is noticed.
  const ms = Math.min(STREAM_BACKOFF.maxMs, expiresAt === undefined ? STREAM_BACKOFF.maxMs : expiresAt - nowMs);
  return { kind: 'wait', ms, reason: 'tooLarge', next: batch };
}
