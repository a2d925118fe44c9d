import { compareSequenceNumbers } from '@wherry/core/stream/sequence-number';
import type { StoredPosition } from '@wherry/core/stream/stored-position';
import type { SimulatedRecord } from './simulated-stream.ts';

/** How a record came to need no further work. */
export type Ending = 'succeeded' | 'givenUp';

/** What the ledger knows of one record. */
export interface RecordAccount {
  readonly record: SimulatedRecord;
  readonly shard: ShardAccount;
  /** Its place in the shard, from 0. */
  readonly place: number;
  /** True time of the write; the arrival time may be cut off. */
  readonly sentAtMs: number;
  /** False where the mapping's filter does not match it. */
  readonly isWanted: boolean;
  readonly isPoison: boolean;
  deliveries: number;
  ending: Ending | undefined;
  /** The lease under which it ended last. */
  endedUnder: LeaseAccount | undefined;
  /** Not promised: from before the start, or skipped by a seek. */
  isExcused: boolean;
  /** Its window's state may be gone with what the store forgot. */
  isUncounted: boolean;
}

/** One shard as the ledger sees it: its records in order, and up to where all of them are done. */
export class ShardAccount {
  readonly shardId: string;
  readonly records: RecordAccount[] = [];
  readonly #isTrimmed: (record: SimulatedRecord) => boolean;
  #done = 0;
  /** Sequence number of the checkpoint in the store, if there is one and the ledger knows it. */
  stored: string | undefined;
  isEnded = false;
  /** Reading was allowed to begin at this time, epoch milliseconds: what came before is not promised. */
  beginsAtMs = Number.NEGATIVE_INFINITY;
  /** The store forgot, or somebody moved the checkpoint: what comes again is no fault until an owner has caught up. */
  mayRepeat = false;

  constructor(shardId: string, isTrimmed: (record: SimulatedRecord) => boolean) {
    this.shardId = shardId;
    this.#isTrimmed = isTrimmed;
  }

  /** The first record that still needs work, if any. */
  get firstOpen(): RecordAccount | undefined {
    for (; this.#done < this.records.length; this.#done += 1) {
      const account = this.records[this.#done]!;
      if (account.ending === undefined && account.isWanted && !account.isExcused && !this.#isTrimmed(account.record)) return account;
    }
    return undefined;
  }

  /** Records that have ended although a reader that begins behind this position would see them again. */
  endedBehind(sequenceNumber: string | undefined): number {
    return this.records.filter(
      ({ record, ending, isWanted }) =>
        isWanted &&
        ending !== undefined &&
        (sequenceNumber === undefined || compareSequenceNumbers(record.sequenceNumber, sequenceNumber) > 0),
    ).length;
  }

  /** The place behind this position. */
  placeBehind(sequenceNumber: string): number {
    const found = this.records.findIndex(({ record }) => compareSequenceNumbers(record.sequenceNumber, sequenceNumber) > 0);
    return found === -1 ? this.records.length : found;
  }
}

/** What one owner has done of a shard under one lease. */
export class LeaseAccount {
  readonly shard: ShardAccount;
  readonly poller: string;
  readonly epoch: number;
  readonly #finished = new Set<RecordAccount>();
  /** Up to here, not included, everything is done under this lease. */
  #place: number;
  /** Per lane: what the checkpoint has to cover before its next batch begins. */
  readonly #required = new Map<number, string>();

  /** @param place of the first record behind the position at which the owner began */
  constructor(shard: ShardAccount, poller: string, epoch: number, place: number) {
    this.shard = shard;
    this.poller = poller;
    this.epoch = epoch;
    this.#place = place;
  }

  /** Records that ended, those of one lane's batch. */
  finish(accounts: readonly RecordAccount[], lane: number): void {
    for (const account of accounts) this.#finished.add(account);
    let last: RecordAccount | undefined;
    for (; this.#place < this.shard.records.length; this.#place += 1) {
      const account = this.shard.records[this.#place]!;
      if (account.isWanted && !this.#finished.has(account)) break;
      if (account.isWanted) last = account;
    }
    if (last !== undefined) this.#required.set(lane, last.record.sequenceNumber);
  }

  /** What the checkpoint has to cover before the next batch of this lane, and does not. */
  uncovered(lane: number): string | undefined {
    const required = this.#required.get(lane);
    const { stored } = this.shard;
    if (required === undefined) return undefined;
    return stored === undefined || compareSequenceNumbers(stored, required) < 0 ? required : undefined;
  }
}

/** The first record of the shard that a reader sees from this position on; all of them where the position is not known. */
export function placeOf(shard: ShardAccount, position: StoredPosition | undefined): number {
  switch (position?.kind) {
    case 'AFTER_SEQUENCE_NUMBER':
      return shard.placeBehind(position.sequenceNumber);
    case 'AT_SEQUENCE_NUMBER': {
      const found = shard.records.findIndex(({ record }) => record.sequenceNumber === position.sequenceNumber);
      return found === -1 ? 0 : found;
    }
    case 'AT_TIMESTAMP': {
      const found = shard.records.findIndex(({ sentAtMs }) => sentAtMs >= position.timestampMs);
      return found === -1 ? shard.records.length : found;
    }
    case 'TRIM_HORIZON':
    case undefined:
      return 0;
  }
}
