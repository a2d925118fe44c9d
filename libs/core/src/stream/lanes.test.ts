import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../stream-source.ts';
import { ShardLanes, laneOf, readAheadLimits } from './lanes.ts';

const ROOMY = { records: 10_000, bytes: 10_000_000 };

function record(number: number, orderKey: string, recordBytes = 100): StreamRecord {
  return { sequenceNumber: String(1_000_000 + number), arrivedAtMs: 0, orderKey, recordJson: '{}', recordBytes };
}

/** One of the user records of aggregates of four; their keys differ. */
function inner(index: number): StreamRecord {
  return { ...record(Math.floor(index / 4), `key-${index % 17}`), recordJson: String(index), isWithinAggregate: index % 4 < 3 };
}

/** Some key of each lane. */
function keysOf(lanes: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.filter((key) => key !== undefined).length < lanes; i += 1) keys[laneOf(`key-${i}`, lanes)] ??= `key-${i}`;
  return keys;
}

function last(records: readonly StreamRecord[]): string | undefined {
  return records.at(-1)?.sequenceNumber;
}

describe('the lane of a record', () => {
  it('depends on its key alone and is the same everywhere', () => {
    expect(['a', 'user-7', '{"pk":{"S":"a"}}', ''].map((key) => laneOf(key, 10))).toEqual([5, 8, 0, 3]);
    expect(laneOf('user-7', 1)).toBe(0);
  });

  it.each([2, 3, 4, 7, 10])('spreads many keys evenly over %i lanes', (lanes) => {
    const counts = Array.from({ length: lanes }, () => 0);
    for (let i = 0; i < 10_000; i += 1) counts[laneOf(`user-${i}`, lanes)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000 / lanes)).toBeLessThan(0.1 * (10_000 / lanes));
  });
});

