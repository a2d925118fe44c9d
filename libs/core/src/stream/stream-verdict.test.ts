import { type Answer, resultOf } from '@wherry/testkit/stream-batch-run';
import { describe, expect, it } from 'vitest';
import type { InvokeResult } from '../invoke.ts';
import { brokenAnswer, judgeInvocation } from './stream-verdict.ts';

/** 56 digits, as those of Kinesis: their order is not the order of the numbers that JavaScript reads in them. */
const NUMBERS = [
  '49668000000000000000000000000000000000000000000000000008',
  '49668000000000000000000000000000000000000000000000000009',
  '49668000000000000000000000000000000000000000000000000010',
];
const [, SECOND = '', THIRD = ''] = NUMBERS;

const success = (body: string): InvokeResult & { kind: 'success' } => ({
  kind: 'success',
  body: new TextEncoder().encode(body),
  durationMs: 1,
  executedVersion: '7',
});
const list = (...failures: readonly unknown[]): string => JSON.stringify({ batchItemFailures: failures });
const judge = (answer: Answer): ReturnType<typeof judgeInvocation> => judgeInvocation(resultOf(answer, NUMBERS), NUMBERS, true);

/** `all`: all succeeded. A number: the batch begins again there. `none`: all failed. */
const bodies: readonly (readonly [string, string, 'all' | 'none' | number])[] = [
  ['STR-06 empty string', '""', 'all'],
  ['STR-06 empty array', '[]', 'all'],
  ['STR-06 null', 'null', 'all'],
  ['STR-06 {}', '{}', 'all'],
  ['STR-06 no body at all', '', 'all'],
  ['STR-06 empty list', list(), 'all'],
  ['STR-06 null for the list', '{"batchItemFailures":null}', 'all'],
  ['STR-03 one of the batch', list({ itemIdentifier: SECOND }), 1],
  ['the first of the batch', list({ itemIdentifier: NUMBERS[0] }), 0],
  ['STR-08 several, out of order', list({ itemIdentifier: THIRD }, { itemIdentifier: SECOND }), 1],
  ['the same twice', list({ itemIdentifier: THIRD }, { itemIdentifier: THIRD }), 2],
  ['STR-07 empty identifier', list({ itemIdentifier: '' }), 'none'],
  ['STR-07 null identifier', list({ itemIdentifier: null }), 'none'],
  ['STR-07 other key with a number', list({ foo: 123 }), 'none'],
  ['STR-07 other key with null', list({ foo: null }), 'none'],
  ['STR-07 numeric identifier', list({ itemIdentifier: 123 }), 'none'],
  ['STR-07 not of this batch', list({ itemIdentifier: '49668000000000000000000000000000000000000000000000000011' }), 'none'],
  ['STR-07 an empty entry', list({}), 'none'],
  ['a known and an unknown identifier', list({ itemIdentifier: SECOND }, { itemIdentifier: 'x' }), 'none'],
  ['not JSON', 'oops', 'none'],
];

describe('what an answer says about an ordered batch', () => {
  it.each(bodies)('%s', (_, body, expected) => {
    const verdict = judgeInvocation(success(body), NUMBERS, true);
    if (expected === 'all') return expect(verdict).toEqual({ kind: 'succeeded', outcome: 'success', failed: 0 });
    const response = { statusCode: 200, executedVersion: '7', functionError: null };
    if (expected === 'none')
      return expect(verdict).toMatchObject({ kind: 'failed', outcome: 'function_error', failedFrom: 0, failed: 3, response });
    return expect(verdict).toMatchObject({ kind: 'failed', outcome: 'partial', failedFrom: expected, response });
  });

  it('is not read where reporting is off', () => {
    expect(judgeInvocation(success(list({ itemIdentifier: SECOND })), NUMBERS, false)).toMatchObject({ kind: 'succeeded' });
  });

  it('counts the listed records as failed, and each inner record of an aggregate by its own', () => {
    expect(judge({ kind: 'report', failed: [0, 2] })).toMatchObject({ failed: 2, error: '2 of 3 records are listed in batchItemFailures' });
    const aggregated = judgeInvocation(success(list({ itemIdentifier: SECOND })), ['1', SECOND, SECOND, THIRD], true);
    expect(aggregated).toMatchObject({ failedFrom: 1, failed: 2 });
  });
});

describe('what an invocation says about an ordered batch', () => {
  it.each([
    ['an exception', { kind: 'raise' }, { kind: 'failed', outcome: 'function_error', failedFrom: 0, failed: 3, error: 'ValueError' }],
    ['no answer in time', { kind: 'timeout' }, { kind: 'failed', outcome: 'timeout', failedFrom: 0, failed: 3 }],
    [
      'a request that the target never takes',
      { kind: 'rejected' },
      { kind: 'failed', outcome: 'function_error', response: { statusCode: 400 } },
    ],
    ['a throttle', { kind: 'throttled', retryAfterMs: 7 }, { kind: 'refused', outcome: 'throttled', failed: 3, atLeastMs: 7 }],
    ['an unreachable target', { kind: 'unreachable' }, { kind: 'refused', outcome: 'unreachable', failed: 3, atLeastMs: 0 }],
    ['a 413', { kind: 'tooLarge' }, { kind: 'tooLarge', failed: 3 }],
  ] as const)('%s', (_, answer, expected) => {
    expect(judge(answer)).toMatchObject(expected);
  });

  it('an exception and no answer are Unhandled in the failure record', () => {
    expect(judge({ kind: 'raise' })).toMatchObject({
      response: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    });
    expect(judge({ kind: 'timeout' })).toMatchObject({ response: { statusCode: 200, functionError: 'Unhandled' } });
  });

  it('a timeout that the target itself reports is one', () => {
    const result: InvokeResult = {
      kind: 'functionError',
      errorType: 'Sandbox.Timedout',
      errorMessage: '',
      body: new Uint8Array(),
      durationMs: 1,
    };
    expect(judgeInvocation(result, NUMBERS, true)).toMatchObject({ kind: 'failed', outcome: 'timeout' });
  });

  it('WIN-04 an answer that breaks its contract fails the whole batch', () => {
    expect(brokenAnswer(success('{}'), 3, 'no state')).toEqual({
      kind: 'failed',
      outcome: 'function_error',
      failed: 3,
      failedFrom: 0,
      error: 'no state',
      response: { statusCode: 200, executedVersion: '7', functionError: null },
    });
  });
});
