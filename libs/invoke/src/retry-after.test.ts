import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 12, 0, 0);

it.each([
  ['7', 7_000],
  ['0', 0],
  ['0.25', 250],
  [' 3 ', 3_000],
  ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
  ['Mon, 23 Nov 2026 11:59:00 GMT', 0],
  ['99999999999', 300_000],
  ['Mon, 23 Nov 2099 12:00:30 GMT', 300_000],
  ['', undefined],
  ['soon', undefined],
  ['-5x', undefined],
])('Retry-After: %j waits %s ms', (text, expected) => {
  expect(retryAfterMs({ 'retry-after': text }, NOW_MS)).toBe(expected);
});

it('knows no wait without the header', () => {
  expect(retryAfterMs({}, NOW_MS)).toBeUndefined();
});