describe('lanes of a shard', () => {
  it('STR-17 a poison record blocks its lane: the other goes on, the checkpoint waits', () => {
    const lanes = new ShardLanes(2, ROOMY);
    const [poison, fine] = keysOf(2);
    lanes.push(record(1, fine!), 0);
    lanes.push(record(2, poison!), 0);
    for (let i = 3; i <= 10; i += 1) lanes.push(record(i, fine!), 0);
    lanes.take(0, 1);
    for (let i = 0; i < 9; i += 1) {
      lanes.take(1, 1);
      lanes.finish(1, 1);
    }
    expect(lanes.watermark).toBe('1000001');
    expect([lanes.running(0), lanes.running(1), lanes.waiting(1), lanes.heldRecords, lanes.heldBytes]).toEqual([1, 0, 0, 9, 100]);
    lanes.finish(0, 1);
    expect(lanes.watermark).toBe('1000010');
  });

  it('STR-18 four lanes, 1,000 records of 50 keys: order of each key is kept, at most four batches at a time', () => {
    const random = seededRandom(18);
    const lanes = new ShardLanes(4, { records: 300, bytes: 1_000_000 });
    const delivered = new Map<string, string[]>();
    const sent = new Map<string, string[]>();
    const running = new Map<number, number>();
    let mostRunning = 0;
    for (let next = 0; next < 1_000 || !lanes.isEmpty;) {
      for (let room = Math.min(lanes.recordsToRead(100), 1_000 - next); room > 0; room -= 1) {
        const one = record(next, `key-${Math.floor(random() * 50)}`);
        sent.set(one.orderKey, [...(sent.get(one.orderKey) ?? []), one.sequenceNumber]);
        lanes.push(one, next);
        next += 1;
      }
      const lane = Math.floor(random() * 4);
      if (lanes.running(lane) > 0) {
        lanes.finish(lane, running.get(lane)!);
      } else if (lanes.waiting(lane) > 0) {
        const batch = lanes.take(lane, Math.min(lanes.waiting(lane), 1 + Math.floor(random() * 20)));
        running.set(lane, batch.length);
        for (const { orderKey, sequenceNumber } of batch) delivered.set(orderKey, [...(delivered.get(orderKey) ?? []), sequenceNumber]);
      }
      mostRunning = Math.max(mostRunning, [0, 1, 2, 3].filter((each) => lanes.running(each) > 0).length);
    }
    expect(delivered).toEqual(sent);
    expect(mostRunning).toBe(4);
    expect(lanes.watermark).toBe('1000999');
  });

  it.each([1, 2, 3, 4, 5])('STR-19 a crash at any point, lanes apart: from the watermark on, no record is lost (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const done = new Set<string>();
    let checkpoint = -1;
    for (let life = 0; life < 20; life += 1) {
      const lanes = new ShardLanes(3, { records: 60, bytes: 1_000_000 });
      const batches = new Map<number, readonly StreamRecord[]>();
      let next = checkpoint + 1;
      for (let turn = 0; turn < 60; turn += 1) {
        for (let room = Math.min(lanes.recordsToRead(10), 500 - next); room > 0; room -= 1, next += 1) {
          // Every fifth record does not match the filters.
          if (next % 5 === 0) lanes.pass(record(next, ''));
          else lanes.push(record(next, `key-${next % 17}`), 0);
        }
        const lane = Math.floor(random() * random() * 3);
        if (lanes.running(lane) === 0 && lanes.waiting(lane) > 0) batches.set(lane, lanes.take(lane, Math.min(lanes.waiting(lane), 7)));
        const count = Math.floor(random() * (lanes.running(lane) + 1));
        for (const one of batches.get(lane)?.slice(-lanes.running(lane)).slice(0, count) ?? []) done.add(one.sequenceNumber);
        lanes.finish(lane, count);
        checkpoint = Math.max(checkpoint, Number(lanes.watermark ?? 999_999) - 1_000_000);
      }
      for (let i = 0; i <= checkpoint; i += 1) expect(i % 5 === 0 || done.has(record(i, '').sequenceNumber)).toBe(true);
    }
    expect(checkpoint).toBe(499);
  });

  it.each([1, 2, 3, 4, 5])(
    'LIF-11 a crash at any point of aggregates: what is not done comes again with all of its number (seed %i)',
    (seed) => {
      const random = seededRandom(seed);
      const done = new Set<number>();
      let checkpoint = -1;
      for (let life = 0; life < 20; life += 1) {
        const lanes = new ShardLanes(3, { records: 60, bytes: 1_000_000 });
        const batches = new Map<number, readonly StreamRecord[]>();
        let next = (checkpoint + 1) * 4;
        for (let turn = 0; turn < 60; turn += 1) {
          for (let room = Math.min(lanes.recordsToRead(10), 400 - next); room > 0; room -= 1, next += 1) {
            // Each third does not match the filters.
            if (next % 3 === 0) lanes.pass(inner(next));
            else lanes.push(inner(next), 0);
          }
          const lane = Math.floor(random() * random() * 3);
          if (lanes.running(lane) === 0 && lanes.waiting(lane) > 0) batches.set(lane, lanes.take(lane, Math.min(lanes.waiting(lane), 7)));
          // Also a part of a batch, that ends within an aggregate.
          const count = Math.floor(random() * (lanes.running(lane) + 1));
          for (const one of batches.get(lane)?.slice(-lanes.running(lane)).slice(0, count) ?? []) done.add(Number(one.recordJson));
          lanes.finish(lane, count);
          checkpoint = Math.max(checkpoint, Number(lanes.watermark ?? 999_999) - 1_000_000);
        }
        for (let index = 0; index < (checkpoint + 1) * 4; index += 1) expect(index % 3 === 0 || done.has(index)).toBe(true);
      }
      expect(checkpoint).toBe(99);
    },
  );

  it('knows since when the first waiting record waits', () => {
    const lanes = new ShardLanes(1, ROOMY);
    expect(lanes.waitingSinceMs(0)).toBeUndefined();
    for (let i = 0; i < 5; i += 1) lanes.push(record(i, 'a'), 100 * i);
    expect(lanes.waitingSinceMs(0)).toBe(0);
    expect(last(lanes.take(0, 3))).toBe('1000002');
    expect([lanes.waiting(0), lanes.waitingSinceMs(0), lanes.peek(0, 1)?.sequenceNumber, lanes.peek(0, 2)]).toEqual([
      2,
      300,
      '1000004',
      undefined,
    ]);
  });

  it('settles a batch in pieces, from the front', () => {
    const lanes = new ShardLanes(1, ROOMY);
    for (let i = 0; i < 4; i += 1) lanes.push(record(i, 'a', 10 + i), 0);
    lanes.take(0, 4);
    lanes.finish(0, 1);
    expect([lanes.watermark, lanes.running(0), lanes.heldBytes]).toEqual(['1000000', 3, 36]);
    lanes.finish(0, 0);
    lanes.finish(0, 3);
    expect([lanes.watermark, lanes.running(0), lanes.heldBytes, lanes.isEmpty]).toEqual(['1000003', 0, 0, true]);
  });

  it('refuses what no loop may do', () => {
    const lanes = new ShardLanes(2, ROOMY);
    const [key] = keysOf(2);
    lanes.push(record(1, key!), 0);
    lanes.push(record(2, key!), 0);
    expect(() => lanes.take(0, 3)).toThrow('cannot take 3 records of a lane in which 2 wait');
    expect(() => lanes.take(1, 0)).toThrow('cannot take 0 records');
    lanes.take(0, 1);
    expect(() => lanes.take(0, 1)).toThrow("the lane's batch still runs");
    expect(() => lanes.finish(0, 2)).toThrow('cannot finish 2 records of a batch of which 1 run');
    expect(() => lanes.running(2)).toThrow('there is no lane 2: expected 0 to 1');
    expect(() => new ShardLanes(11, ROOMY)).toThrow('ParallelizationFactor is 1 to 10, not 11');
  });
});

