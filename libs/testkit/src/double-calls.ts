import type { DoubleShard, DoubleStream } from './double-stream.ts';

/** An answer that is an error of the service. */
export class DoubleError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What calls name. */
interface Input {
  readonly StreamARN?: string;
  readonly StreamName?: string;
  readonly ConsumerName?: string;
  readonly ConsumerARN?: string;
  readonly ExclusiveStartShardId?: string;
  readonly MaxResults?: number;
}

/** Lookup of the streams that exist. */
export type FindStream = (arn: string) => DoubleStream;

/** Calls of Kinesis that are answered at once, with the shapes and errors of its documentation. */
export const PLAIN_CALLS: Readonly<Record<string, (input: Input, find: FindStream, activeAfterMs: number) => object>> = {
  DescribeStreamSummary: (input, find) => {
    const { arn, name, createdAt, openShards } = find(input.StreamARN ?? '');
    const summary = { StreamARN: arn, StreamName: name, StreamStatus: 'ACTIVE', StreamCreationTimestamp: createdAt };
    return {
      StreamDescriptionSummary: { ...summary, OpenShardCount: openShards.length, RetentionPeriodHours: 24, EnhancedMonitoring: [] },
    };
  },
  ListShards: (input, find) => {
    const { shards } = find(input.StreamARN ?? '');
    const from = shards.findIndex(({ id }) => id === input.ExclusiveStartShardId) + 1;
    const page = shards.slice(from, from + (input.MaxResults ?? 1_000));
    const isMore = from + page.length < shards.length;
    return { Shards: page.map(toShard), ...(isMore ? { NextToken: 'more' } : {}) };
  },
  RegisterStreamConsumer: (input, find, activeAfterMs) => {
    const stream = find(input.StreamARN ?? '');
    const name = input.ConsumerName ?? '';
    if (stream.consumers.has(name)) {
      throw new DoubleError('ResourceInUseException', `Consumer ${name} under stream ${stream.name} already exists.`);
    }
    stream.consumers.set(name, Date.now() + activeAfterMs);
    return { Consumer: toConsumer(stream, name) };
  },
  DescribeStreamConsumer: (input, find) => {
    const stream = find(input.StreamARN ?? '');
    const name = input.ConsumerName ?? '';
    if (!stream.consumers.has(name))
      throw new DoubleError('ResourceNotFoundException', `Consumer ${name} under stream ${stream.name} not found.`);
    return { ConsumerDescription: { ...toConsumer(stream, name), StreamARN: stream.arn } };
  },
};

/** The ARN that a consumer of this name has. */
export function consumerArn(stream: DoubleStream, name: string): string {
  return `${stream.arn}/consumer/${name}:${Math.floor(stream.createdAt)}`;
}

function toConsumer(stream: DoubleStream, name: string): object {
  const status = Date.now() >= stream.consumers.get(name)! ? 'ACTIVE' : 'CREATING';
  return {
    ConsumerName: name,
    ConsumerARN: consumerArn(stream, name),
    ConsumerStatus: status,
    ConsumerCreationTimestamp: stream.createdAt,
  };
}

function toShard({ id, parentIds, start, end, children }: DoubleShard): object {
  const [parent, adjacent] = parentIds;
  return {
    ShardId: id,
    ...(parent === undefined ? {} : { ParentShardId: parent }),
    ...(adjacent === undefined ? {} : { AdjacentParentShardId: adjacent }),
    HashKeyRange: { StartingHashKey: String(start), EndingHashKey: String(end) },
    SequenceNumberRange: { StartingSequenceNumber: '1', ...(children.length === 0 ? {} : { EndingSequenceNumber: '9' }) },
  };
}
