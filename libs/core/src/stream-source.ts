/**
 * The port of stream-shaped sources: records stand in shards, in order, and are never settled one by one; a reader remembers
 * how far it came (the checkpoint). Kinesis Data Streams and DynamoDB Streams are the two; the shard loop knows only this.
 */

import type { StreamIdentity } from './stream/stream-identity.ts';

/** Where in a shard to begin reading. Names are those of `ShardIteratorType`. */
export type ShardPosition =
  /** The oldest record that the stream still holds. */
  | { readonly kind: 'TRIM_HORIZON' }
  /** After the newest record there is when reading begins. */
  | { readonly kind: 'LATEST' }
  /** The first record that arrived at or after this time, epoch milliseconds. Kinesis only. */
  | { readonly kind: 'AT_TIMESTAMP'; readonly timestampMs: number }
  | { readonly kind: 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string }
  /** That record itself is the first: where somebody has a shard begin anew. */
  | { readonly kind: 'AT_SEQUENCE_NUMBER'; readonly sequenceNumber: string };

/** One shard as the stream lists it. */
export interface StreamShard {
  readonly shardId: string;
  /** Shards it was split or merged from: none, one, or two (`ParentShardId`, `AdjacentParentShardId`); they may no longer be listed. */
  readonly parentShardIds: readonly string[];
  /** False once it takes no more records (`EndingSequenceNumber` is set). */
  readonly isOpen: boolean;
}

/** One record, already in the form in which the function will see it. */
export interface StreamRecord {
  /** Decimal digits, beyond 2^53. Compared by length, then by bytes. Grows within a shard. */
  readonly sequenceNumber: string;
  /** `approximateArrivalTimestamp` or `ApproximateCreationDateTime`, epoch milliseconds. */
  readonly arrivedAtMs: number;
  /** Records with the same key keep their order: the partition key, or the item's `Keys` as canonical JSON. */
  readonly orderKey: string;
  /** The record as it will stand in the event's `Records` list: JSON text, written once; base64 stays as it was received. */
  readonly recordJson: string;
  /** UTF-8 length of `recordJson`. */
  readonly recordBytes: number;
  /**
   * True for a user record inside an aggregate that others of the same sequence number follow: a checkpoint at this number would leave
   * them out, so it waits for the last of them.
   */
  readonly isWithinAggregate?: boolean;
}

/** What one read of a shard brought. */
export interface ShardPage {
  readonly records: readonly StreamRecord[];
  /** The shard is closed and read to its end. */
  readonly isEnd: boolean;
  /** At the end of a shard: its children, where the source names them (Kinesis `ChildShards`; DynamoDB names none). */
  readonly childShards?: readonly StreamShard[];
  /** How far the page is behind the tip of the shard, if the source says so. */
  readonly behindMs?: number;
}

/**
 * Reads one shard onwards. Iterators are its own business: it fetches them, and new ones when they expire
 * (`ExpiredIteratorException`), after the last record it returned, without gap or repeat.
 */
export interface ShardReader {
  /**
   * The next page. Throws `SourceError`: `throttled`, `accessDenied`, `notFound` (stream or shard is gone), `expired` (the data
   * at this position were trimmed), `unavailable`. The reader stays usable and repeats the same read. A reader opened at LATEST
   * whose iterator ran out before it brought a record throws `expired` too: a new LATEST would skip what came in between.
   * @param maxRecords upper bound of records; a page may bring fewer, or none while there are more
   */
  read(maxRecords: number, signal: AbortSignal): Promise<ShardPage>;
  /**
   * Only where the source pushes records: its `read` never waits for one and brings an empty page if none has arrived. This resolves
   * when a read brings something at once (records, the end of the shard, an error, a newer `behindMs`), or when the signal aborts; it
   * never rejects. Whoever reads waits here first, before memory is set aside for a page. Aborting ends the subscription; it begins again
   * with the next call.
   */
  wait?(signal: AbortSignal): Promise<void>;
  /** Only where the source pushes records: ends the subscription at once. The reader is not used after it. */
  close?(): void;
}

/** A stream of one mapping. Methods throw `SourceError`. */
export interface StreamSource {
  /**
   * The ARN that events, windows and failure documents carry, where it is not the mapping's own: of a consumer that was registered on
   * demand, known after the first read.
   */
  readonly eventSourceArn?: string | undefined;
  /** Which stream it is now. Asked before each listing, because one of the same name may have taken its place. */
  identity(signal: AbortSignal): Promise<StreamIdentity>;
  /** All shards that still exist, in no order. */
  listShards(signal: AbortSignal): Promise<StreamShard[]>;
  openReader(shardId: string, position: ShardPosition): ShardReader;
  close(): void;
}
