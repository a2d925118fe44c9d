import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../source-error.ts';
import type { ShardPage } from '../stream-source.ts';
import {
  DYNAMODB_RATES,
  firstPace,
  IDLE_PAUSE_MAX_MS,
  IDLE_READS_PER_SECOND,
  isIdle,
  KINESIS_RATES,
  nextReadAtMs,
  paceAfterFault,
  paceAfterPage,
  type PollPace,
  type PollRates,
  PUSH_RATES,
} from './poll-pace.ts';

const half = (): number => 0.5;
const none = (): number => 0;
const EMPTY: ShardPage = { records: [], isEnd: false, behindMs: 0 };

function pageOf(records: number, { behindMs, recordBytes = 600 }: { behindMs?: number; recordBytes?: number } = {}): ShardPage {
  const one = { sequenceNumber: '1', arrivedAtMs: 0, orderKey: 'k', recordJson: '', recordBytes };
  return { records: Array.from({ length: records }, () => one), isEnd: false, ...(behindMs === undefined ? {} : { behindMs }) };
}

/** A shard that was read at 0 with these pages, one after the other. */
function after(rates: PollRates, ...pages: ShardPage[]): PollPace {
  let pace = firstPace(rates, 0, 0, half);
  for (const page of pages) pace = paceAfterPage(pace, rates, { page, maxRecords: 1_000, sentAtMs: 0 }, half);
  return pace;
}

