import { describe, expect, it } from 'vitest';
import { SimClock } from '@wherry/testkit/sim-clock';
import { ByteBudget, type ByteReservation, type ByteShare, MEMORY_PER_MESSAGE_BYTE } from './byte-budget.ts';
import { LARGEST_MESSAGE_BYTES, PageEstimate } from './receive-estimate.ts';

const never = new AbortController().signal;
const KIB = 1_024;
const MIB = 1_024 * KIB;

/** What a shard with these records holds. */
const holding = (records: number[]) => () => records.reduce((sum, bytes) => sum + bytes, 0) * MEMORY_PER_MESSAGE_BYTE;

/** A share that has seen messages of this size and holds none. */
function acquainted(budget: ByteBudget, messageBytes: number): ByteShare {
  const share = budget.share();
  const reservation = share.tryReserve(10);
  reservation!.arrived([messageBytes]);
  share.giveBack([messageBytes]);
  return share;
}

/** Receives 10 messages of the size at a time until there is no room. */
function fill(share: ByteShare, messageBytes: number): number {
  let received = 0;
  for (let room = share.tryReserve(10); room !== undefined; room = share.tryReserve(10)) {
    room.arrived(Array<number>(room.messages).fill(messageBytes));
    received += room.messages;
  }
  return received;
}

