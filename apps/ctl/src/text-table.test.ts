import { expect, test } from 'vitest';
import { textTable } from './text-table.ts';

test('columns are as wide as their widest cell, and nothing trails', () => {
  expect(
    textTable([
      ['ID', 'NAME'],
      ['1', 'a'],
      ['22222', ''],
    ]),
  ).toBe('ID     NAME\n1      a\n22222\n');
});

test('nothing is an empty text', () => {
  expect(textTable([])).toBe('');
});
