import type { Clock } from '@wherry/core/clock';
import type { ShardPage, ShardPosition, ShardReader, StreamRecord } from '@wherry/core/stream-source';
import { isIteratorLost, toPositionError, toStreamError } from './errors.ts';
import type { RecordsPage, StreamCalls } from './stream-calls.ts';

/**
 * How much further back a reader begins that has lost its `LATEST` iterator before any record came, in milliseconds. Its time is
 * our clock's, the records' that of the service, which DynamoDB also rounds down. A record up to a minute older than asked for is
 * better than a lost one. Inferred; AWS says nothing about this.
 */
export const LATEST_MARGIN_MS = 60_000;

/** What a reader is given. */
export interface IteratorReaderOptions {
  readonly shardId: string;
  readonly position: ShardPosition;
  /** The calls of the shard's stream, as soon as they can be made. */
  readonly calls: () => Promise<StreamCalls>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/**
 * Reads one shard by GetRecords. An iterator is kept until a read with it succeeded, so that a read whose answer was lost is the
 * same read again. Iterators expire (5 minutes, DynamoDB 15): the next one begins after the last record that was returned, or
 * where the reader began if there was none.
 *
 * `LATEST` is not a place that can be found again. If its iterator is lost before a record came, the reader goes back to the time
 * at which it began: records that arrived while nobody read must not be skipped.
 */
export class IteratorReader implements ShardReader {
  readonly #shardId: string;
  readonly #position: ShardPosition;
  readonly #calls: () => Promise<StreamCalls>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  #shardIterator: string | undefined;
  #lastSequenceNumber: string | undefined;
  /** When the reader got its first `LATEST` iterator, with the margin taken off. */
  #latestSinceMs: number | undefined;
  /** Older records than this are not wanted; only while a `LATEST` is found again without timestamps. */
  #skipBeforeMs: number | undefined;
  #isEnd = false;

  constructor(options: IteratorReaderOptions) {
    this.#shardId = options.shardId;
    this.#position = options.position;
    this.#calls = options.calls;
    this.#clock = options.clock;
  }

  async read(maxRecords: number, signal: AbortSignal): Promise<ShardPage> {
    if (this.#isEnd) return { records: [], isEnd: true };
    const calls = await this.#calls();
    const limit = Math.max(1, Math.min(maxRecords, calls.recordsPerCall));
    for (;;) {
      const isNew = this.#shardIterator === undefined;
      this.#shardIterator ??= await this.#openIterator(calls, signal);
      try {
        return this.#take(await calls.getRecords(this.#shardId, this.#shardIterator, limit, signal));
      } catch (thrown) {
        const error = toStreamError(thrown, 'GetRecords');
        if (isIteratorLost(error)) this.#shardIterator = undefined;
        // A new iterator that fails as the old one did shows that it is not the iterator.
        if (isNew || this.#shardIterator !== undefined) throw error;
      }
    }
  }

  async #openIterator(calls: StreamCalls, signal: AbortSignal): Promise<string> {
    const askedAtMs = this.#clock.nowMs();
    const position = this.#nextPosition(calls);
    try {
      const shardIterator = await calls.getShardIterator(this.#shardId, position, signal);
      if (position.kind === 'LATEST') this.#latestSinceMs = askedAtMs - LATEST_MARGIN_MS;
      return shardIterator;
    } catch (thrown) {
      throw toPositionError(thrown, position);
    }
  }

  #nextPosition(calls: StreamCalls): ShardPosition {
    if (this.#lastSequenceNumber !== undefined) return { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: this.#lastSequenceNumber };
    if (this.#latestSinceMs === undefined) return this.#position;
    if (calls.hasTimestamps) return { kind: 'AT_TIMESTAMP', timestampMs: this.#latestSinceMs };
    this.#skipBeforeMs = this.#latestSinceMs;
    return { kind: 'TRIM_HORIZON' };
  }

  #take(page: RecordsPage): ShardPage {
    this.#shardIterator = page.nextShardIterator;
    this.#isEnd = page.nextShardIterator === undefined;
    this.#lastSequenceNumber = page.records.at(-1)?.sequenceNumber ?? this.#lastSequenceNumber;
    const behind = page.behindMs === undefined ? {} : { behindMs: page.behindMs };
    return { records: this.#withoutOld(page.records), isEnd: this.#isEnd, ...behind };
  }

  #withoutOld(records: readonly StreamRecord[]): readonly StreamRecord[] {
    const skipBeforeMs = this.#skipBeforeMs;
    if (skipBeforeMs === undefined) return records;
    const first = records.findIndex((record) => record.arrivedAtMs >= skipBeforeMs);
    if (first === -1) return [];
    this.#skipBeforeMs = undefined;
    return records.slice(first);
  }
}
