/**
 * The memory that messages may take in one process, shared fairly between mappings.
 *
 * A receive reserves before it is sent, because nobody can refuse an answer that is on its way. What it will bring is not
 * known, so it reserves what messages of this queue have been like; when the answer is there, the estimate is exchanged for the
 * truth. If the truth is more than is left, the account is overdrawn and nobody receives anything until it is paid back.
 *
 * A queue that nobody has looked into yet may hold a backlog of the largest messages there are, and at a start all queues are
 * such queues. The first receive of each is therefore a look: it reserves for the worst case, and is a short poll, so that a quiet
 * queue holds that room for milliseconds only. Looks that find no room for all they want wait for the others, but not for long:
 * one queue that does not answer must not hold up the rest. A look that found nothing is believed: from then on the queue has one
 * receive out at a time, until its messages are known. One surprise of a long poll is bearable, one from each slot is not.
 */
import type { Clock } from '@wherry/core/clock';
import { MessageEstimate, type ReceiveEstimate } from './receive-estimate.ts';

/**
 * Bytes of memory per byte of message. Two stay for as long as the invocation runs: the record's text and the encoded event made
 * of it. The others are what a receive leaves to the garbage collector, which takes its time with large objects: the answer's
 * chunks, the answer as a whole, its text, and the body parsed out of it. Measured with a stalled target and messages of 1 MiB.
 */
export const MEMORY_PER_MESSAGE_BYTE = 8;

/** How long a look waits for the looks of other queues before it is content with less room. */
const LOOK_PATIENCE_MS = 1_000;
/** Bytes of memory that one of several readers of a mapping holds now. */
export type Holding = () => number;

interface Waiter {
  readonly messages: number;
  isPatient: boolean;
  readonly holding: Holding | undefined;
  readonly grant: (reservation: ByteReservation | undefined) => void;
}

/** Room for a receive of up to `messages` messages. Exactly one of `arrived` and `cancel` has to be called, once. */
export interface ByteReservation {
  /** How many messages there is room for: what was asked, or fewer when memory is tight, but at least 1. */
  readonly messages: number;
  /** Nobody has looked into this queue yet: the receive has to be a short poll, which gives its room back soon. */
  readonly isLook: boolean;
  /** The receive brought records of these sizes; they are on the account until `ByteShare.giveBack`. */
  arrived(recordBytes: readonly number[]): void;
  cancel(): void;
}

/** The account of one process. */
export class ByteBudget {
  readonly #limitBytes: number;
  readonly #clock: Clock;
  readonly #shares: ByteShare[] = [];
  #usedBytes = 0;
  #looksOut = 0;

  /** @param limitBytes `limits.bufferedBytes` */
  constructor(limitBytes: number, clock: Clock) {
    this.#limitBytes = limitBytes;
    this.#clock = clock;
  }

  /** Bytes of memory accounted to messages and to running receives. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Records in memory, of all mappings. */
  get records(): number {
    return total(this.#shares.map((share) => share.records));
  }

  /** True while some mapping's receive waits because the memory is used up. */
  get isExhausted(): boolean {
    return this.#shares.some((share) => share.isStarved);
  }

  /** The account of one mapping. Close it when the mapping ends. @param estimate of what its receives bring */
  share(estimate: ReceiveEstimate = new MessageEstimate()): ByteShare {
    const share = new ByteShare(estimate, {
      freeFor: (heldBytes) => this.#freeFor(heldBytes),
      move: (bytes) => {
        this.#usedBytes += bytes;
      },
      looksOut: () => this.#looksOut,
      countLooks: (change) => {
        this.#looksOut += change;
      },
      sleep: (ms, signal) => this.#clock.sleep(ms, signal),
      admit: () => this.#admit(),
      close: () => {
        this.#shares.splice(this.#shares.indexOf(share), 1);
        this.#admit();
      },
    });
    this.#shares.push(share);
    return share;
  }

  /**
   * What a mapping that holds `heldBytes` may still take. Where there are several mappings, none may hold more than what it
   * leaves free: one with a stalled target ends at half of the budget, two at a third each, and the others always find room.
   */
  #freeFor(heldBytes: number): number {
    const free = this.#limitBytes - this.#usedBytes;
    return this.#shares.length > 1 ? (free - heldBytes) / 2 : free;
  }

  /** Serves the mappings that wait in turn; within a mapping, first come first served. */
  #admit(): void {
    let passed = 0;
    while (passed < this.#shares.length) {
      const share = this.#shares.shift();
      if (share === undefined) return;
      this.#shares.push(share);
      passed = share.admitOne() ? 0 : passed + 1;
    }
  }
}

interface Ledger {
  freeFor(heldBytes: number): number;
  move(bytes: number): void;
  looksOut(): number;
  countLooks(change: 1 | -1): void;
  sleep: Clock['sleep'];
  admit(): void;
  close(): void;
}

/** One mapping's account within the budget. */
export class ByteShare {
  readonly #estimate: ReceiveEstimate;
  readonly #ledger: Ledger;
  readonly #waiters: Waiter[] = [];
  #heldBytes = 0;
  #records = 0;
  #receivesOut = 0;
  #hasLooked = false;

