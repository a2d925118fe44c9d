import {
  type Answer,
  type StreamBatchDeed,
  type StreamBatchScenario,
  listed,
  numberOf,
  resultOf,
  runStreamBatch,
  streamRecord,
  tellDeeds,
} from '@wherry/testkit/stream-batch-run';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../stream-source.ts';
import { RECORD_BYTES_MAX } from '../batch.ts';
import * as policy from './stream-batch.ts';
import { STREAM_BACKOFF, type StreamRules, afterInvocation, nextStep, openStreamBatch } from './stream-batch.ts';
import { judgeInvocation } from './stream-verdict.ts';

const RULES: StreamRules = {
  maximumRetryAttempts: -1,
  maximumRecordAgeInSeconds: -1,
  bisectBatchOnFunctionError: false,
  recordBytesMax: RECORD_BYTES_MAX,
};
const BISECT = { bisectBatchOnFunctionError: true } as const;

/** Raises if the batch holds one of these records. */
const raisesAt =
  (...bad: readonly number[]) =>
  (records: readonly StreamRecord[]): Answer => ({ kind: records.some((record) => bad.includes(numberOf(record))) ? 'raise' : 'ok' });
/** Reports these records. */
const reports =
  (...bad: readonly number[]) =>
  (records: readonly StreamRecord[]): Answer => ({
    kind: 'report',
    failed: records.flatMap((record, place) => (bad.includes(numberOf(record)) ? [place] : [])),
  });

/** Is throttled so many times, then runs. */
const throttles =
  (times: number) =>
  (_: unknown, nth: number): Answer =>
    nth < times ? { kind: 'throttled', retryAfterMs: 0 } : { kind: 'ok' };

interface Case extends Partial<Omit<StreamBatchScenario, 'rules'>> {
  readonly rules: Partial<StreamRules>;
}

function run(scenario: Case): StreamBatchDeed[] {
  const records = scenario.records ?? [1, 2, 3, 4].map((number) => streamRecord(number));
  return runStreamBatch(policy, {
    startMs: 0,
    takesMs: 0,
    answer: () => ({ kind: 'ok' }),
    ...scenario,
    records,
    rules: { ...RULES, ...scenario.rules },
  });
}
const of = <Kind extends StreamBatchDeed['kind']>(
  deeds: readonly StreamBatchDeed[],
  kind: Kind,
): Extract<StreamBatchDeed, { kind: Kind }>[] =>
  deeds.filter((deed): deed is Extract<StreamBatchDeed, { kind: Kind }> => deed.kind === kind);
const invoked = (deeds: readonly StreamBatchDeed[]): string =>
  of(deeds, 'invoke')
    .map(({ records }) => listed(records))
    .join(' ');
const discarded = (deeds: readonly StreamBatchDeed[]): string[] =>
  of(deeds, 'discard').map(({ failure }) => `${listed(failure.records)} ${failure.condition} ${failure.approximateInvokeCount}`);

/** Four records, of which the second is bad: what AWS did, call by call. */
const recorded: readonly (readonly [string, Case, string, string])[] = [
  [
    'STR-01 raise, bisect, 1 retry',
    { rules: { ...BISECT, maximumRetryAttempts: 1 }, answer: raisesAt(2) },
    '[1,2,3,4] [1,2] [1] [2] [2] [3,4]',
    '[2] RetryAttemptsExhausted 2',
  ],
  [
    'STR-02 raise, 2 retries',
    { rules: { maximumRetryAttempts: 2 }, answer: raisesAt(2) },
    '[1,2,3,4] [1,2,3,4] [1,2,3,4]',
    '[1,2,3,4] RetryAttemptsExhausted 3',
  ],
  [
    'STR-03 partial response, 1 retry',
    { rules: { maximumRetryAttempts: 1 }, answer: reports(2) },
    '[1,2,3,4] [2,3,4] [2,3,4]',
    '[2,3,4] RetryAttemptsExhausted 2',
  ],
  [
    'STR-04 partial response, bisect, 1 retry',
    { rules: { ...BISECT, maximumRetryAttempts: 1 }, answer: reports(2) },
    '[1,2,3,4] [2,3,4] [2] [2] [3,4]',
    '[2] RetryAttemptsExhausted 2',
  ],
];

