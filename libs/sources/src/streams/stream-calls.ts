import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { ShardPosition, StreamRecord, StreamShard } from '@wherry/core/stream-source';

/** A part of a stream's shards. */
export interface ShardList {
  readonly shards: readonly StreamShard[];
  /** The last shard of this part, if there are more behind it. */
  readonly continueAfter?: string;
}

/** What one GetRecords brought. */
export interface RecordsPage {
  readonly records: readonly StreamRecord[];
  /** Absent at the end of a closed shard. */
  readonly nextShardIterator?: string;
  readonly behindMs?: number;
}

/** The calls that Kinesis Data Streams and DynamoDB Streams have in common, for one stream. They throw what the SDK throws. */
export interface StreamCalls {
  /** Most records that one GetRecords may ask for. */
  readonly recordsPerCall: number;
  /** Whether an iterator can begin at a time. */
  readonly hasTimestamps: boolean;
  /** Which stream it is now. */
  identity(signal: AbortSignal): Promise<StreamIdentity>;
  /** The next part of the list of shards; the first one without `after`. */
  listShards(after: string | undefined, signal: AbortSignal): Promise<ShardList>;
  getShardIterator(shardId: string, position: ShardPosition, signal: AbortSignal): Promise<string>;
  getRecords(shardId: string, shardIterator: string, limit: number, signal: AbortSignal): Promise<RecordsPage>;
}
