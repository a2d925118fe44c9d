import { randomUUID } from 'node:crypto';
import { callAws } from './aws-json-call.ts';

/** One Kinesis stream of a test. */
export interface TestStream {
  readonly name: string;
  readonly arn: string;
}

/** A record to write. */
export interface TestStreamRecord {
  readonly partitionKey: string;
  /** Base64. */
  readonly data: string;
}

/** Enough of a shard to split or merge it. */
export interface TestShard {
  readonly ShardId: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  readonly SequenceNumberRange: { readonly EndingSequenceNumber?: string | null };
}

/** The Kinesis side of a test: makes streams, writes, reshards. */
export class TestStreams {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async create(shardCount: number, name = `stream-${randomUUID()}`): Promise<TestStream> {
    await this.call('CreateStream', { StreamName: name, ShardCount: shardCount });
    await this.#active(name);
    return { name, arn: `arn:aws:kinesis:us-east-1:000000000000:stream/${name}` };
  }

  /** Deletes and waits until the stream is gone. */
  async delete(stream: TestStream): Promise<void> {
    await this.call('DeleteStream', { StreamName: stream.name });
    while (await this.#status(stream.name).then(Boolean, () => false));
  }

  /** Writes one by one, in order. @returns the sequence numbers */
  async put(stream: TestStream, records: readonly TestStreamRecord[]): Promise<string[]> {
    const sequenceNumbers: string[] = [];
    for (const { partitionKey, data } of records) {
      const input = { StreamName: stream.name, PartitionKey: partitionKey, Data: data };
      sequenceNumbers.push((await this.call<{ SequenceNumber: string }>('PutRecord', input)).SequenceNumber);
    }
    return sequenceNumbers;
  }

  async openShards(stream: TestStream): Promise<TestShard[]> {
    const { Shards: shards } = await this.call<{ Shards: TestShard[] }>('ListShards', { StreamName: stream.name });
    return shards.filter((shard) => (shard.SequenceNumberRange.EndingSequenceNumber ?? null) === null);
  }

  /** Splits a shard in the middle. */
  async split(stream: TestStream, shard: TestShard): Promise<void> {
    const { StartingHashKey: start, EndingHashKey: end } = shard.HashKeyRange;
    const middle = String((BigInt(start) + BigInt(end)) / 2n);
    await this.call('SplitShard', { StreamName: stream.name, ShardToSplit: shard.ShardId, NewStartingHashKey: middle });
    await this.#active(stream.name);
  }

  async merge(stream: TestStream, shard: TestShard, adjacent: TestShard): Promise<void> {
    const input = { StreamName: stream.name, ShardToMerge: shard.ShardId, AdjacentShardToMerge: adjacent.ShardId };
    await this.call('MergeShards', input);
    await this.#active(stream.name);
  }

  /** Any operation of Kinesis. */
  async call<Answer>(operation: string, input: object): Promise<Answer> {
    const service = { endpoint: this.#endpoint, service: 'kinesis', target: 'Kinesis_20131202', region: 'us-east-1' };
    return await callAws<Answer>(service, operation, input);
  }

  async #active(name: string): Promise<void> {
    while ((await this.#status(name)) !== 'ACTIVE');
  }

  async #status(name: string): Promise<string> {
    const answer = await this.call<{ StreamDescriptionSummary: { StreamStatus: string } }>('DescribeStreamSummary', { StreamName: name });
    return answer.StreamDescriptionSummary.StreamStatus;
  }
}
