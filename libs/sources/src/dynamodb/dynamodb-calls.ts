import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type DynamoDBStreamsClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import type { AwsSettings } from '@wherry/core/mapping';
import type { ShardPosition, StreamShard } from '@wherry/core/stream-source';
import { SourceError } from '@wherry/core/source-error';
import { clientSettings, trimSteps } from '../aws/client-settings.ts';
import type { CredentialsProvider } from '../aws/credentials.ts';
import { DirectClient } from '../aws/direct-client.ts';
import type { StreamCalls } from '../streams/stream-calls.ts';
import { STREAM_TRAFFIC } from '../streams/stream-clients.ts';
import { fromSdk, readPage } from './plain-answer.ts';
import type { DynamoDbRecordWriter } from './record.ts';

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html */
const RECORDS_PER_CALL = 1_000;

/** An SDK client for DynamoDB Streams over HTTP/1.1. */
export function openDynamoDbClient(aws: AwsSettings, credentials: CredentialsProvider): DynamoDBStreamsClient {
  const client = new DynamoDBStreamsClient(clientSettings(aws, credentials, STREAM_TRAFFIC));
  trimSteps(client);
  return client;
}

/** The calls for one stream. */
export function createDynamoDbCalls(client: DynamoDBStreamsClient, streamArn: string, writeRecord: DynamoDbRecordWriter): StreamCalls {
  const direct = new DirectClient<ServiceInputTypes, ServiceOutputTypes, DynamoDBStreamsClientResolvedConfig>(client);
  return {
    recordsPerCall: RECORDS_PER_CALL,
    hasTimestamps: false,
    // The label at the end of the ARN is the time at which the stream was enabled: one made again has another ARN.
    identity: () => Promise.resolve({ arn: streamArn, createdAtMs: undefined }),
    async listShards(after, abortSignal) {
      const start = after === undefined ? {} : { ExclusiveStartShardId: after };
      const { StreamDescription: stream } = await client.send(new DescribeStreamCommand({ StreamArn: streamArn, ...start }), {
        abortSignal,
      });
      const shards = (stream?.Shards ?? []).map(toStreamShard);
      const last = stream?.LastEvaluatedShardId;
      return { shards, ...(last === undefined ? {} : { continueAfter: last }) };
    },
    async getShardIterator(shardId, position, abortSignal) {
      const command = new GetShardIteratorCommand({ StreamArn: streamArn, ShardId: shardId, ...iteratorInput(position) });
      const { ShardIterator: shardIterator } = await client.send(command, { abortSignal });
      if (shardIterator === undefined) throw new Error(`the answer for shard ${shardId} holds no iterator`);
      return shardIterator;
    },
    async getRecords(_shardId, shardIterator, limit, signal) {
      const answer = await direct.send(new GetRecordsCommand({ ShardIterator: shardIterator, Limit: limit }), readPage, signal);
      const { records, nextShardIterator } = '$metadata' in answer ? fromSdk(answer) : answer;
      return { records: records.map(writeRecord), ...(nextShardIterator === undefined ? {} : { nextShardIterator }) };
    },
  };
}

function iteratorInput(position: ShardPosition) {
  switch (position.kind) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      return { ShardIteratorType: position.kind };
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER':
      return { ShardIteratorType: position.kind, SequenceNumber: position.sequenceNumber };
    case 'AT_TIMESTAMP':
      throw new SourceError('invalid', 'InvalidParameter', 'GetShardIterator failed: DynamoDB Streams cannot be read from AT_TIMESTAMP');
  }
}

function toStreamShard(shard: Shard): StreamShard {
  return {
    shardId: shard.ShardId ?? '',
    parentShardIds: shard.ParentShardId === undefined ? [] : [shard.ParentShardId],
    isOpen: shard.SequenceNumberRange?.EndingSequenceNumber === undefined,
  };
}
