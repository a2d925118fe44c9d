import { type BackoffPolicy, backoffMs } from './backoff.ts';
import type { Random } from './clock.ts';
import type { InvocationOutcome } from './engine-event.ts';
import { type InvokeResult, isTimeout } from './invoke.ts';
import { readPartialResponse } from './partial-response.ts';

/** What is to be done with a batch of messages after one attempt to invoke. */
export type QueueDecision =
  /**
   * The attempt counts. `deleteIds` leave the queue; all others stay, untouched, and come back when their visibility timeout
   * ends: a function error never changes a message's visibility.
   */
  | {
      readonly kind: 'settle';
      readonly outcome: InvocationOutcome;
      readonly deleteIds: ReadonlySet<string>;
      /** True if the function itself failed as a whole, which makes a mapping scale down. */
      readonly functionFailed: boolean;
      readonly error?: string;
    }
  /** The function did not run; the same batch is tried again after the pause, within the messages' visibility. Never counted. */
  | { readonly kind: 'retry'; readonly outcome: InvocationOutcome; readonly afterMs: number; readonly error: string }
  /** Too large for the target: both halves are tried by themselves. */
  | { readonly kind: 'split'; readonly outcome: InvocationOutcome; readonly error: string }
  /** As `retry`, but the visibility of every message ends before another attempt could begin: forget them, the queue has them. */
  | { readonly kind: 'abandon'; readonly outcome: InvocationOutcome; readonly error: string };

/** Pauses between attempts of one batch while the target throttles or cannot be reached. Lambda does not document its own. */
export const RETRY_BACKOFF: BackoffPolicy = { firstMs: 250, maxMs: 5_000, leastMs: 50 };

/** What is known about an attempt beside its result. */
export interface QueueAttempt {
  readonly messageIds: readonly string[];
  readonly reportBatchItemFailures: boolean;
  /** Attempts of this batch that did not reach the function, this one included if it did not. */
  readonly refusals: number;
  /** Until the last of the messages may be handed to somebody else. */
  readonly visibleForMs: number;
}

/**
 * Decides what becomes of a batch of queue messages.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function decideQueueBatch(result: InvokeResult, attempt: QueueAttempt, random: Random): QueueDecision {
  switch (result.kind) {
    case 'success':
      return attempt.reportBatchItemFailures ? settleReported(result.body, attempt) : settleAll(attempt.messageIds);
    case 'functionError':
      return keepAll(isTimeout(result) ? 'timeout' : 'function_error', result.errorType);
    case 'timedOut':
      return keepAll('timeout', 'no answer within the deadline');
    case 'rejected':
      return keepAll('function_error', result.reason);
    case 'tooLarge':
      return attempt.messageIds.length > 1
        ? { kind: 'split', outcome: 'function_error', error: result.reason }
        : keepAll('function_error', result.reason);
    case 'throttled':
      return retryWithin(attempt, 'throttled', result.reason, result.retryAfterMs ?? 0, random);
    case 'unavailable':
      return retryWithin(attempt, 'unreachable', result.reason, 0, random);
  }
}

function settleAll(messageIds: readonly string[]): QueueDecision {
  return { kind: 'settle', outcome: 'success', deleteIds: new Set(messageIds), functionFailed: false };
}

function keepAll(outcome: InvocationOutcome, error: string): QueueDecision {
  return { kind: 'settle', outcome, deleteIds: new Set(), functionFailed: true, error };
}

function settleReported(body: Uint8Array, attempt: QueueAttempt): QueueDecision {
  const response = readPartialResponse(body, attempt.messageIds);
  switch (response.kind) {
    case 'allSucceeded':
      return settleAll(attempt.messageIds);
    case 'someFailed': {
      const deleteIds = new Set(attempt.messageIds.filter((id) => !response.failedIds.has(id)));
      return { kind: 'settle', outcome: 'partial', deleteIds, functionFailed: false };
    }
    case 'malformed':
      return keepAll('function_error', `malformed batch response: ${response.reason}`);
  }
}

function retryWithin(attempt: QueueAttempt, outcome: InvocationOutcome, error: string, atLeastMs: number, random: Random): QueueDecision {
  const afterMs = Math.max(atLeastMs, backoffMs(attempt.refusals, RETRY_BACKOFF, random));
  return afterMs < attempt.visibleForMs ? { kind: 'retry', outcome, afterMs, error } : { kind: 'abandon', outcome, error };
}