describe('read-ahead', () => {
  it('lets each lane run a batch and gather the next, and is never less than a full page', () => {
    expect(readAheadLimits(100, 1)).toEqual({ records: 10_000, bytes: 12_582_912 });
    expect(readAheadLimits(10_000, 10)).toEqual({ records: 200_000, bytes: 125_829_120 });
  });

  it('a blocked lane lets the others work until the bound is reached, and the reader goes on when it is free', () => {
    const lanes = new ShardLanes(2, { records: 50, bytes: 1_000_000 });
    const [poison, fine] = keysOf(2);
    lanes.push(record(0, poison!), 0);
    lanes.take(0, 1);
    let next = 1;
    while (!lanes.isStalled) {
      for (let room = lanes.recordsToRead(20); room > 0; room -= 1) lanes.push(record(next++, fine!), 0);
      const count = lanes.waiting(1);
      lanes.take(1, count);
      lanes.finish(1, count);
    }
    expect([next, lanes.heldRecords, lanes.heldBytes, lanes.recordsToRead(20), lanes.watermark]).toEqual([50, 50, 100, 0, undefined]);
    lanes.finish(0, 1);
    expect([lanes.isStalled, lanes.recordsToRead(20), lanes.watermark]).toEqual([false, 20, '1000049']);
  });

  it('is bound by bytes too: asks for as many records as fit by what they were like, and holds at most one page more', () => {
    const lanes = new ShardLanes(1, { records: 10_000, bytes: 100_000 });
    let next = 0;
    const asked: number[] = [];
    for (let room = lanes.recordsToRead(30); room > 0; room = lanes.recordsToRead(30)) {
      asked.push(room);
      for (; room > 0; room -= 1) lanes.push(record(next++, 'a', 2_000), 0);
    }
    expect(asked).toEqual([30, 20]);
    lanes.take(0, 50);
    lanes.finish(0, 49);
    lanes.push(record(next++, 'a', 500_000), 0);
    expect([lanes.heldBytes, lanes.isStalled]).toEqual([502_000, true]);
    lanes.finish(0, 1);
    lanes.take(0, 1);
    lanes.finish(0, 1);
    expect([lanes.heldBytes, lanes.isStalled, lanes.recordsToRead(1_000)]).toEqual([0, false, 3]);
  });

  it('asks for one record at least while it may read, however large records are', () => {
    const lanes = new ShardLanes(1, { records: 10, bytes: 1_000 });
    lanes.push(record(1, 'a', 900), 0);
    expect(lanes.recordsToRead(10)).toBe(1);
  });

  it('filtered records take no room', () => {
    const lanes = new ShardLanes(1, { records: 2, bytes: 1_000 });
    lanes.push(record(0, 'a'), 0);
    for (let i = 1; i < 1_000; i += 1) lanes.pass(record(i, 'b'));
    expect([lanes.heldRecords, lanes.recordsToRead(10)]).toEqual([1, 1]);
    lanes.take(0, 1);
    lanes.finish(0, 1);
    expect(lanes.watermark).toBe('1000999');
  });

  it('holds 10,000 records in each of ten lanes, and none of those that are done', () => {
    const lanes = new ShardLanes(10, { records: 200_000, bytes: 1_000_000_000 });
    for (let i = 0; i < 100_000; i += 1) lanes.push(record(i, `key-${i % 1_000}`), i);
    expect(lanes.heldRecords).toBe(100_000);
    for (let lane = 9; lane >= 0; lane -= 1) {
      while (lanes.waiting(lane) > 0) {
        const count = lanes.take(lane, Math.min(777, lanes.waiting(lane))).length;
        lanes.finish(lane, count);
      }
    }
    expect([lanes.watermark, lanes.heldRecords, lanes.heldBytes]).toEqual(['1099999', 0, 0]);
    expect([lanes.peek(3, 0), lanes.waitingSinceMs(3)]).toEqual([undefined, undefined]);
  });
});