describe('the recorded traces of AWS', () => {
  it.each(recorded)('%s', (_, scenario, invocations, documents) => {
    const deeds = run(scenario);
    expect(invoked(deeds)).toBe(invocations);
    expect(discarded(deeds)).toEqual([documents]);
  });

  it('STR-01 every piece has a new id, and the poison record keeps its own', () => {
    const ids = of(run(recorded[0]![1]), 'invoke').map(({ batchId }) => batchId);
    expect(ids[3]).toBe(ids[4]);
    expect(new Set(ids).size).toBe(5);
  });

  it('STR-02 an unchanged batch is repeated under the same id, its attempts counted on', () => {
    const invocations = of(run(recorded[1]![1]), 'invoke');
    expect(new Set(invocations.map(({ batchId }) => batchId)).size).toBe(1);
    expect(invocations.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('STR-05 a rest after a partial response has a fresh budget: the last of six is delivered five times, its document says four', () => {
    const records = [4, 5, 6].map((number) => streamRecord(number));
    const deeds = run({ rules: { maximumRetryAttempts: 3 }, records, answer: reports(6) });
    expect(invoked(deeds)).toBe('[4,5,6] [6] [6] [6] [6]');
    expect(discarded(deeds)).toEqual(['[6] RetryAttemptsExhausted 4']);
    expect(of(deeds, 'discard')[0]?.failure.response).toEqual({ statusCode: 200, executedVersion: '$LATEST', functionError: null });
  });

  it('STR-09 without retries a failure is final', () => {
    const deeds = run({ rules: { maximumRetryAttempts: 0 }, answer: raisesAt(1) });
    expect(invoked(deeds)).toBe('[1,2,3,4]');
    expect(discarded(deeds)).toEqual(['[1,2,3,4] RetryAttemptsExhausted 1']);
    expect(of(deeds, 'discard')[0]?.failure.response?.functionError).toBe('Unhandled');
  });
});

describe('a batch of a stream', () => {
  it('delivers the failure record before the checkpoint moves, and checkpoints each part as soon as it is terminal', () => {
    expect(tellDeeds(run(recorded[3]![1]))).toEqual([
      'invoke [1,2,3,4] as batch 1, attempt 1, at 0',
      'checkpoint [1]',
      'wait 250',
      'invoke [2,3,4] as batch 2, attempt 1, at 250',
      'invoke [2] as batch 3, attempt 1, at 250',
      'wait 250',
      'invoke [2] as batch 3, attempt 2, at 500',
      'discard [2] RetryAttemptsExhausted after 2, response null',
      'checkpoint [2]',
      'invoke [3,4] as batch 4, attempt 1, at 500',
      'checkpoint [3,4]',
    ]);
  });

  it('STR-10 MET-02 is repeated free of charge while it is throttled, later each time up to a bound', () => {
    const deeds = run({ rules: { maximumRetryAttempts: 0 }, answer: throttles(50) });
    expect(of(deeds, 'invoke')).toHaveLength(51);
    expect(of(deeds, 'discard')).toEqual([]);
    expect(new Set(of(deeds, 'invoke').map(({ batchId }) => batchId)).size).toBe(1);
    expect(
      of(deeds, 'wait')
        .slice(0, 10)
        .map(({ ms }) => ms),
    ).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    const twice = run({ rules: {}, records: [streamRecord(1)], answer: throttles(2) });
    expect(counts(twice)).toEqual({ invoked: 3, failed: 2, discarded: 0 });
  });

  it('MET-01 counts three failing batches of one record as three invoked, three failed, three discarded', () => {
    const three = [1, 2, 3].flatMap((number) =>
      run({ rules: { maximumRetryAttempts: 0 }, records: [streamRecord(number)], answer: raisesAt(number) }),
    );
    expect(counts(three)).toEqual({ invoked: 3, failed: 3, discarded: 3 });
  });

  it('waits as long as a throttle asks for', () => {
    const deeds = run({ rules: {}, answer: (_, nth) => (nth === 0 ? { kind: 'throttled', retryAfterMs: 5_000 } : { kind: 'ok' }) });
    expect(of(deeds, 'wait')).toEqual([{ kind: 'wait', ms: 5_000 }]);
  });

  it('an unreachable target costs nothing, and its pauses begin anew once it answers', () => {
    const answers: readonly Answer['kind'][] = ['unreachable', 'unreachable', 'raise', 'unreachable', 'raise', 'ok'];
    const deeds = run({ rules: { maximumRetryAttempts: 2 }, answer: (_, nth) => ({ kind: answers[nth] as 'ok' }) });
    expect(of(deeds, 'wait').map(({ ms }) => ms)).toEqual([250, 500, 250, 250, 500]);
    expect(of(deeds, 'discard')).toEqual([]);
  });

  it.each([['timeout'], ['rejected'], ['malformed']] as const)('counts and halves after: %s', (kind) => {
    const deeds = run({ rules: { ...BISECT, maximumRetryAttempts: 0 }, answer: (records) => ({ kind: records.length > 2 ? kind : 'ok' }) });
    expect(invoked(deeds)).toBe('[1,2,3,4] [1,2] [3,4]');
    expect(discarded(run({ rules: { maximumRetryAttempts: 1 }, answer: () => ({ kind }) }))).toEqual([
      '[1,2,3,4] RetryAttemptsExhausted 2',
    ]);
  });

  it('gives the smaller half the first records', () => {
    const records = [1, 2, 3, 4, 5].map((number) => streamRecord(number));
    expect(invoked(run({ rules: { ...BISECT, maximumRetryAttempts: 0 }, records, answer: raisesAt(4) }))).toBe(
      '[1,2,3,4,5] [1,2] [3,4,5] [3] [4,5] [4] [5]',
    );
  });

  it('is halved after a 413 also without bisect, and without spending a retry', () => {
    const deeds = run({ rules: { maximumRetryAttempts: 0 }, answer: ({ length }) => ({ kind: length > 1 ? 'tooLarge' : 'ok' }) });
    expect(invoked(deeds)).toBe('[1,2,3,4] [1,2] [1] [2] [3,4] [3] [4]');
    expect(discarded(deeds)).toEqual([]);
  });

  it('a record that is too large for the target alone spends its retries, and its document has no response', () => {
    const deeds = run({ rules: { maximumRetryAttempts: 1 }, records: [streamRecord(1)], answer: () => ({ kind: 'tooLarge' }) });
    expect(discarded(deeds)).toEqual(['[1] RetryAttemptsExhausted 2']);
    expect(of(deeds, 'discard')[0]?.failure.response).toBeUndefined();
  });

  it.each([
    [0, 1],
    [2, 3],
  ])('BAT-05 a record larger than an event is never invoked: %i retries, count %i, no response', (maximumRetryAttempts, count) => {
    const large = run({ rules: { maximumRetryAttempts }, records: [streamRecord(1, 0, 6_990_508)] });
    expect(tellDeeds(large)).toEqual([`discard [1] RetryAttemptsExhausted after ${count}, response undefined`, 'checkpoint [1]']);
    expect(invoked(run({ rules: { maximumRetryAttempts }, records: [streamRecord(2)] }))).toBe('[2]');
  });

  it('BAT-05 with endless retries a record larger than an event blocks until it is too old', () => {
    const deeds = run({ rules: { maximumRecordAgeInSeconds: 90 }, records: [streamRecord(1, 0, 6_990_508)], startMs: 10_000 });
    expect(tellDeeds(deeds)).toEqual([
      'wait 60000',
      'wait 20000',
      'discard [1] RecordAgeExceeded after 1, response undefined',
      'checkpoint [1]',
    ]);
    const step = nextStep(openStreamBatch([streamRecord(1, 0, 6_990_508)], 'id'), RULES, 0, () => 'other');
    expect(step).toMatchObject({ kind: 'wait', ms: STREAM_BACKOFF.maxMs, reason: 'tooLarge' });
  });

  it('the last call of a window has no records, the same retries, and nothing to checkpoint', () => {
    const deeds = run({
      rules: { ...BISECT, maximumRetryAttempts: 1, maximumRecordAgeInSeconds: 60 },
      records: [],
      startMs: 9e12,
      answer: () => ({ kind: 'raise' }),
    });
    expect(deeds.map(({ kind }) => kind)).toEqual(['invoke', 'wait', 'invoke', 'discard']);
    expect(discarded(deeds)).toEqual(['[] RetryAttemptsExhausted 2']);
    expect(run({ rules: {}, records: [] }).map(({ kind }) => kind)).toEqual(['invoke']);
  });

  it('names the last invocation by the id of the target, else by its own', () => {
    expect(of(run(recorded[1]![1]), 'discard')[0]?.failure.requestId).toBe('run-2');
    const own = run({ rules: { maximumRetryAttempts: 0 }, answer: () => ({ kind: 'timeout' }) });
    expect(of(own, 'discard')[0]?.failure.requestId).toBe(of(own, 'invoke')[0]?.batchId);
    const mixed: readonly Answer['kind'][] = ['raise', 'unreachable', 'timeout'];
    const last = run({ rules: { maximumRetryAttempts: 1 }, answer: (_, nth) => ({ kind: mixed[nth] as 'ok' }) });
    expect(of(last, 'discard')[0]?.failure.requestId).toBe(of(last, 'invoke')[0]?.batchId);
  });

  it('takes settings that changed between two steps', () => {
    const failed = {
      kind: 'failed',
      outcome: 'function_error',
      failed: 1,
      failedFrom: 0,
      error: 'E',
      response: { statusCode: 200, functionError: null },
    } as const;
    const surroundings = { random: () => 1, newId: () => 'other' };
    const { batch, decision } = afterInvocation(openStreamBatch([streamRecord(1)], 'id'), failed, RULES, surroundings);
    expect(decision).toBe('repeat');
    const step = nextStep({ ...batch, pause: undefined }, { ...RULES, maximumRetryAttempts: 0 }, 7, surroundings.newId);
    expect(step).toMatchObject({ kind: 'discard', failure: { approximateInvokeCount: 1, discardedAtMs: 7 } });
  });

  it.each([
    ['complete', { kind: 'ok' }, 2, 1],
    ['advance', { kind: 'report', failed: [1] }, 2, 1],
    ['split', { kind: 'raise' }, 2, 1],
    ['split', { kind: 'tooLarge' }, 2, 1],
    ['repeat', { kind: 'raise' }, 1, 1],
    ['repeat', { kind: 'unreachable' }, 2, 1],
    ['exhausted', { kind: 'raise' }, 1, 0],
  ] as const)('says %s after %j of %i, %i retries', (decision, answer, size, maximumRetryAttempts) => {
    const records = [streamRecord(1), streamRecord(2)].slice(0, size);
    const sequenceNumbers = records.map(({ sequenceNumber }) => sequenceNumber);
    const verdict = judgeInvocation(resultOf(answer, sequenceNumbers), sequenceNumbers, true);
    const rules = { ...RULES, ...BISECT, maximumRetryAttempts };
    const after = afterInvocation(openStreamBatch(records, 'id'), verdict, rules, { random: () => 1, newId: () => 'other' });
    expect(after.decision).toBe(decision);
  });

  it('refuses the result of an invocation that nobody asked for', () => {
    const done = { ...openStreamBatch([], 'id'), pieces: [] };
    const verdict = { kind: 'succeeded', outcome: 'success', failed: 0 } as const;
    expect(() => afterInvocation(done, verdict, RULES, { random: () => 1, newId: () => 'other' })).toThrow('only an invoke step');
  });
});

describe('records that are too old', () => {
  it('STR-11 are given up after eight attempts in 60 s, without a response', () => {
    const deeds = run({ rules: { maximumRecordAgeInSeconds: 60 }, records: [streamRecord(1)], answer: raisesAt(1) });
    expect(of(deeds, 'invoke').map(({ atMs }) => atMs)).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 15_750, 31_750]);
    expect(discarded(deeds)).toEqual(['[1] RecordAgeExceeded 8']);
    expect(of(deeds, 'discard')[0]?.failure.response).toBeUndefined();
  });

  it('STR-12 are given up alone: the fresh ones behind them are a new batch', () => {
    const records = [streamRecord(1, 0), ...[2, 3, 4, 5, 6].map((number) => streamRecord(number, 100_000))];
    const deeds = run({ rules: { maximumRecordAgeInSeconds: 60, maximumRetryAttempts: 0 }, records, startMs: 100_000 });
    expect(tellDeeds(deeds)).toEqual([
      'discard [1] RecordAgeExceeded after 1, response undefined',
      'checkpoint [1]',
      'invoke [2,3,4,5,6] as batch 1, attempt 1, at 100000',
      'checkpoint [2,3,4,5,6]',
    ]);
    expect(of(deeds, 'discard')[0]?.failure.requestId).not.toBe(of(deeds, 'invoke')[0]?.batchId);
  });

  it('throttles alone leave the count at one', () => {
    const deeds = run({ rules: { maximumRecordAgeInSeconds: 60 }, records: [streamRecord(1)], answer: throttles(99) });
    expect(discarded(deeds)).toEqual(['[1] RecordAgeExceeded 1']);
  });

  it('one that is older than the record before it waits for that one', () => {
    const records = [streamRecord(1, 100_000), streamRecord(2, 0)];
    expect(invoked(run({ rules: { maximumRecordAgeInSeconds: 60 }, records, startMs: 100_000 }))).toBe('[1,2]');
  });

  it('while the head ages away, the pauses of a failing function go on growing', () => {
    const records = [streamRecord(1, 0), streamRecord(2, 50_000)];
    const deeds = run({ rules: { maximumRecordAgeInSeconds: 60 }, records, answer: raisesAt(1, 2) });
    expect(discarded(deeds)).toEqual(['[1] RecordAgeExceeded 8', '[2] RecordAgeExceeded 1']);
    expect(of(deeds, 'wait').at(-1)).toEqual({ kind: 'wait', ms: 60_000 });
  });
});

/** What the metrics of Lambda would count. */
function counts(deeds: readonly StreamBatchDeed[]): { invoked: number; failed: number; discarded: number } {
  return {
    invoked: sum(of(deeds, 'invoke').map(({ records }) => records.length)),
    failed: sum(of(deeds, 'invoke').map(({ verdict }) => verdict.failed)),
    discarded: sum(of(deeds, 'discard').map(({ failure }) => failure.records.length)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
