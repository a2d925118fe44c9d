import type { StreamShard } from '../stream-source.ts';
import { FROM_THE_OLDEST, type StoredPosition } from './stored-position.ts';

/** Lambda's `StartingPosition`, with `StartingPositionTimestamp` as epoch milliseconds. */
export type StartingPosition =
  | { readonly kind: 'TRIM_HORIZON' }
  | { readonly kind: 'LATEST' }
  /** Kinesis only; Lambda refuses it for DynamoDB. */
  | { readonly kind: 'AT_TIMESTAMP'; readonly timestampMs: number };

/**
 * Where a shard begins that a mapping finds at its very first look at the stream. Shards found at later looks came from a
 * reshard and begin at their oldest record, whatever the `StartingPosition`. The same answers serve an operator who sends a
 * mapping back or forth.
 *
 * - TRIM_HORIZON: every shard that still holds data, from its oldest record; parents first, as always.
 * - LATEST: the open shards, from the time of this look. Closed ones are left out. The time is stored rather than LATEST itself,
 *   see `StoredPosition`. It has to be read after the listing has come back: a record that arrives later is then in a listed open
 *   shard or in a descendant of one, even if the listing was out of date. A clock that runs ahead skips as much as it is ahead, and
 *   until then Kinesis refuses the time (`InvalidArgumentException`), which the shard loop retries like any other fault.
 * - AT_TIMESTAMP: every shard, from that time. The listing does not say when a closed shard ended; one that ended before the
 *   time costs an iterator and a read, brings nothing, and is over. A time before the retention means the oldest record. (A
 *   listing filtered by time would not do: the shards it leaves out would look new at the next one.)
 *
 * @param nowMs wall clock, read after the listing came back, epoch milliseconds
 * @returns `undefined` for a shard to leave out: its lease row is created as one that has ended
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 */
export function firstPosition(shard: StreamShard, start: StartingPosition, nowMs: number): StoredPosition | undefined {
  switch (start.kind) {
    case 'TRIM_HORIZON':
      return FROM_THE_OLDEST;
    case 'LATEST':
      return shard.isOpen ? { kind: 'AT_TIMESTAMP', timestampMs: nowMs } : undefined;
    case 'AT_TIMESTAMP':
      return start;
  }
}
