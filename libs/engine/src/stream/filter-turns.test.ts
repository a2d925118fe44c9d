import type { Clock } from '@wherry/core/clock';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, it } from 'vitest';
import { benchRecord, numberOfText, range } from '../../test-data/shard-bench.ts';
import { FilterTurns } from './filter-turns.ts';

/** A clock that goes on by what filters take, and keeps the times between which nobody else had a turn. */
function busyClock() {
  let nowMs = 0;
  let heldSinceMs = 0;
  const heldUpMs: number[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => {
      heldUpMs.push(nowMs - heldSinceMs);
      return new Promise((resolve) =>
        setImmediate(() => {
          heldSinceMs = nowMs;
          resolve();
        }),
      );
    },
  };
  return { clock, heldUpMs, take: (ms: number) => (nowMs += ms) };
}

const page = (count: number) => range(1, count).map((n) => benchRecord(n, 0));
const isEven = (sequenceNumber: string): boolean => numberOfText(sequenceNumber) % 2 === 0;

it('pages of many shards at the same time hold up the others no longer than one does', async () => {
  const { clock, heldUpMs, take } = busyClock();
  const turns = new FilterTurns(clock);
  const matches = ({ sequenceNumber }: { readonly sequenceNumber: string }): boolean => {
    take(0.05);
    return isEven(sequenceNumber);
  };
  const random = seededRandom(5);
  const pages = range(1, 30).map(() => page(Math.floor(random() * 2_000)));
  const verdicts = await Promise.all(pages.map((records) => turns.filter(records, matches)));
  for (const [index, records] of pages.entries())
    expect(verdicts[index]).toEqual(records.map(({ sequenceNumber }) => isEven(sequenceNumber)));
  expect(heldUpMs.length).toBeGreaterThan(50);
  expect(Math.max(...heldUpMs)).toBeLessThan(15);
});

it('a page that takes next to nothing waits for nobody, but many of them do', async () => {
  const { clock, heldUpMs, take } = busyClock();
  const turns = new FilterTurns(clock);
  expect(await turns.filter(page(3), () => take(1) > 0)).toEqual([true, true, true]);
  expect(await turns.filter([], () => true)).toEqual([]);
  expect(heldUpMs).toEqual([]);
  for (let n = 0; n < 3; n += 1) await turns.filter(page(3), () => take(1) > 0);
  expect(heldUpMs).toEqual([12]);
});

it('a filter that throws is its own caller’s trouble', async () => {
  const { clock } = busyClock();
  const turns = new FilterTurns(clock);
  const broken = turns.filter(page(1), () => {
    throw new Error('a bug');
  });
  const fine = turns.filter(page(2), () => true);
  await expect(broken).rejects.toThrow('a bug');
  expect(await fine).toEqual([true, true]);
});