describe('the pause until the next read of a shard', () => {
  it.each([
    ['Kinesis: an idle shard, once a second', KINESIS_RATES, [EMPTY], 1_000],
    ['Kinesis: records a moment ago', KINESIS_RATES, [pageOf(3, { behindMs: 0 })], 225],
    ['Kinesis: one empty page since', KINESIS_RATES, [pageOf(3, { behindMs: 0 }), EMPTY], 450],
    ['Kinesis: two empty pages since', KINESIS_RATES, [pageOf(3, { behindMs: 0 }), EMPTY, EMPTY], 900],
    ['Kinesis: three empty pages since', KINESIS_RATES, [pageOf(3, { behindMs: 0 }), EMPTY, EMPTY, EMPTY], 1_000],
    ['Kinesis: behind, as fast as five reads a second allow', KINESIS_RATES, [pageOf(3, { behindMs: 5 })], 220],
    ['Kinesis: behind, though the page is empty', KINESIS_RATES, [pageOf(0, { behindMs: 60_000 })], 220],
    ['Kinesis: a full page counts as behind, whatever the answer says', KINESIS_RATES, [pageOf(1_000, { behindMs: 0 })], 220],
    [
      'Kinesis: a page of 10 MiB is waited off at 2 MiB a second',
      KINESIS_RATES,
      [pageOf(100, { recordBytes: 140_310, behindMs: 5 })],
      5_000,
    ],
    ['DynamoDB: an idle shard, four times a second', DYNAMODB_RATES, [pageOf(0)], 250],
    ['DynamoDB: records a moment ago', DYNAMODB_RATES, [pageOf(3)], 225],
    ['DynamoDB: a full page', DYNAMODB_RATES, [pageOf(1_000)], 110],
    ['DynamoDB: a page of 1 MB', DYNAMODB_RATES, [pageOf(100, { recordBytes: 9_500 })], 110],
  ])('%s', (_, rates, pages, pauseMs) => {
    expect(Math.round(nextReadAtMs(after(rates, ...pages), rates, 1))).toBe(pauseMs);
  });

  it.each([
    [KINESIS_RATES, 1, 1_000],
    [KINESIS_RATES, IDLE_READS_PER_SECOND, 1_000],
    [KINESIS_RATES, 1_000, 4_000],
    [KINESIS_RATES, 100_000, IDLE_PAUSE_MAX_MS],
    [DYNAMODB_RATES, 62, 250],
    [DYNAMODB_RATES, 500, 2_000],
  ])('grows with the number of idle shards %#', (rates, idleShards, pauseMs) => {
    const page = pageOf(0);
    expect(nextReadAtMs(after(rates, page, page, page, page, page, page), rates, idleShards)).toBe(pauseMs);
    expect(nextReadAtMs(after(rates, pageOf(3)), rates, idleShards)).toBe(225);
  });

  it('a shard is idle when it has brought nothing for some reads', () => {
    const records = pageOf(3, { behindMs: 0 });
    const idle = [[], [records], [records, EMPTY, EMPTY], [records, EMPTY, EMPTY, EMPTY], [pageOf(0, { behindMs: 9 })]];
    expect(idle.map((pages) => isIdle(after(KINESIS_RATES, ...pages), KINESIS_RATES))).toEqual([true, false, false, true, false]);
    expect(isIdle(after(DYNAMODB_RATES, pageOf(3)), DYNAMODB_RATES)).toBe(false);
    expect(isIdle(after(DYNAMODB_RATES, pageOf(3), pageOf(0)), DYNAMODB_RATES)).toBe(true);
  });

  it('LIF-08 doubles with each throttle, and shrinks again with time', () => {
    let pace = after(KINESIS_RATES, pageOf(3, { behindMs: 5 }));
    const pauses: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      pace = paceAfterFault(pace, { code: 'throttled', sentAtMs: 1_000, nowMs: 1_010 }, none);
      pauses.push(nextReadAtMs(pace, KINESIS_RATES, 1) - 1_000);
    }
    expect(pauses).toEqual([400, 800, 1_600, 2_000, 2_000]);
    for (const sentAtMs of [26_000, 101_000, 1_000_000]) {
      pace = paceAfterPage(pace, KINESIS_RATES, { page: pageOf(3, { behindMs: 5 }), maxRecords: 1_000, sentAtMs }, none);
      pauses.push(nextReadAtMs(pace, KINESIS_RATES, 1) - sentAtMs);
    }
    expect(pauses.slice(5)).toEqual([1_000, 400, 200]);
  });

  it('drifts: around its length, but never below what the rate allows', () => {
    const drifted = (page: ShardPage): number[] =>
      [0, 0.5, 1].map((draw) => {
        const read = { page, maxRecords: 1_000, sentAtMs: 0 };
        return Math.round(
          nextReadAtMs(
            paceAfterPage(before, KINESIS_RATES, read, () => draw),
            KINESIS_RATES,
            1,
          ),
        );
      });
    const before = after(KINESIS_RATES);
    expect(drifted(EMPTY)).toEqual([900, 1_000, 1_100]);
    expect(drifted(pageOf(3, { behindMs: 5 }))).toEqual([200, 220, 240]);
  });

  it.each<[FaultCode, number]>([
    ['unavailable', 500],
    ['accessDenied', 15_000],
    ['notFound', 2_500],
  ])('after %s is that of any source, and the rate stays', (code, pauseMs) => {
    const pace = paceAfterFault(after(KINESIS_RATES, EMPTY), { code, sentAtMs: 1_000, nowMs: 3_000 }, half);
    expect([nextReadAtMs(pace, KINESIS_RATES, 1), pace.readsPerSecond]).toEqual([3_000 + pauseMs, 5]);
  });

  it('grows with each failure in a row, and a page ends the row', () => {
    const failed = { code: 'unavailable', sentAtMs: 0, nowMs: 0 } as const;
    const pauses: number[] = [];
    let pace = after(KINESIS_RATES, pageOf(3, { behindMs: 0 }));
    for (let i = 0; i < 7; i += 1) {
      pace = paceAfterFault(pace, failed, half);
      pauses.push(nextReadAtMs(pace, KINESIS_RATES, 1));
    }
    pace = paceAfterPage(pace, KINESIS_RATES, { page: pageOf(3, { behindMs: 0 }), maxRecords: 1_000, sentAtMs: 0 }, half);
    pauses.push(nextReadAtMs(pace, KINESIS_RATES, 1), nextReadAtMs(paceAfterFault(pace, failed, half), KINESIS_RATES, 1));
    expect(pauses.map(Math.round)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 225, 500]);
  });
});

/** What a shard of a test answers at a time. */
type Answer = (nowMs: number) => ShardPage | FaultCode;

/** A reader of one shard in virtual time. */
interface Reader {
  readonly rates: PollRates;
  readonly answer: Answer;
  pace: PollPace;
  readonly reads: number[];
  throttled: number;
}

/** Lets `readers` of one process read for a while. Reads take 10 ms. @param areInStep they all begin at 0 */
function run(readers: readonly Reader[], untilMs: number, seed: number, areInStep = false): void {
  const random = seededRandom(seed);
  let idle = readers.length;
  for (const one of readers) one.pace = firstPace(one.rates, 0, readers.length, areInStep ? none : random);
  const due = new Map(readers.map((one) => [one, one.pace.notBeforeMs]));
  for (;;) {
    let next: Reader | undefined;
    let sentAtMs = untilMs;
    for (const [one, atMs] of due) if (atMs < sentAtMs) [next, sentAtMs] = [one, atMs];
    if (next === undefined) return;
    const { rates, pace: before } = next;
    const page = next.answer(sentAtMs);
    next.reads.push(sentAtMs);
    if (typeof page === 'string') {
      next.throttled += 1;
      next.pace = paceAfterFault(before, { code: page, sentAtMs, nowMs: sentAtMs + 10 }, random);
    } else {
      next.pace = paceAfterPage(before, rates, { page, maxRecords: 1_000, sentAtMs }, random);
    }
    idle += Number(isIdle(next.pace, rates)) - Number(isIdle(before, rates));
    due.set(next, Math.max(sentAtMs + 10, nextReadAtMs(next.pace, rates, idle)));
  }
}

