import { describe, expect, it } from 'vitest';
import type { InvokeResult } from './invoke.ts';
import { type QueueAttempt, RETRY_BACKOFF, decideQueueBatch } from './queue-outcome.ts';

const encode = (answer: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(answer));
const ATTEMPT: QueueAttempt = { messageIds: ['a', 'b'], reportBatchItemFailures: false, refusals: 1, visibleForMs: 30_000 };
const REPORTING: QueueAttempt = { ...ATTEMPT, reportBatchItemFailures: true };
const failed = encode({ batchItemFailures: [{ itemIdentifier: 'a' }] });
const success = (body: Uint8Array): InvokeResult => ({ kind: 'success', body, durationMs: 1 });
const decide = (result: InvokeResult, attempt: QueueAttempt = ATTEMPT, random = 0.5): ReturnType<typeof decideQueueBatch> =>
  decideQueueBatch(result, attempt, () => random);

describe('what becomes of a batch of queue messages', () => {
  it.each([
    ['success deletes all', success(encode('anything')), ATTEMPT, 'success', ['a', 'b'], false],
    ['SQS-09 a failure list is ignored where reporting is off', success(failed), ATTEMPT, 'success', ['a', 'b'], false],
    ['SQS-05 a reported message stays', success(failed), REPORTING, 'partial', ['b'], false],
    ['SQS-08 a malformed report keeps all', success(encode({ batchItemFailures: [{}] })), REPORTING, 'function_error', [], true],
    [
      'SQS-01 a function error keeps all',
      { kind: 'functionError', errorType: 'E', errorMessage: '', body: encode(''), durationMs: 1 },
      ATTEMPT,
      'function_error',
      [],
      true,
    ],
    ['no answer in time keeps all', { kind: 'timedOut', durationMs: 1 }, ATTEMPT, 'timeout', [], true],
    [
      'a timeout that the target itself reports keeps all',
      { kind: 'functionError', errorType: 'Sandbox.Timedout', errorMessage: '', body: encode(''), durationMs: 1 },
      ATTEMPT,
      'timeout',
      [],
      true,
    ],
    ['a refused request is a function error', { kind: 'rejected', reason: 'bad', durationMs: 1 }, ATTEMPT, 'function_error', [], true],
    [
      'one message that is too large alone is a function error',
      { kind: 'tooLarge', reason: '413', durationMs: 1 },
      { ...ATTEMPT, messageIds: ['a'] },
      'function_error',
      [],
      true,
    ],
  ] as const)('%s', (_, result, attempt, outcome, deleted, functionFailed) => {
    expect(decide(result, attempt)).toMatchObject({ kind: 'settle', outcome, deleteIds: new Set(deleted), functionFailed });
  });

  it('splits several messages that are too large together', () => {
    expect(decide({ kind: 'tooLarge', reason: '413', durationMs: 1 })).toMatchObject({ kind: 'split' });
  });

  it.each([
    ['a throttle', { kind: 'throttled', reason: 'slow down', durationMs: 1 }, 'throttled'],
    ['an unreachable target', { kind: 'unavailable', reason: 'refused', permanent: false, durationMs: 1 }, 'unreachable'],
    ['a permanent refusal', { kind: 'unavailable', reason: 'no such function', permanent: true, durationMs: 1 }, 'unreachable'],
  ] as const)('SQS-03 tries again after %s, later each time up to a bound', (_, result, outcome) => {
    expect(decide(result, ATTEMPT, 1)).toMatchObject({ kind: 'retry', outcome, afterMs: 250 });
    expect(decide(result, { ...ATTEMPT, refusals: 3 }, 1)).toMatchObject({ kind: 'retry', afterMs: 1_000 });
    expect(decide(result, { ...ATTEMPT, refusals: 99 }, 1)).toMatchObject({ kind: 'retry', afterMs: RETRY_BACKOFF.maxMs });
    expect(decide(result, ATTEMPT, 0)).toMatchObject({ kind: 'retry', afterMs: RETRY_BACKOFF.leastMs });
  });

  it('honours Retry-After', () => {
    expect(decide({ kind: 'throttled', reason: 'slow down', retryAfterMs: 7_000, durationMs: 1 })).toMatchObject({ afterMs: 7_000 });
  });

  it('SQS-04 abandons the batch when its visibility ends before another attempt', () => {
    const attempt = { ...ATTEMPT, visibleForMs: 6_999 };
    expect(decide({ kind: 'throttled', reason: 'slow down', retryAfterMs: 7_000, durationMs: 1 }, attempt)).toMatchObject({
      kind: 'abandon',
    });
  });
});