  constructor(estimate: ReceiveEstimate, ledger: Ledger) {
    this.#estimate = estimate;
    this.#ledger = ledger;
  }

  /** Bytes of memory this mapping has on the account. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Records of this mapping in memory. */
  get records(): number {
    return this.#records;
  }

  /** True while a receive waits for memory. Waiting for the first receive of all, whose size is a guess, is not that. */
  get isStarved(): boolean {
    return this.#waiters.length > 0 && this.#estimate.isKnown;
  }

  /**
   * Room for a receive of up to `messages` messages, as soon as there is some.
   * @param holding of a reader that is one of several of its mapping, a shard: none of them may hold more than what it leaves free of
   *   the mapping's part, so that those that are stuck leave room for the others
   * @returns `undefined` if the signal aborted first
   */
  reserve(messages: number, signal: AbortSignal, holding?: Holding): Promise<ByteReservation | undefined> {
    const now = this.tryReserve(messages, holding);
    if (now !== undefined || signal.aborted) return Promise.resolve(now);
    const granted = new AbortController();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        messages,
        isPatient: true,
        holding,
        grant: (reservation) => {
          granted.abort();
          signal.removeEventListener('abort', stop);
          resolve(reservation);
        },
      };
      const stop = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        waiter.grant(undefined);
      };
      signal.addEventListener('abort', stop, { once: true });
      this.#waiters.push(waiter);
      if (!this.#hasLooked) void this.#losePatience(waiter, granted.signal);
    });
  }

  /** As `reserve`, but only if there is room at once and nobody of this mapping waits; of several readers each waits for itself. */
  tryReserve(messages: number, holding?: Holding): ByteReservation | undefined {
    return this.#waiters.length === 0 || holding !== undefined ? this.#take(messages, true, holding) : undefined;
  }

  /** Records of these sizes are no longer in memory. */
  giveBack(recordBytes: readonly number[]): void {
    this.giveBackAll(recordBytes.length, total(recordBytes));
  }

  /** So many records, with so many bytes together, are no longer in memory. */
  giveBackAll(records: number, recordBytes: number): void {
    this.#records -= records;
    this.#move(-recordBytes * MEMORY_PER_MESSAGE_BYTE);
    this.#ledger.admit();
  }

  /** Grants the longest wait of this mapping, if there is room for it. Called by the budget. */
  admitOne(): boolean {
    for (const [index, waiter] of this.#waiters.entries()) {
      const reservation = this.#take(waiter.messages, waiter.isPatient, waiter.holding);
      if (reservation !== undefined) {
        this.#waiters.splice(index, 1);
        waiter.grant(reservation);
        return true;
      }
      if (waiter.holding === undefined) return false;
    }
    return false;
  }

  /** The mapping has ended; what it still holds comes off the account. */
  close(): void {
    this.#move(-this.#heldBytes);
    this.#ledger.close();
  }

  async #losePatience(waiter: Waiter, granted: AbortSignal): Promise<void> {
    await this.#ledger.sleep(LOOK_PATIENCE_MS, granted);
    if (granted.aborted) return;
    waiter.isPatient = false;
    this.#ledger.admit();
  }

  #take(wanted: number, isPatient: boolean, holding: Holding | undefined): ByteReservation | undefined {
    const estimate = this.#estimate;
    if (!estimate.isKnown && this.#receivesOut >= estimate.unseenAtOnce) return undefined;
    const isLook = !this.#hasLooked;
    const freeForAll = this.#ledger.freeFor(this.#heldBytes);
    const held = holding?.() ?? this.#heldBytes;
    const free = holding === undefined ? freeForAll : (freeForAll - held) / 2;
    let messages = estimate.messagesIn(free / MEMORY_PER_MESSAGE_BYTE, wanted, isLook);
    if (isLook && isPatient && messages < wanted && this.#ledger.looksOut() > 0) return undefined;
    // Whoever holds nothing gets one message through while anything is free, however large its messages are.
    if (messages < 1 && held === 0 && free > 0) messages = 1;
    return messages < 1 ? undefined : this.#reservation(messages, estimate.bytesOf(messages, isLook) * MEMORY_PER_MESSAGE_BYTE, isLook);
  }

  #reservation(messages: number, reservedBytes: number, isLook: boolean): ByteReservation {
    this.#receivesOut += 1;
    this.#move(reservedBytes);
    if (isLook) this.#ledger.countLooks(1);
    const end = (bytes: number): void => {
      this.#receivesOut -= 1;
      this.#move(bytes - reservedBytes);
      if (isLook) this.#ledger.countLooks(-1);
      this.#ledger.admit();
    };
    return {
      messages,
      isLook,
      arrived: (recordBytes) => {
        this.#hasLooked = true;
        this.#estimate.learn(recordBytes);
        this.#records += recordBytes.length;
        end(total(recordBytes) * MEMORY_PER_MESSAGE_BYTE);
      },
      cancel: () => end(0),
    };
  }

  #move(bytes: number): void {
    this.#heldBytes += bytes;
    this.#ledger.move(bytes);
  }
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