function reader(rates: PollRates, answer: Answer): Reader {
  return { rates, answer, pace: firstPace(rates, 0, 0, half), reads: [], throttled: 0 };
}

/** The most reads in any second that begins with one. */
function mostPerSecond(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let last = 0;
  let most = 0;
  for (const [first, time] of sorted.entries()) {
    while (last < sorted.length && sorted[last]! < time + 1_000) last += 1;
    most = Math.max(most, last - first);
  }
  return most;
}

/** Reads in each second. */
function perSecond(readers: readonly Reader[], seconds: number): number[] {
  const counts = Array.from({ length: seconds }, () => 0);
  for (const { reads } of readers) for (const atMs of reads) counts[Math.floor(atMs / 1_000)]! += 1;
  return counts;
}

describe('reads in virtual time', () => {
  it.each([
    ['an idle Kinesis shard', KINESIS_RATES, EMPTY, 60],
    ['an idle DynamoDB shard', DYNAMODB_RATES, pageOf(0), 240],
    ['a hot Kinesis shard', KINESIS_RATES, pageOf(5, { behindMs: 0 }), 262],
    ['a Kinesis shard that is behind', KINESIS_RATES, pageOf(5, { behindMs: 100 }), 273],
  ])('%s is read at its rate', (_, rates, page, reads) => {
    const one = reader(rates, () => page);
    run([one], 60_000, 1);
    expect(Math.abs(one.reads.length - reads)).toBeLessThanOrEqual(0.03 * reads + 1);
    expect(mostPerSecond(one.reads)).toBeLessThanOrEqual(5);
  });

  it('a poller with 1,000 idle shards reads no more than it is content with, in every second, and skips none', () => {
    const readers = Array.from({ length: 1_000 }, () => reader(KINESIS_RATES, () => EMPTY));
    run(readers, 60_000, 7);
    const counts = perSecond(readers, 60);
    expect(counts.reduce((sum, count) => sum + count) / 60).toBeCloseTo(IDLE_READS_PER_SECOND, -1);
    for (const count of counts) expect(Math.abs(count - IDLE_READS_PER_SECOND)).toBeLessThan(60);
    for (const { reads } of readers) expect([14, 15, 16]).toContain(reads.length);
  });

  it('500 idle shards that were held up together and read at one moment do not stay in step', () => {
    const readers = Array.from({ length: 500 }, () => reader(KINESIS_RATES, () => EMPTY));
    run(readers, 200_000, 8, true);
    const counts = perSecond(readers, 200);
    expect(counts[0]).toBe(500);
    for (const count of counts.slice(-30)) expect(Math.abs(count - IDLE_READS_PER_SECOND)).toBeLessThan(100);
  });

  it('100 idle shards are each read once a second', () => {
    const readers = Array.from({ length: 100 }, () => reader(KINESIS_RATES, () => EMPTY));
    run(readers, 30_000, 3);
    for (const count of perSecond(readers, 30)) expect(Math.abs(count - 100)).toBeLessThan(30);
    expect(perSecond(readers, 30).reduce((sum, count) => sum + count) / 30).toBeCloseTo(100, -1);
  });

  it('LIF-08 hot and throttled shards among 1,000 idle ones are their own affair', () => {
    const hot = reader(KINESIS_RATES, () => pageOf(5, { behindMs: 0 }));
    const throttled = reader(KINESIS_RATES, () => 'throttled');
    const idle = Array.from({ length: 1_000 }, () => reader(KINESIS_RATES, () => EMPTY));
    run([hot, throttled, ...idle], 60_000, 5);
    expect(hot.reads.length).toBeGreaterThan(220);
    expect(throttled.reads.length).toBeLessThan(35);
    for (const { reads } of idle) expect(reads.length).toBeGreaterThanOrEqual(14);
  });

  it.each([
    [2, 0.03],
    [3, 0.05],
    [5, 0.1],
    [8, 0.25],
  ])('%i greedy readers share the five reads a second of a shard evenly, at most %f of them refused', (count, refusedMost) => {
    const shard = limited(5);
    const readers = Array.from({ length: count }, () => reader(KINESIS_RATES, (nowMs) => shard(nowMs, pageOf(5, { behindMs: 100 }))));
    run(readers, 600_000, count);
    const granted = readers.map(({ reads, throttled }) => reads.length - throttled);
    const all = granted.reduce((sum, each) => sum + each);
    expect(all / 600).toBeGreaterThan(3);
    for (const each of granted) expect(Math.abs(each - all / count)).toBeLessThan((0.3 * all) / count);
    const refused = readers.reduce((sum, { throttled }) => sum + throttled, 0);
    expect(refused / (all + refused)).toBeLessThan(refusedMost);
  });

  it('steps back for a consumer that reads four times a second and never steps back itself', () => {
    const shard = limited(5);
    let others = 0;
    let othersRefused = 0;
    const ours = reader(KINESIS_RATES, (nowMs) => {
      for (; others * 250 <= nowMs; others += 1) if (typeof shard(others * 250, EMPTY) === 'string') othersRefused += 1;
      return shard(nowMs, pageOf(5, { behindMs: 100 }));
    });
    run([ours], 600_000, 11);
    expect(othersRefused / others).toBeLessThan(0.05);
    expect((ours.reads.length - ours.throttled) / 600).toBeGreaterThan(0.5);
    expect(ours.throttled / ours.reads.length).toBeLessThan(0.1);
  });

  it('never sends two reads of a shard closer together than its limit, whatever the answers', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed);
      const answers: (ShardPage | FaultCode)[] = [EMPTY, pageOf(3), pageOf(1_000), pageOf(2, { behindMs: 9 }), 'throttled', 'unavailable'];
      const one = reader(KINESIS_RATES, () => answers[Math.floor(random() * answers.length)]!);
      run([one], 100_000, seed);
      const gaps = one.reads.slice(1).map((atMs, i) => atMs - one.reads[i]!);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(200 - 1e-6);
    }
  });

  it('the same inputs give the same reads', () => {
    const [first, second] = [1, 2].map(() => {
      const readers = Array.from({ length: 20 }, (_, i) => reader(KINESIS_RATES, () => (i % 2 === 0 ? EMPTY : 'throttled')));
      run(readers, 20_000, 9);
      return readers.flatMap(({ reads }) => reads);
    });
    expect(first).toEqual(second);
  });
});

