import { EVENT_BYTES_MAX } from '../batch.ts';
import { stableHash } from '../stable-hash.ts';
import type { StreamRecord } from '../stream-source.ts';
import { Watermark } from './watermark.ts';

/** How much of a shard may be held in memory above its watermark. One page more may come in, since its size is not known before. */
export interface ReadAheadLimits {
  /** Records between the watermark and where the shard was read to, filtered ones not counted. */
  readonly records: number;
  /** UTF-8 bytes of the records that are not terminal yet. */
  readonly bytes: number;
}

/** Records that a shard may always read ahead: one full page of Kinesis. With less, small batches would make every read a small one. */
const READ_AHEAD_RECORDS_MIN = 10_000;
/** Batches per lane: one that runs, and one that is gathered meanwhile. */
const BATCHES_PER_LANE = 2;
/** Weight of the newest record in the mean size of records. */
const MEAN_WEIGHT = 1 / 16;

/** Read-ahead of a shard: as much as lets each lane run one batch and gather the next. The process's byte budget stands above it. */
export function readAheadLimits(batchSize: number, parallelizationFactor: number): ReadAheadLimits {
  return {
    records: Math.max(READ_AHEAD_RECORDS_MIN, BATCHES_PER_LANE * batchSize * parallelizationFactor),
    bytes: BATCHES_PER_LANE * EVENT_BYTES_MAX * parallelizationFactor,
  };
}

/**
 * The lane of a record, 0 to `parallelizationFactor` - 1. Records with the same key always share a lane, which is what keeps their
 * order. AWS promises the order and does not say how it chooses.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
 */
export function laneOf(orderKey: string, parallelizationFactor: number): number {
  return parallelizationFactor === 1 ? 0 : stableHash(orderKey) % parallelizationFactor;
}

/**
 * The records of one shard that were read and are not done, dealt to `ParallelizationFactor` lanes.
 *
 * The shard loop uses it so:
 * - reader: while `recordsToRead` is not 0, read a page of that many records; `push` what matches the filters and `pass` what does
 *   not, in the order of the shard. Wake the lane that `push` names.
 * - lane: when nothing of it runs and its batch is due (`waiting`, `peek`, `waitingSinceMs`), `take` the batch and invoke. Each time
 *   the oldest records of the batch become terminal, `finish` as many: a prefix after a partial success, the left half of a bisected
 *   batch, the expired ones, at last all.
 * - both: when `watermark` has moved, write it as the checkpoint. A lane's next batch waits until the write that covers its last one
 *   is known good; if the watermark did not move, because an older record of another lane is not done, there is nothing to wait for.
 * - while `isStalled`, a lane sends what it has without waiting for its batching window: the reader can bring nothing more until
 *   older records are done, and a half-filled batch that holds up the watermark would hold up every other lane too.
 *
 * A lane that is blocked by a poison record keeps the watermark where it is. The others go on with what is in memory, and the reader
 * goes on until the read-ahead is used up.
 */
export class ShardLanes {
  #limits: ReadAheadLimits;
  #lanes: Lane[];
  #watermark: Watermark;
  #lastWatermark: string | undefined;
  #nextFactor: number | undefined;
  #heldBytes = 0;
  #meanRecordBytes = 0;

  constructor(parallelizationFactor: number, limits: ReadAheadLimits) {
    this.#limits = limits;
    this.#lanes = makeLanes(parallelizationFactor);
    this.#watermark = new Watermark(parallelizationFactor);
  }

  /** How many lanes there are now. */
  get parallelizationFactor(): number {
    return this.#lanes.length;
  }

  /** The sequence number to write as the checkpoint; undefined until some record is terminal. Never falls. */
  get watermark(): string | undefined {
    return this.#watermark.sequenceNumber ?? this.#lastWatermark;
  }

  /** Everything that was read is terminal. */
  get isEmpty(): boolean {
    return this.#watermark.size === 0;
  }

  /** Records above the watermark, terminal ones behind an older one that is not included. */
  get heldRecords(): number {
    return this.#watermark.size;
  }

  /** UTF-8 bytes of the records that are not terminal. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Nothing more is read for now: the read-ahead is used up, or the lanes drain before their number changes. */
  get isStalled(): boolean {
    return this.#nextFactor !== undefined || this.heldRecords >= this.#limits.records || this.#heldBytes >= this.#limits.bytes;
  }

