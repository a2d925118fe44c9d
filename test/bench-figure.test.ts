import { expect, it } from 'vitest';
import { figure, formatFigures, median } from './bench/figure.ts';

it.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 2, 10], 3],
])('takes the median of %j', (samples, expected) => {
  expect(median(samples)).toBe(expected);
});

it('judges our median, or the ratio of the medians, against the promise', () => {
  const measured = { name: 'cpu', unit: '%', ours: [2, 1, 9], baseline: [4, 4, 5] };
  expect(figure({ ...measured, atMost: 2 })).toEqual({
    name: 'cpu',
    unit: '%',
    ours: 2,
    baseline: 4,
    ratio: 0.5,
    spread: [1, 9],
    target: '<= 2 %',
    ok: true,
  });
  expect(figure({ ...measured, atMost: 1.9 }).ok).toBe(false);
  expect(figure({ ...measured, atMost: 0.4, of: 'ratio' })).toMatchObject({ target: '<= 0.4 x baseline', ok: false });
  expect(figure({ name: 'x', unit: 'ms', ours: [1] })).toMatchObject({ target: null, ok: true });
  expect(() => figure({ name: 'x', unit: 'ms', ours: [1], atMost: 1, of: 'ratio' })).toThrow(/needs a baseline/);
  expect(() => figure({ name: 'x', unit: 'ms', ours: [], atMost: 1 })).toThrow(/no samples/);
});

it('prints a table for people and an array for programs', () => {
  const figures = [figure({ name: 'cpu', unit: '%', ours: [0.12345], atMost: 0.1 })];
  expect(formatFigures(figures, false)).toMatch(/cpu +0.123 % +0.123..0.123 +- +- +<= 0.1 % +MISSED$/);
  expect(JSON.parse(formatFigures(figures, true))).toEqual(figures);
});