describe('a shard whose records are pushed', () => {
  it.each([0, 1_000_000])('is read at once after every page, full or empty, beside %i idle shards', (idleShards) => {
    let pace = firstPace(PUSH_RATES, 5_000, idleShards, () => 0.9);
    expect(nextReadAtMs(pace, PUSH_RATES, idleShards)).toBe(5_000);
    for (const page of [pageOf(5_000), EMPTY, EMPTY, pageOf(2, { behindMs: 90 })]) {
      pace = paceAfterPage(pace, PUSH_RATES, { page, maxRecords: 10_000, sentAtMs: 7_000 }, () => 0.9);
      expect(nextReadAtMs(pace, PUSH_RATES, idleShards)).toBe(7_000);
      expect(isIdle(pace, PUSH_RATES)).toBe(false);
    }
  });

  it('pauses after each failed read, a throttled subscription too, and longer each time', () => {
    let pace = firstPace(PUSH_RATES, 0, 0, () => 0.5);
    const pauses = [1, 2, 3, 4].map(() => {
      pace = paceAfterFault(pace, { code: 'throttled', sentAtMs: 0, nowMs: 0 }, () => 1);
      return nextReadAtMs(pace, PUSH_RATES, 0);
    });
    expect(pauses.every((pause, i) => pause > (pauses[i - 1] ?? 200))).toBe(true);
    pace = paceAfterPage(pace, PUSH_RATES, { page: EMPTY, maxRecords: 1, sentAtMs: 90_000 }, () => 1);
    expect(nextReadAtMs(pace, PUSH_RATES, 0)).toBe(90_000);
  });
});

/** A shard that grants so many reads in any second and refuses the others. */
function limited(readsPerSecond: number): (nowMs: number, page: ShardPage) => ShardPage | FaultCode {
  const granted: number[] = [];
  return (nowMs, page) => {
    while (granted.length > 0 && granted[0]! <= nowMs - 1_000) granted.shift();
    if (granted.length >= readsPerSecond) return 'throttled';
    granted.push(nowMs);
    return page;
  };
}
