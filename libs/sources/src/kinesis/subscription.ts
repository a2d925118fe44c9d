import type { ShardPosition, StreamShard } from '@wherry/core/stream-source';
import type { HashRange, PushedRecord } from './unpack-records.ts';

/** What one event of a subscription brought. */
export interface SubscriptionEvent {
  readonly records: readonly PushedRecord[];
  /** Behind it the next subscription goes on; without records it grows too. Absent at the end of a shard. */
  readonly continuationSequenceNumber?: string;
  readonly behindMs?: number;
  /** The shard is closed, and this is its last event. */
  readonly isEnd: boolean;
  readonly childShards: readonly StreamShard[];
}

/** State of a consumer that is registered. */
export interface ConsumerDescription {
  readonly arn: string;
  /** `CREATING`, `ACTIVE` or `DELETING`. */
  readonly status: string;
}

/** The calls of enhanced fan-out, for one stream. They throw what the SDK throws. */
export interface SubscriptionCalls {
  /**
   * SubscribeToShard. Resolves when the subscription stands; its events come until the service ends it (after five minutes), an
   * error comes, or the signal aborts, which closes the connection.
   */
  subscribe(consumerArn: string, shardId: string, position: ShardPosition, signal: AbortSignal): Promise<AsyncIterator<SubscriptionEvent>>;
  describeConsumer(name: string, signal: AbortSignal): Promise<ConsumerDescription>;
  registerConsumer(name: string, signal: AbortSignal): Promise<ConsumerDescription>;
  /** The hash keys that each shard is responsible for, of all shards that still exist. */
  hashRanges(signal: AbortSignal): Promise<ReadonlyMap<string, HashRange>>;
}
