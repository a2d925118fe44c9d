import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { brokenPromise } from '@wherry/testkit/stream-batch-promises';
import { referenceDeeds } from '@wherry/testkit/stream-batch-reference';
import {
  type Answer,
  type StreamBatchPolicy,
  type StreamBatchScenario,
  numberOf,
  runStreamBatch,
  streamRecord,
  tellDeeds,
} from '@wherry/testkit/stream-batch-run';
import {
  type Arbitrary,
  array,
  assert,
  boolean,
  check,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  subarray,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as policy from './stream-batch.ts';

const RECORDS = 9;
const LARGE = 101;
/** After so many invocations the function has recovered, so that endless retries come to an end. */
const RECOVERS_AFTER = 60;

const simple: readonly Exclude<Answer['kind'], 'throttled' | 'report'>[] = [
  'ok',
  'raise',
  'timeout',
  'malformed',
  'rejected',
  'unreachable',
  'tooLarge',
];
const answer = oneof(
  { arbitrary: record({ kind: constantFrom(...simple) }), weight: 3 },
  { arbitrary: record({ kind: constant('throttled' as const), retryAfterMs: constantFrom(0, 3_000, 90_000) }), weight: 1 },
  { arbitrary: record({ kind: constant('report' as const), failed: array(nat(RECORDS), { maxLength: 3 }) }), weight: 3 },
);

/** Anything may happen for a while; then the function fails at some poison records, in one of two ways, until it recovers. */
interface Plan {
  readonly arrivals: readonly { readonly gapMs: number; readonly isLarge: boolean }[];
  /** Between the last arrival and the opening of the batch. */
  readonly waitedMs: number;
  readonly takesMs: number;
  readonly retries: number;
  readonly age: number;
  readonly bisect: boolean;
  readonly answers: readonly Answer[];
  readonly poison: readonly number[];
  readonly isReporting: boolean;
}

const arrival = record({
  gapMs: constantFrom(0, 0, 1_000, 20_000, 45_000),
  isLarge: oneof({ arbitrary: constant(false), weight: 9 }, constant(true)),
});
const plans: Arbitrary<Plan> = record({
  arrivals: array(arrival, { minLength: 1, maxLength: RECORDS }),
  waitedMs: constantFrom(0, 0, 10_000, 59_000, 100_000),
  takesMs: constantFrom(0, 10, 4_000, 25_000),
  retries: integer({ min: -1, max: 3 }),
  age: constantFrom(-1, -1, 60, 90),
  bisect: boolean(),
  answers: array(answer, { maxLength: 25 }),
  poison: subarray(Array.from({ length: RECORDS }, (_, number) => number)),
  isReporting: boolean(),
});

function scenarioOf(plan: Plan): StreamBatchScenario {
  let arrivedAtMs = 0;
  const records = plan.arrivals.map(({ gapMs, isLarge }, number) =>
    streamRecord(number, (arrivedAtMs += gapMs), isLarge ? LARGE : LARGE - 1),
  );
  // A record that is too large, with endless retries and no age limit, blocks its shard for ever.
  const blocks = plan.retries < 0 && records.some(({ recordBytes }) => recordBytes === LARGE);
  return {
    records,
    rules: {
      maximumRetryAttempts: plan.retries,
      maximumRecordAgeInSeconds: blocks && plan.age < 0 ? 60 : plan.age,
      bisectBatchOnFunctionError: plan.bisect,
      recordBytesMax: LARGE - 1,
    },
    startMs: arrivedAtMs + plan.waitedMs,
    takesMs: plan.takesMs,
    answer: (batch, nth) => {
      const given = plan.answers[nth];
      if (given?.kind === 'report') return { kind: 'report', failed: [...new Set(given.failed.map((place) => place % batch.length))] };
      if (given !== undefined || nth >= RECOVERS_AFTER) return given ?? { kind: 'ok' };
      const failed = batch.flatMap((one, place) => (plan.poison.includes(numberOf(one)) ? [place] : []));
      return plan.isReporting || failed.length === 0 ? { kind: 'report', failed } : { kind: 'raise' };
    },
  };
}

const keepsPromises = (tried: StreamBatchPolicy): ReturnType<typeof property<[Plan]>> =>
  property(plans, (plan) => {
    const scenario = scenarioOf(plan);
    const broken = brokenPromise(runStreamBatch(tried, scenario), scenario);
    if (broken !== undefined) throw new Error(broken);
  });
const agrees = (tried: StreamBatchPolicy): ReturnType<typeof property<[Plan]>> =>
  property(plans, (plan) => {
    const scenario = scenarioOf(plan);
    expect(tellDeeds(runStreamBatch(tried, scenario))).toEqual(referenceDeeds(scenario));
  });

describe('whatever a function answers', () => {
  it('every record ends once, in order, within its budget, and the checkpoint never passes what is not terminal', () => {
    expect(() => assert(keepsPromises(policy), { numRuns: 2_000 })).not.toThrow();
  });

  it('the policy does what the plain reference does', () => {
    expect(() => assert(agrees(policy), { numRuns: 1_000 })).not.toThrow();
  });
});

/** The policy with a fault in its source. */
async function faulty(piece: string, replacement: string): Promise<StreamBatchPolicy> {
  const source = readFileSync(new URL('./stream-batch.ts', import.meta.url), 'utf8');
  if (source.split(piece).length !== 2) throw new Error(`stream-batch.ts does not contain exactly once: ${piece}`);
  const absolute = stripTypeScriptTypes(source.replace(piece, () => replacement)).replace(
    /from '(\.[^']+)'/g,
    (_, path: string) => `from '${new URL(path, import.meta.url).href}'`,
  );
  return (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(absolute)}`)) as StreamBatchPolicy;
}

/** Always the same runs, so that it is always the same promise that a fault breaks first. */
const SAME_RUNS = { numRuns: 2_000, seed: 7, endOnFailure: true } as const;

/** A fault somebody could write, and the promise that it breaks. */
const faults: readonly (readonly [string, string, string, string])[] = [
  [
    'the second half first',
    'return [newPiece(piece.records.slice(0, middle), newId()), newPiece(piece.records.slice(middle), newId())];',
    'return [newPiece(piece.records.slice(middle), newId()), newPiece(piece.records.slice(0, middle), newId())];',
    'in order',
  ],
  [
    'a half forgotten',
    'pieces: [...halves(piece, newId), ...waiting] } };\n      }\n',
    'pieces: [...halves(piece, newId).slice(0, 1), ...waiting] } };\n      }\n',
    'every record ends|records run in order',
  ],
  [
    'a rest that begins one too late',
    'newPiece(piece.records.slice(verdict.failedFrom), newId())',
    'newPiece(piece.records.slice(verdict.failedFrom + 1), newId())',
    'records run in order|every record ends',
  ],
  [
    'a checkpoint one too far',
    'const settled = piece.records.slice(0, verdict.failedFrom);',
    'const settled = piece.records.slice(0, verdict.failedFrom + 1);',
    'waits for what is not terminal',
  ],
  [
    'a checkpoint of all after a partial success',
    'const settled = piece.records.slice(0, verdict.failedFrom);',
    'const settled = piece.records;',
    'waits for what is not terminal',
  ],
  [
    'one retry too many',
    'piece.counted > rules.maximumRetryAttempts;',
    'piece.counted > rules.maximumRetryAttempts + 1;',
    'retries have an end',
  ],
  [
    'one retry too few',
    'piece.counted > rules.maximumRetryAttempts;',
    'piece.counted >= Math.max(1, rules.maximumRetryAttempts);',
    'all retries are used',
  ],
  [
    'a throttle that is counted',
    'const refusals = batch.refusals + 1;',
    'if (rules.maximumRetryAttempts >= 0) return spend(batch, piece, waiting, undefined, rules, surroundings); const refusals = batch.refusals + 1;',
    'what is given up has failed last',
  ],
  [
    'a failed batch that is checkpointed',
    "return { decision: 'exhausted', batch: { ...batch, pieces } };",
    "return { decision: 'exhausted', batch: { ...batch, pieces: waiting, settled: piece.records } };",
    'waits for what is not terminal',
  ],
  [
    'records given up for their age one too many',
    'const records = piece.records.slice(0, expired);',
    'const records = piece.records.slice(0, expired + 1);',
    'only what is too old|records',
  ],
  ['a first attempt at what is too old', 'if (expired > 0)', 'if (expired > 0 && piece.attempts > 0)', 'what is too old never runs'],
  ['a repeat of what is too old', 'if (expired > 0)', 'if (expired > 0 && piece.attempts === 0)', 'what is too old never runs'],
  [
    'an attempt at what is too large',
    'if (isTooLarge(piece, rules))',
    'if (piece.attempts > 0 && isTooLarge(piece, rules))',
    'what is too large never runs',
  ],
  [
    'a new id for a repeat',
    'const piece = { ...before, attempts: before.attempts + 1, requestId };',
    'const piece = { ...before, id: surroundings.newId(), attempts: before.attempts + 1, requestId };',
    'attempts of a batch are numbered',
  ],
  [
    'the old id for a rest',
    'newPiece(piece.records.slice(verdict.failedFrom), newId())',
    'newPiece(piece.records.slice(verdict.failedFrom), piece.id)',
    'an id stands for one batch',
  ],
  [
    'a discard without its checkpoint',
    'next: { ...batch, pieces, settled: failure.records } };',
    'next: { ...batch, pieces } };',
    'given up|every record ends|in order',
  ],
];

describe('the promises catch', () => {
  it.each(faults)('%s', async (_, piece, replacement, promise) => {
    const tried = await faulty(piece, replacement);
    const { errorInstance } = check(keepsPromises(tried), { ...SAME_RUNS });
    expect(errorInstance).toHaveProperty('message', expect.stringMatching(promise));
  });
});

/** Faults that break no promise of order or loss, but are not what AWS does. */
const deviations: readonly (readonly [string, string, string])[] = [
  ['the larger half first', 'Math.floor(piece.records.length / 2)', 'Math.ceil(piece.records.length / 2)'],
  [
    'a bisect that spends the retries',
    'if (rules.bisectBatchOnFunctionError && piece.records.length > 1)',
    'if (rules.bisectBatchOnFunctionError && piece.records.length > 1 && piece.counted > 0)',
  ],
  [
    'halves after a throttle that wait as if it had not ended',
    'const reached = { ...batch, refusals: 0 };',
    'const reached = { ...batch };',
  ],
  ['no pause before the rest', 'settled, pause } };', 'settled } };'],
];

describe('the reference catches', () => {
  it.each(deviations)('%s', async (_, piece, replacement) => {
    const tried = await faulty(piece, replacement);
    expect(check(agrees(tried), { ...SAME_RUNS }).failed).toBe(true);
  });
});