describe('a change of ParallelizationFactor', () => {
  it('stops reading, drains the lanes, then deals the keys anew; the watermark stays', () => {
    const lanes = new ShardLanes(2, ROOMY);
    for (let i = 0; i < 4; i += 1) lanes.push(record(i, `key-${i}`), 0);
    lanes.repartition(4, ROOMY);
    expect([lanes.parallelizationFactor, lanes.isStalled, lanes.recordsToRead(10)]).toEqual([2, true, 0]);
    drain(lanes);
    expect([lanes.parallelizationFactor, lanes.isStalled, lanes.watermark]).toEqual([4, false, '1000003']);
    expect(lanes.push(record(4, 'key-3'), 0)).toBe(laneOf('key-3', 4));
    expect(lanes.watermark).toBe('1000003');
    drain(lanes);
    expect(lanes.watermark).toBe('1000004');
  });

  it('LIF-11 between two pages of one aggregate leaves the watermark before it', () => {
    const lanes = new ShardLanes(2, ROOMY);
    lanes.push(record(0, 'a'), 0);
    lanes.push({ ...record(1, 'a'), isWithinAggregate: true }, 0);
    lanes.repartition(4, ROOMY);
    drain(lanes);
    expect([lanes.parallelizationFactor, lanes.isEmpty, lanes.watermark]).toEqual([4, true, '1000000']);
    lanes.push({ ...record(1, 'b'), isWithinAggregate: true }, 0);
    drain(lanes);
    expect(lanes.watermark).toBe('1000000');
    lanes.push(record(1, 'c'), 0);
    drain(lanes);
    expect(lanes.watermark).toBe('1000001');
  });

  it('takes effect at once in an idle shard, and is taken back by the old number', () => {
    const lanes = new ShardLanes(2, ROOMY);
    lanes.repartition(3, ROOMY);
    expect(lanes.parallelizationFactor).toBe(3);
    lanes.push(record(0, 'a'), 0);
    lanes.repartition(5, { records: 7, bytes: 1_000 });
    expect(lanes.isStalled).toBe(true);
    lanes.repartition(3, { records: 7, bytes: 1_000 });
    expect([lanes.isStalled, lanes.recordsToRead(100), lanes.parallelizationFactor]).toEqual([false, 6, 3]);
  });
});

/** Takes and settles all that waits or runs. */
function drain(lanes: ShardLanes): void {
  for (let lane = 0, count = lanes.parallelizationFactor; lane < count && !lanes.isEmpty; lane += 1) {
    if (lanes.running(lane) > 0) lanes.finish(lane, lanes.running(lane));
    const waiting = lanes.waiting(lane);
    if (waiting === 0) continue;
    lanes.take(lane, waiting);
    lanes.finish(lane, waiting);
  }
}
