import type { StreamRecord } from '@wherry/core/stream-source';
import { type ByteReservation, type ByteShare, MEMORY_PER_MESSAGE_BYTE } from '../byte-budget.ts';

/** What the records of one shard take of the process's memory, on the account of its mapping. */
export class ShardMemory {
  readonly #bytes: ByteShare;
  #records = 0;
  #recordBytes = 0;

  constructor(bytes: ByteShare) {
    this.#bytes = bytes;
  }

  /** Records of this shard in memory. */
  get records(): number {
    return this.#records;
  }

  /** Bytes of memory on the account for them. */
  get heldBytes(): number {
    return this.#recordBytes * MEMORY_PER_MESSAGE_BYTE;
  }

  /** Room for a page of up to `records` records, if there is some at once. */
  tryReserve(records: number): ByteReservation | undefined {
    return this.#bytes.tryReserve(records, this.#holding);
  }

  /** As `tryReserve`, as soon as there is some. @returns `undefined` if the signal aborted first */
  reserve(records: number, signal: AbortSignal): Promise<ByteReservation | undefined> {
    return this.#bytes.reserve(records, signal, this.#holding);
  }

  /** A page has come for which there was room. @returns UTF-8 bytes of its records */
  arrived(room: ByteReservation, records: readonly StreamRecord[]): number {
    const recordBytes = records.map((record) => record.recordBytes);
    const sum = total(recordBytes);
    this.#records += records.length;
    this.#recordBytes += sum;
    room.arrived(recordBytes);
    return sum;
  }

  /** These records are not in memory any more. */
  done(records: readonly StreamRecord[]): void {
    if (records.length > 0) this.#giveBack(records.length, total(records.map((record) => record.recordBytes)));
  }

  /** The shard's run is over: what it still held is dropped. */
  dropAll(): void {
    this.#giveBack(this.#records, this.#recordBytes);
  }

  #giveBack(records: number, recordBytes: number): void {
    // Before the others are let in, who are told what this shard holds.
    this.#records -= records;
    this.#recordBytes -= recordBytes;
    this.#bytes.giveBackAll(records, recordBytes);
  }

  readonly #holding = (): number => this.heldBytes;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
