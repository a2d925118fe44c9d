import type { InvokeResult } from '@wherry/core/invoke';
import { statedFunctionError } from './function-error.ts';
import { MAX_RESPONSE_BYTES, type HttpAnswer, type HttpOutcome } from './http-exchange.ts';

/**
 * The result of a POST that brought no complete answer; the same for every target. A broken connection never counts against
 * the function, while an answer that is too large does: the function ran, and would answer the same again.
 */
export function unanswered(outcome: Exclude<HttpOutcome, HttpAnswer>, durationMs: number): InvokeResult {
  switch (outcome.kind) {
    case 'timedOut':
      return { kind: 'timedOut', durationMs };
    case 'responseTooLarge':
      // Type and message as Lambda's runtime states them.
      return statedFunctionError(
        {
          errorType: 'Function.ResponseSizeTooLarge',
          errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
        },
        durationMs,
      );
    case 'aborted':
      return { kind: 'unavailable', reason: 'stopped before the answer', permanent: false, durationMs };
    case 'refused':
      return { kind: 'unavailable', reason: outcome.reason, permanent: true, durationMs };
    case 'failed':
      return { kind: 'unavailable', reason: outcome.reason, permanent: false, durationMs };
    default:
      return outcome satisfies never;
  }
}
