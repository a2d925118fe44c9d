import { describe, expect, it } from 'vitest';
import { shareSlots } from './slot-share.ts';

describe('shareSlots', () => {
  const cases: readonly [string, number[], number, number[]][] = [
    ['everybody gets the wish where there is room', [5, 2, 40], 100, [5, 2, 40]],
    ['those who wish for little get it all, the others share the rest', [5, 2, 400, 900], 107, [5, 2, 50, 50]],
    ['the odd slot goes to the one who wishes for most', [90, 10, 80], 51, [21, 10, 20]],
    ['every mapping keeps one slot', [5, 5, 5], 2, [1, 1, 1]],
    ['a mapping that wishes for none gets none', [0, 7], 5, [0, 5]],
    ['no mapping, no slots', [], 5, []],
  ];
  it.each(cases)('%s', (_name, wishes, room, expected) => {
    expect(shareSlots(wishes, room)).toEqual(expected);
  });
});
