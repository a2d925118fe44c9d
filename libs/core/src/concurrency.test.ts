import { describe, expect, it } from 'vitest';
import { type Concurrency, UNLIMITED, learnConcurrency } from './concurrency.ts';
import type { InvokeResult } from './invoke.ts';

const throttled: InvokeResult = { kind: 'throttled', reason: '', durationMs: 10 };
const success: InvokeResult = { kind: 'success', body: new Uint8Array(), durationMs: 10 };
const at = (limit: number): Concurrency => ({ limit, answers: 0, decreasedAtMs: 0 });

describe('learned concurrency', () => {
  it('has no limit until the target complains, then half of what was running', () => {
    expect(learnConcurrency(UNLIMITED, success, 100, 1_000).limit).toBe(Number.POSITIVE_INFINITY);
    expect(learnConcurrency(UNLIMITED, throttled, 100, 1_000).limit).toBe(50);
    expect(learnConcurrency(UNLIMITED, { kind: 'timedOut', durationMs: 10 }, 9, 1_000).limit).toBe(4);
  });

  it('falls by a timeout that the target itself reports, and by no other function error', () => {
    const failed = { kind: 'functionError', errorMessage: '', body: new Uint8Array(), durationMs: 10 } as const;
    expect(learnConcurrency(at(8), { ...failed, errorType: 'Sandbox.Timedout' }, 8, 1_000).limit).toBe(4);
    expect(learnConcurrency(at(8), { ...failed, errorType: 'Error' }, 8, 1_000).limit).toBe(8);
  });

  it('never falls below 1', () => {
    expect(learnConcurrency(at(1), throttled, 1, 1_000).limit).toBe(1);
  });

  it('falls once per round, however many of its invocations are throttled', () => {
    const once = learnConcurrency(at(64), throttled, 64, 1_000);
    const again = learnConcurrency(once, { ...throttled, durationMs: 10 }, 63, 1_005);
    expect(again.limit).toBe(32);
    expect(learnConcurrency(again, throttled, 32, 1_011).limit).toBe(16);
  });

  it('rises by 1 after as many answers as it allows at a time', () => {
    let state = at(3);
    for (let answers = 0; answers < 3; answers += 1) state = learnConcurrency(state, success, 3, 1_000);
    expect(state.limit).toBe(4);
  });

  it('does not rise while it is not used, nor by a target that is away', () => {
    expect(learnConcurrency(at(3), success, 2, 1_000)).toEqual(at(3));
    expect(learnConcurrency(at(3), { kind: 'unavailable', reason: '', permanent: false, durationMs: 1 }, 3, 1_000)).toEqual(at(3));
  });
});