  /**
   * How many records the next read should ask for; 0 while nothing may be read.
   * @param pageRecords the most that the source returns at a time
   */
  recordsToRead(pageRecords: number): number {
    if (this.isStalled) return 0;
    const byBytes = Math.floor((this.#limits.bytes - this.#heldBytes) / Math.max(1, this.#meanRecordBytes));
    return Math.max(1, Math.min(pageRecords, this.#limits.records - this.heldRecords, byBytes));
  }

  /**
   * Takes over the next record of the shard.
   * @param nowMs when it was read, on the monotonic clock
   * @returns its lane
   */
  push(record: StreamRecord, nowMs: number): number {
    const lane = laneOf(record.orderKey, this.#lanes.length);
    this.#watermark.add(lane, record.sequenceNumber, record.isWithinAggregate);
    this.#lanes[lane]!.push(record, nowMs);
    this.#heldBytes += record.recordBytes;
    this.#meanRecordBytes += (record.recordBytes - this.#meanRecordBytes) * (this.#meanRecordBytes === 0 ? 1 : MEAN_WEIGHT);
    return lane;
  }

  /** The next record of the shard does not match the filters: it is terminal, and the watermark passes it with its neighbours. */
  pass({ sequenceNumber, isWithinAggregate }: Pick<StreamRecord, 'sequenceNumber' | 'isWithinAggregate'>): void {
    this.#watermark.pass(sequenceNumber, isWithinAggregate);
  }

  /** Records of `lane` that no batch has taken yet. */
  waiting(lane: number): number {
    return this.#lane(lane).waiting;
  }

  /** The record at `index`, from 0, of those that wait in `lane`. */
  peek(lane: number, index: number): StreamRecord | undefined {
    return this.#lane(lane).peek(index);
  }

  /** When the first record that waits in `lane` was read, on the monotonic clock: there the batching window begins. */
  waitingSinceMs(lane: number): number | undefined {
    return this.#lane(lane).sinceMs;
  }

  /** Records of the batch that runs in `lane` and are not terminal; 0 when the lane is free for its next batch. */
  running(lane: number): number {
    return this.#lane(lane).running;
  }

  /** The first `count` records that wait in `lane`, as its next batch. A lane has one batch at a time. */
  take(lane: number, count: number): readonly StreamRecord[] {
    return this.#lane(lane).take(count);
  }

  /** The `count` oldest records of the batch that runs in `lane` are terminal. */
  finish(lane: number, count: number): void {
    this.#heldBytes -= this.#lane(lane).finish(count);
    this.#watermark.finish(lane, count);
    this.#repartitionIfEmpty();
  }

  /**
   * Changes `ParallelizationFactor`. Keys move to other lanes by that, so everything that was read has to be done first: nothing is
   * read meanwhile (`isStalled`), and the new lanes are there as soon as `isEmpty`, which may be at once. Asking for another number
   * meanwhile replaces the wish, and asking for the present one takes it back.
   * @param limits the read-ahead from now on
   */
  repartition(parallelizationFactor: number, limits: ReadAheadLimits): void {
    this.#limits = limits;
    this.#nextFactor = parallelizationFactor === this.#lanes.length ? undefined : parallelizationFactor;
    this.#repartitionIfEmpty();
  }

  #repartitionIfEmpty(): void {
    if (this.#nextFactor === undefined || !this.isEmpty) return;
    this.#lastWatermark = this.watermark;
    this.#lanes = makeLanes(this.#nextFactor);
    this.#watermark = new Watermark(this.#nextFactor);
    this.#nextFactor = undefined;
  }

  #lane(index: number): Lane {
    const lane = this.#lanes[index];
    if (lane === undefined) throw new Error(`there is no lane ${index}: expected 0 to ${this.#lanes.length - 1}`);
    return lane;
  }
}

function makeLanes(count: number): Lane[] {
  if (!Number.isInteger(count) || count < 1 || count > 10) throw new Error(`ParallelizationFactor is 1 to 10, not ${count}`);
  return Array.from({ length: count }, () => new Lane());
}

/** Taken places are cut off when there are this many of them, and more than of the others: a cut then costs less than what led to it. */
const CUT_AT = 1_024;

/** One lane: what waits, in order, and the batch that runs. */
class Lane {
  /** Places before `#head` were taken. */
  readonly #records: (StreamRecord | undefined)[] = [];
  readonly #readAtMs: number[] = [];
  #head = 0;
  #batch: readonly StreamRecord[] = [];
  #finished = 0;

  get waiting(): number {
    return this.#records.length - this.#head;
  }

  get sinceMs(): number | undefined {
    return this.#readAtMs[this.#head];
  }

  get running(): number {
    return this.#batch.length - this.#finished;
  }

  push(record: StreamRecord, nowMs: number): void {
    this.#records.push(record);
    this.#readAtMs.push(nowMs);
  }

  peek(index: number): StreamRecord | undefined {
    return this.#records[this.#head + index];
  }

  take(count: number): readonly StreamRecord[] {
    if (this.running > 0) throw new Error(`the lane's batch still runs: ${this.running} of its records are not terminal`);
    if (count < 1 || count > this.waiting) throw new Error(`cannot take ${count} records of a lane in which ${this.waiting} wait`);
    this.#batch = this.#records.slice(this.#head, this.#head + count) as StreamRecord[];
    this.#finished = 0;
    // A record that is done must not stay in memory because its place was not cut off yet.
    this.#records.fill(undefined, this.#head, this.#head + count);
    this.#head += count;
    if (this.#head >= CUT_AT && this.#head >= this.waiting) {
      this.#records.splice(0, this.#head);
      this.#readAtMs.splice(0, this.#head);
      this.#head = 0;
    }
    return this.#batch;
  }

  /** @returns UTF-8 bytes of the records that are terminal now */
  finish(count: number): number {
    if (count < 0 || count > this.running) throw new Error(`cannot finish ${count} records of a batch of which ${this.running} run`);
    let bytes = 0;
    for (let i = 0; i < count; i += 1) bytes += this.#batch[this.#finished + i]!.recordBytes;
    this.#finished += count;
    if (this.running === 0) {
      this.#batch = [];
      this.#finished = 0;
    }
    return bytes;
  }
}