describe('the byte budget', () => {
  it('reserves before a receive and exchanges the estimate for the truth', () => {
    const budget = new ByteBudget(100 * MIB, new SimClock().clock());
    const share = acquainted(budget, KIB);
    const room = share.tryReserve(10)!;
    expect(budget.usedBytes).toBe(10 * KIB * MEMORY_PER_MESSAGE_BYTE);
    room.arrived([100, 200]);
    expect(budget.usedBytes).toBe(300 * MEMORY_PER_MESSAGE_BYTE);
    share.giveBack([100, 200]);
    expect(budget.usedBytes).toBe(0);
  });

  it('gives the room of an empty receive back', () => {
    const budget = new ByteBudget(MIB, new SimClock().clock());
    budget.share().tryReserve(10)!.cancel();
    expect(budget.usedBytes).toBe(0);
  });

  it('has one receive out at a time while nothing is known about the messages', async () => {
    const share = new ByteBudget(100 * MIB, new SimClock().clock()).share();
    const first = share.tryReserve(10)!;
    expect(share.tryReserve(10)).toBeUndefined();
    const second = share.reserve(10, never);
    first.arrived([KIB]);
    expect((await second)?.messages).toBe(10);
  });

  it('asks for fewer messages when memory is tight, and stops when it is full', () => {
    const budget = new ByteBudget(50 * MIB, new SimClock().clock());
    const share = acquainted(budget, MIB);
    expect(fill(share, MIB)).toBe(6);
    expect(budget.usedBytes).toBeLessThanOrEqual(50 * MIB);
    share.giveBack([MIB]);
    expect(share.tryReserve(10)?.messages).toBe(1);
  });

  it('lets one message through that is larger than the whole budget, and accounts the overdraft', () => {
    const budget = new ByteBudget(MIB, new SimClock().clock());
    const share = acquainted(budget, MIB);
    share.tryReserve(10)!.arrived([MIB]);
    expect(budget.usedBytes).toBe(MIB * MEMORY_PER_MESSAGE_BYTE);
    expect(share.tryReserve(1)).toBeUndefined();
    share.giveBack([MIB]);
    expect(share.tryReserve(1)).toBeDefined();
  });

  it('leaves room for the others when one mapping is greedy', () => {
    const budget = new ByteBudget(128 * MIB, new SimClock().clock());
    const greedy = acquainted(budget, MIB);
    const modest = acquainted(budget, MIB);
    fill(greedy, MIB);
    expect(greedy.heldBytes).toBeLessThanOrEqual(64 * MIB);
    expect(greedy.heldBytes).toBeGreaterThan(48 * MIB);
    expect(modest.tryReserve(4)?.messages).toBe(4);
  });

  it('serves mappings that wait in turn, however many receives one of them wants', async () => {
    const budget = new ByteBudget(12 * MIB, new SimClock().clock());
    const [greedy, modest] = [acquainted(budget, MIB), acquainted(budget, MIB)];
    const rooms: ByteReservation[] = [];
    for (let room = greedy.tryReserve(1) ?? modest.tryReserve(1); room !== undefined; room = greedy.tryReserve(1) ?? modest.tryReserve(1)) {
      rooms.push(room);
    }
    const granted: string[] = [];
    const wait = (name: string, share: ByteShare): void => {
      void share.reserve(1, never).then((room) => {
        granted.push(name);
        room?.cancel();
      });
    };
    for (let count = 0; count < 3; count += 1) wait('greedy', greedy);
    wait('modest', modest);
    for (const room of rooms) room.cancel();
    await new Promise((resolve) => setImmediate(resolve));
    expect(granted).toHaveLength(4);
    expect(granted.indexOf('modest')).toBeLessThan(2);
  });

  it('lets a wait end with its signal, and forgets a mapping that has ended', async () => {
    const budget = new ByteBudget(100 * MIB, new SimClock().clock());
    const share = budget.share();
    share.tryReserve(10);
    const stop = new AbortController();
    const waiting = share.reserve(10, stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    share.close();
    expect(budget.usedBytes).toBe(0);
  });
});

it('records in memory are counted, and memory counts as exhausted only while a receive waits for it', async () => {
  const budget = new ByteBudget(6_000, new SimClock().clock());
  const share = budget.share();
  const first = share.tryReserve(1);
  const waiting = share.reserve(1, never);
  // Nobody knows the size of a message yet: that is no lack of memory.
  expect(budget.isExhausted).toBe(false);
  first?.arrived([2_000]);
  expect([budget.records, budget.isExhausted]).toEqual([1, true]);
  share.giveBack([2_000]);
  expect([budget.records, budget.isExhausted]).toEqual([0, false]);
  (await waiting)?.cancel();
});

describe('the first look into a queue', () => {
  const WORST = 10 * LARGEST_MESSAGE_BYTES * MEMORY_PER_MESSAGE_BYTE;

  it('reserves for the largest messages there are, and gives that up once it found the queue empty', () => {
    const budget = new ByteBudget(2 * WORST, new SimClock().clock());
    const share = budget.share();
    const look = share.tryReserve(10)!;
    expect([look.isLook, look.messages, budget.usedBytes]).toEqual([true, 10, WORST]);
    look.arrived([]);
    const poll = share.tryReserve(10)!;
    expect([poll.isLook, poll.messages]).toEqual([false, 10]);
    expect(budget.usedBytes).toBeLessThan(WORST / 100);
  });

  it('is repeated when the receive failed', () => {
    const share = new ByteBudget(2 * WORST, new SimClock().clock()).share();
    share.tryReserve(10)!.cancel();
    expect(share.tryReserve(10)?.isLook).toBe(true);
  });

  it('takes turns, so that every queue may ask for full batches and the budget is never overdrawn', async () => {
    const budget = new ByteBudget(2.5 * WORST, new SimClock().clock());
    const shares = Array.from({ length: 5 }, () => budget.share());
    let most = 0;
    const asked = await Promise.all(
      shares.map(async (share) => {
        const look = await share.reserve(10, never);
        most = Math.max(most, budget.usedBytes);
        await Promise.resolve();
        look!.arrived([]);
        return look!.messages;
      }),
    );
    expect(asked).toEqual([10, 10, 10, 10, 10]);
    expect(most).toBeLessThanOrEqual(budget.limitBytes);
  });

  it('is content with less when a queue that does not answer keeps the room for long', async () => {
    const time = new SimClock();
    const budget = new ByteBudget(WORST, time.clock());
    const [hanging, waiting] = [budget.share(), budget.share()];
    hanging.tryReserve(10);
    const granted: (number | undefined)[] = [];
    void waiting.reserve(10, never).then((look) => granted.push(look?.messages));
    await time.advance(900);
    expect(granted).toEqual([]);
    await time.advance(200);
    expect(granted).toEqual([2]);
    expect(budget.usedBytes).toBeLessThanOrEqual(budget.limitBytes);
  });
});

describe('shards of one mapping', () => {
  const PAGE = 14 * MIB;

  it('read several at a time while nothing is known of their records, and a page is never taken to be more than the source sends', () => {
    const budget = new ByteBudget(256 * MIB, new SimClock().clock());
    const share = budget.share(new PageEstimate(PAGE));
    const look = share.tryReserve(10_000, () => 0)!;
    expect([look.messages, budget.usedBytes]).toEqual([10_000, PAGE * MEMORY_PER_MESSAGE_BYTE]);
    look.arrived([]);
    const reads = [1, 2, 3, 4, 5].map(() => share.tryReserve(100, () => 0));
    expect(reads.map((read) => read?.messages)).toEqual([100, 100, 100, 100, undefined]);
  });

  it('ask for as many records as fit by their mean size, with room for one of the largest', () => {
    const budget = new ByteBudget(48 * MIB, new SimClock().clock());
    const share = budget.share(new PageEstimate(PAGE));
    share.tryReserve(100, () => 0)!.arrived([MIB, ...Array<number>(1_023).fill(1_025)]);
    share.giveBackAll(1_024, MIB + 1_023 * 1_025);
    // Half of 6 MiB is free for one shard; 1 MiB of it is for the largest, the rest for records of 2 KiB.
    const room = share.tryReserve(10_000, () => 0)!;
    expect(room.messages).toBeGreaterThan(1_000);
    expect(room.messages).toBeLessThanOrEqual(1_024);
  });

  it('leave room for one another when some are stuck', () => {
    const budget = new ByteBudget(256 * MIB, new SimClock().clock());
    const share = budget.share(new PageEstimate(PAGE));
    share.tryReserve(1, () => 0)!.arrived([KIB]);
    share.giveBack([KIB]);
    const stuck = Array.from({ length: 10 }, (): number[] => []);
    for (const records of stuck) {
      for (let room = share.tryReserve(1_000, holding(records)); room !== undefined; room = share.tryReserve(1_000, holding(records))) {
        const page = Array<number>(room.messages).fill(KIB);
        room.arrived(page);
        records.push(...page);
      }
    }
    expect(stuck.every((records) => records.length > 1)).toBe(true);
    expect(share.tryReserve(1_000, () => 0)?.messages).toBeGreaterThanOrEqual(1);
  });

  it('wait each for itself: one that holds much does not keep out one that holds nothing', async () => {
    const budget = new ByteBudget(32 * MIB, new SimClock().clock());
    const share = budget.share(new PageEstimate(PAGE));
    const much = Array<number>(2).fill(MIB);
    share.tryReserve(2, () => 0)!.arrived(much);
    const greedy = share.reserve(2, never, holding(much));
    const modest = share.tryReserve(2, () => 0);
    expect(modest?.messages).toBe(1);
    modest!.cancel();
    much.pop();
    share.giveBack([MIB]);
    expect(await Promise.race([greedy, Promise.resolve('waits')])).toBe('waits');
    much.pop();
    share.giveBack([MIB]);
    expect((await greedy)?.messages).toBe(1);
  });
});
