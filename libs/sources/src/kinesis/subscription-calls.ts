import {
  DescribeStreamConsumerCommand,
  ListShardsCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  type KinesisClient,
  type StartingPosition,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from '@aws-sdk/client-kinesis';
import type { ShardPosition } from '@wherry/core/stream-source';
import { fromSdkRecord } from './plain-answer.ts';
import type { ConsumerDescription, SubscriptionCalls, SubscriptionEvent } from './subscription.ts';
import type { HashRange } from './unpack-records.ts';

/** The calls of enhanced fan-out for the stream with this ARN. */
export function createSubscriptionCalls(client: KinesisClient, streamArn: string): SubscriptionCalls {
  return {
    async subscribe(consumerArn, shardId, position, abortSignal) {
      const command = new SubscribeToShardCommand({
        ConsumerARN: consumerArn,
        ShardId: shardId,
        StartingPosition: startingPosition(position),
      });
      const { EventStream: events } = await client.send(command, { abortSignal });
      if (events === undefined) throw new Error(`the answer for shard ${shardId} holds no events`);
      return readEvents(events);
    },
    async describeConsumer(name, abortSignal) {
      const command = new DescribeStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: name });
      return toConsumer((await client.send(command, { abortSignal })).ConsumerDescription);
    },
    async registerConsumer(name, abortSignal) {
      const command = new RegisterStreamConsumerCommand({ StreamARN: streamArn, ConsumerName: name });
      return toConsumer((await client.send(command, { abortSignal })).Consumer);
    },
    async hashRanges(abortSignal) {
      const ranges = new Map<string, HashRange>();
      for (let after: string | undefined, isMore = true; isMore;) {
        const start = after === undefined ? {} : { ExclusiveStartShardId: after };
        const { Shards: shards = [], NextToken } = await client.send(new ListShardsCommand({ StreamARN: streamArn, ...start }), {
          abortSignal,
        });
        for (const { ShardId, HashKeyRange } of shards) {
          const { StartingHashKey: first, EndingHashKey: last } = HashKeyRange ?? {};
          if (ShardId !== undefined && first !== undefined && last !== undefined)
            ranges.set(ShardId, { start: BigInt(first), end: BigInt(last) });
        }
        after = shards.at(-1)?.ShardId;
        isMore = NextToken !== undefined && after !== undefined;
      }
      return ranges;
    },
  };
}

async function* readEvents(events: AsyncIterable<SubscribeToShardEventStream>): AsyncGenerator<SubscriptionEvent, void> {
  for await (const { SubscribeToShardEvent: event } of events) if (event !== undefined) yield toSubscriptionEvent(event);
}

function toSubscriptionEvent(event: SubscribeToShardEvent): SubscriptionEvent {
  const records = (event.Records ?? []).map(fromSdkRecord);
  const childShards = (event.ChildShards ?? []).map(({ ShardId, ParentShards }) => ({
    shardId: ShardId ?? '',
    parentShardIds: ParentShards ?? [],
    isOpen: true,
  }));
  // AWS names the children with the last event, and gives no number to go on with. An event that only lacks the number is none.
  const isEnd = childShards.length > 0 || (event.ContinuationSequenceNumber === undefined && event.ChildShards !== undefined);
  const continuation = event.ContinuationSequenceNumber ?? records.at(-1)?.sequenceNumber;
  return {
    records,
    isEnd,
    childShards,
    ...(continuation === undefined ? {} : { continuationSequenceNumber: continuation }),
    ...(event.MillisBehindLatest === undefined ? {} : { behindMs: event.MillisBehindLatest }),
  };
}

function toConsumer(consumer: { ConsumerARN?: string | undefined; ConsumerStatus?: string | undefined } | undefined): ConsumerDescription {
  const { ConsumerARN: arn, ConsumerStatus: status = '' } = consumer ?? {};
  if (arn === undefined) throw new Error('the answer holds no ARN of a consumer');
  return { arn, status };
}

function startingPosition(position: ShardPosition): StartingPosition {
  switch (position.kind) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      return { Type: position.kind };
    case 'AT_TIMESTAMP':
      return { Type: position.kind, Timestamp: new Date(position.timestampMs) };
    case 'AFTER_SEQUENCE_NUMBER':
    case 'AT_SEQUENCE_NUMBER':
      return { Type: position.kind, SequenceNumber: position.sequenceNumber };
  }
}
