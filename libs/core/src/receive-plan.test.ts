import { expect, it } from 'vitest';
import { receiveVisibilitySeconds, waitTimeSeconds } from './receive-plan.ts';

it.each([
  ['no window leaves the queue its own timeout', 0, 60, 30, undefined],
  ['window and Timeout fit', 10, 20, 30, undefined],
  ['they do not fit: 30 s to spare', 10, 21, 30, 61],
  ['never more than 12 hours', 300, 43_000, 43_000, 43_200],
] as const)('asks for a visibility timeout: %s', (_, window, timeout, queue, asked) => {
  expect(receiveVisibilitySeconds(window, timeout, queue)).toBe(asked);
});

it.each([
  ['an idle poll is as long as configured', 20, 30, undefined, 20],
  ['a configured short poll stays short', 0, 30, undefined, 0],
  ['an open window shortens it, rounded up', 20, 30, 2_001, 3],
  ['a window that is over leaves no wait', 20, 30, -5, 0],
  ['a long window does not lengthen it', 20, 400, 300_000, 20],
  ['10 s must be left of a visibility of 25 s', 20, 25, undefined, 15],
  ['half must be left of a short visibility', 20, 5, undefined, 2],
  ['a visibility of 1 s allows no long poll', 20, 1, undefined, 0],
] as const)('polls for so long: %s', (_, configured, visibility, windowLeftMs, wait) => {
  expect(waitTimeSeconds(configured, visibility, windowLeftMs)).toBe(wait);
});
