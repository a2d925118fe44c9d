import { describe, expect, it } from 'vitest';
import { ByteBudget, type ByteReservation, type ByteShare, MEMORY_PER_MESSAGE_BYTE } from './byte-budget.ts';

const never = new AbortController().signal;
const KIB = 1_024;
const MIB = 1_024 * KIB;

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
    const budget = new ByteBudget(100 * MIB);
    const share = acquainted(budget, KIB);
    const room = share.tryReserve(10)!;
    expect(budget.usedBytes).toBe(10 * KIB * MEMORY_PER_MESSAGE_BYTE);
    room.arrived([100, 200]);
    expect(budget.usedBytes).toBe(300 * MEMORY_PER_MESSAGE_BYTE);
    share.giveBack([100, 200]);
    expect(budget.usedBytes).toBe(0);
  });

  it('gives the room of an empty receive back', () => {
    const budget = new ByteBudget(MIB);
    budget.share().tryReserve(10)!.cancel();
    expect(budget.usedBytes).toBe(0);
  });

  it('has one receive out at a time while nothing is known about the messages', async () => {
    const share = new ByteBudget(100 * MIB).share();
    const first = share.tryReserve(10)!;
    expect(share.tryReserve(10)).toBeUndefined();
    const second = share.reserve(10, never);
    first.arrived([KIB]);
    expect((await second)?.messages).toBe(10);
  });

  it('asks for fewer messages when memory is tight, and stops when it is full', () => {
    const budget = new ByteBudget(50 * MIB);
    const share = acquainted(budget, MIB);
    expect(fill(share, MIB)).toBe(8);
    expect(budget.usedBytes).toBeLessThanOrEqual(50 * MIB);
    share.giveBack([MIB]);
    expect(share.tryReserve(10)?.messages).toBe(1);
  });

  it('lets one message through that is larger than the whole budget, and accounts the overdraft', () => {
    const budget = new ByteBudget(MIB);
    const share = acquainted(budget, MIB);
    share.tryReserve(10)!.arrived([MIB]);
    expect(budget.usedBytes).toBe(MIB * MEMORY_PER_MESSAGE_BYTE);
    expect(share.tryReserve(1)).toBeUndefined();
    share.giveBack([MIB]);
    expect(share.tryReserve(1)).toBeDefined();
  });

  it('leaves room for the others when one mapping is greedy', () => {
    const budget = new ByteBudget(128 * MIB);
    const greedy = acquainted(budget, MIB);
    const modest = acquainted(budget, MIB);
    fill(greedy, MIB);
    expect(greedy.heldBytes).toBeLessThanOrEqual(64 * MIB);
    expect(greedy.heldBytes).toBeGreaterThan(48 * MIB);
    expect(modest.tryReserve(4)?.messages).toBe(4);
  });

  it('serves mappings that wait in turn, however many receives one of them wants', async () => {
    const budget = new ByteBudget(12 * MIB);
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
    const budget = new ByteBudget(100 * MIB);
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
  const budget = new ByteBudget(6_000);
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
