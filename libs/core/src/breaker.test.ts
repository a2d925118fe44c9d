import { describe, expect, it } from 'vitest';
import { type Breaker, CLOSED_BREAKER, countResult, healthOf } from './breaker.ts';

/** Feeds results (true = failed) at the given pace and says after which one the breaker opens. */
function opensAfter(results: readonly boolean[], everyMs: number): number | undefined {
  let breaker: Breaker = CLOSED_BREAKER;
  for (const [index, failed] of results.entries()) {
    const counted = countResult(breaker, failed, index * everyMs);
    if (counted.opens) return index + 1;
    breaker = counted.breaker;
  }
  return undefined;
}

const repeat = (pattern: readonly boolean[], times: number): boolean[] => Array(times).fill(pattern).flat();

describe('the circuit breaker', () => {
  it.each([
    ['5 failures in a row', repeat([true], 9), 60_000, 5],
    ['4 in a row and a success are not enough', repeat([true, true, true, true, false], 3), 60_000, undefined],
    ['half of 20 results within 10 s', repeat([false, true], 20), 100, 20],
    ['fewer than half of them', repeat([false, false, true], 20), 100, undefined],
    ['half of them, but too slow to be 20 within 10 s', repeat([false, true], 40), 600, undefined],
  ] as const)('%s', (_, results, everyMs, opens) => {
    expect(opensAfter(results, everyMs)).toBe(opens);
  });

  it('counts what never reached the function or got no answer, and no function error', () => {
    expect(healthOf({ kind: 'unavailable', reason: '', permanent: false, durationMs: 1 })).toBe('failed');
    expect(healthOf({ kind: 'timedOut', durationMs: 1 })).toBe('failed');
    expect(healthOf({ kind: 'functionError', errorType: '', errorMessage: '', body: new Uint8Array(), durationMs: 1 })).toBe('alive');
    const endedByLambda = { kind: 'functionError', errorType: 'Sandbox.Timedout', errorMessage: '', body: new Uint8Array() } as const;
    expect(healthOf({ ...endedByLambda, durationMs: 1 })).toBe('failed');
    expect(healthOf({ kind: 'throttled', reason: '', durationMs: 1 })).toBe('throttled');
  });
});
