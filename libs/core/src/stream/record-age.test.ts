import { describe, expect, it } from 'vitest';
import { expiredCount, expiresAtMs } from './record-age.ts';

const arrivals = (...times: readonly number[]): { arrivedAtMs: number }[] => times.map((arrivedAtMs) => ({ arrivedAtMs }));

describe('the age of records', () => {
  it.each([
    ['nothing is too old without a limit', arrivals(0, 1), -1, 9e12, 0],
    ['nothing is too old one millisecond before', arrivals(0, 1), 60, 59_999, 0],
    ['a record is too old when its time has come', arrivals(0, 1), 60, 60_000, 1],
    ['all are too old', arrivals(0, 1), 60, 60_001, 2],
    ['one behind a fresh one waits for it', arrivals(0, 50_000, 1), 60, 60_001, 1],
    ['an empty batch has none', [], 60, 60_001, 0],
  ] as const)('%s', (_, records, maximumRecordAgeInSeconds, nowMs, expected) => {
    expect(expiredCount(records, maximumRecordAgeInSeconds, nowMs)).toBe(expected);
  });

  it('says when an open batch has to be looked at again', () => {
    expect(expiresAtMs({ arrivedAtMs: 1_000 }, 60)).toBe(61_000);
    expect(expiresAtMs({ arrivedAtMs: 1_000 }, -1)).toBeUndefined();
  });
});
