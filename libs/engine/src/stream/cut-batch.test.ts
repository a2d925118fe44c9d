import { expect, it } from 'vitest';
import { benchRecord } from '../../test-data/shard-bench.ts';
import { type CutRules, cutBatch } from './cut-batch.ts';

const RULES: CutRules = {
  limits: { records: 3, bytes: 1_000, windowMs: 5_000 },
  maximumRecordAgeInSeconds: -1,
  belongs: () => true,
  isFinal: false,
  monotonicMs: 10_000,
  nowMs: 100_000,
};

/** Records with these sizes that have waited for 2 s; they arrived 0 s, 10 s, … before. */
function cut(sizes: readonly number[], rules: Partial<CutRules> = {}) {
  const records = sizes.map((bytes, index) => benchRecord(index, 50_000 + index * 10_000, 'key', bytes));
  return cutBatch({ count: records.length, peek: (index) => records[index], sinceMs: 8_000 }, { ...RULES, ...rules });
}

it.each<[string, ReturnType<typeof cut>, ReturnType<typeof cutBatch>]>([
  ['a full batch goes, and no more than that', cut([10, 10, 10, 10]), { kind: 'due', count: 3 }],
  ['one that is not full waits for the rest of its window', cut([10, 10]), { kind: 'wait', ms: 3_000 }],
  ['its window is over', cut([10, 10], { monotonicMs: 13_000 }), { kind: 'due', count: 2 }],
  ['the next record does not fit', cut([600, 600]), { kind: 'due', count: 1 }],
  ['a record that fits nowhere goes alone', cut([5_000, 10]), { kind: 'due', count: 1 }],
  [
    'the next record is of another window',
    cut([10, 10, 10], { belongs: ({ arrivedAtMs }) => arrivedAtMs < 65_000 }),
    { kind: 'due', count: 2 },
  ],
  ['nothing more will join them', cut([10], { isFinal: true }), { kind: 'due', count: 1 }],
  ['the first has grown too old', cut([10, 10], { maximumRecordAgeInSeconds: 45 }), { kind: 'due', count: 1 }],
  ['it will be too old before the window is over', cut([10, 10], { maximumRecordAgeInSeconds: 51 }), { kind: 'wait', ms: 1_000 }],
  [
    'one that is full goes whole, with those that are too old',
    cut([10, 10, 10], { maximumRecordAgeInSeconds: 45 }),
    { kind: 'due', count: 3 },
  ],
])('%s', (_, found, expected) => {
  expect(found).toEqual(expected);
});
