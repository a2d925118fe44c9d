import type { InvocationOutcome } from '../engine-event.ts';
import { type InvokeResult, isTimeout } from '../invoke.ts';
import { readPartialResponse } from '../partial-response.ts';

/** The target's answer as a failure record tells it. */
export interface FailedResponse {
  readonly statusCode: number;
  /** `$LATEST` or a version number, if the target said it. */
  readonly executedVersion?: string;
  /** `Unhandled` where the function itself failed; `null` where it answered, and named records that failed or nothing usable. */
  readonly functionError: 'Unhandled' | null;
}

/** What an attempt tells of itself, whatever it means for the batch: for events and metrics. */
interface Attempted {
  readonly outcome: InvocationOutcome;
  /** Records whose invocation failed: all of them, or those listed in `batchItemFailures`. */
  readonly failed: number;
  /** The id under which the target ran the function, where it chose one itself. */
  readonly requestId?: string;
  /** Error type or reason; absent after a success. */
  readonly error?: string;
}

/** What one invocation says about the records of a batch. */
export type StreamVerdict =
  | (Attempted & { readonly kind: 'succeeded' })
  /** Records before `failedFrom` are done; it and all after it have to come again. 0: nothing is done. Counted. */
  | (Attempted & { readonly kind: 'failed'; readonly failedFrom: number; readonly response: FailedResponse; readonly error: string })
  /** The function did not run, or nobody can tell. Never counted; not before `atLeastMs` again. */
  | (Attempted & { readonly kind: 'refused'; readonly atLeastMs: number; readonly error: string })
  /** The target takes no event as large as this. */
  | (Attempted & { readonly kind: 'tooLarge'; readonly error: string });

const OK = 200;
const BAD_REQUEST = 400;

/**
 * Sorts the result of an invocation by what it means for an ordered batch. Errors before the function runs are free of charge;
 * only what its own code did, no answer in time, and a request that the target will never take are counted.
 *
 * With `ReportBatchItemFailures` the record that stands first in the batch, of all that the answer lists, is where the batch
 * begins again. It is found by its place, because sequence numbers do not compare as text. A list that names anything else
 * fails the whole batch.
 *
 * @param sequenceNumbers of the batch's records, in order
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export function judgeInvocation(result: InvokeResult, sequenceNumbers: readonly string[], reportBatchItemFailures: boolean): StreamVerdict {
  const all = sequenceNumbers.length;
  switch (result.kind) {
    case 'success':
      return reportBatchItemFailures
        ? judgeReport(result, sequenceNumbers)
        : { kind: 'succeeded', outcome: 'success', failed: 0, ...ranAs(result) };
    case 'functionError':
      return {
        ...wholeBatchFailed(all, result.errorType, { ...answered(result), functionError: 'Unhandled' }),
        outcome: isTimeout(result) ? 'timeout' : 'function_error',
        ...ranAs(result),
      };
    case 'timedOut':
      return {
        ...wholeBatchFailed(all, 'no answer within the deadline', { statusCode: OK, functionError: 'Unhandled' }),
        outcome: 'timeout',
      };
    case 'rejected':
      return wholeBatchFailed(all, result.reason, { statusCode: BAD_REQUEST, functionError: 'Unhandled' });
    case 'throttled':
      return { kind: 'refused', outcome: 'throttled', failed: all, error: result.reason, atLeastMs: result.retryAfterMs ?? 0 };
    case 'unavailable':
      return { kind: 'refused', outcome: 'unreachable', failed: all, error: result.reason, atLeastMs: 0 };
    case 'tooLarge':
      return { kind: 'tooLarge', outcome: 'function_error', failed: all, error: result.reason };
  }
}

/**
 * A success that is none: the function ran and answered, but the answer breaks its contract, as without a window's `state`.
 * @param records how many the batch has
 */
export function brokenAnswer(result: InvokeResult & { readonly kind: 'success' }, records: number, error: string): StreamVerdict {
  return { ...wholeBatchFailed(records, error, { ...answered(result), functionError: null }), ...ranAs(result) };
}

function judgeReport(result: InvokeResult & { readonly kind: 'success' }, sequenceNumbers: readonly string[]): StreamVerdict {
  const response = readPartialResponse(result.body, sequenceNumbers);
  switch (response.kind) {
    case 'allSucceeded':
      return { kind: 'succeeded', outcome: 'success', failed: 0, ...ranAs(result) };
    case 'malformed':
      return brokenAnswer(result, sequenceNumbers.length, `malformed batch response: ${response.reason}`);
    case 'someFailed': {
      const failed = sequenceNumbers.filter((number) => response.failedIds.has(number)).length;
      return {
        kind: 'failed',
        outcome: 'partial',
        failed,
        failedFrom: sequenceNumbers.findIndex((number) => response.failedIds.has(number)),
        response: { ...answered(result), functionError: null },
        error: `${failed} of ${sequenceNumbers.length} records are listed in batchItemFailures`,
        ...ranAs(result),
      };
    }
  }
}

function wholeBatchFailed(all: number, error: string, response: FailedResponse): StreamVerdict & { readonly kind: 'failed' } {
  return { kind: 'failed', outcome: 'function_error', failed: all, failedFrom: 0, response, error };
}

type Ran = InvokeResult & { readonly kind: 'success' | 'functionError' };

function answered(result: Ran): { readonly statusCode: number; readonly executedVersion?: string } {
  return { statusCode: OK, ...(result.executedVersion === undefined ? {} : { executedVersion: result.executedVersion }) };
}

function ranAs(result: Ran): { readonly requestId?: string } {
  return result.requestId === undefined ? {} : { requestId: result.requestId };
}
