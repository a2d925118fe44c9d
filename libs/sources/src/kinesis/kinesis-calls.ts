import { setImmediate } from 'node:timers/promises';
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  type KinesisClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
  type Shard,
} from '@aws-sdk/client-kinesis';
import type { AwsSettings } from '@wherry/core/mapping';
import type { ShardPosition, StreamShard } from '@wherry/core/stream-source';
import { clientSettings, trimSteps } from '../aws/client-settings.ts';
import type { CredentialsProvider } from '../aws/credentials.ts';
import { DirectClient } from '../aws/direct-client.ts';
import type { StreamCalls } from '../streams/stream-calls.ts';
import { STREAM_TRAFFIC } from '../streams/stream-clients.ts';
import { FanOutHttp, signSubscriptionsForHttp2 } from './fan-out-http.ts';
import { fromSdk, readPage } from './plain-answer.ts';
import type { KinesisRecordWriter } from './record.ts';

/** @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html */
const RECORDS_PER_CALL = 10_000;

/** An SDK client for Kinesis: over HTTP/1.1, and over HTTP/2 where a shard is subscribed to. */
export function openKinesisClient(aws: AwsSettings, credentials: CredentialsProvider): KinesisClient {
  const settings = clientSettings(aws, credentials, STREAM_TRAFFIC);
  const client = new KinesisClient({ ...settings, requestHandler: new FanOutHttp(settings.requestHandler, STREAM_TRAFFIC.timeoutMs) });
  signSubscriptionsForHttp2(client);
  trimSteps(client);
  return client;
}

/** One stream, and how its records are written. */
export interface KinesisStream {
  readonly streamArn: string;
  readonly writeRecord: KinesisRecordWriter;
  /** `MaxResults` of ListShards; the service's own, 1,000, unless given. */
  readonly shardsPerCall?: number;
}

/**
 * The calls for one stream. Every call names the stream's ARN, which is what a stream of another account needs; the SDK then makes
 * the host from the account, so the direct client is the stream's own.
 *
 * @see https://docs.aws.amazon.com/streams/latest/dev/controlling-access.html
 */
export function createKinesisCalls(client: KinesisClient, stream: KinesisStream): StreamCalls {
  const { streamArn, writeRecord, shardsPerCall } = stream;
  const direct = new DirectClient<ServiceInputTypes, ServiceOutputTypes, KinesisClientResolvedConfig>(client);
  const perCall = shardsPerCall === undefined ? {} : { MaxResults: shardsPerCall };
  return {
    recordsPerCall: RECORDS_PER_CALL,
    hasTimestamps: true,
    async identity(abortSignal) {
      const answer = await client.send(new DescribeStreamSummaryCommand({ StreamARN: streamArn }), { abortSignal });
      return { arn: streamArn, createdAtMs: toEpochMs(answer.StreamDescriptionSummary?.StreamCreationTimestamp) };
    },
    async listShards(after, abortSignal) {
      // Not by NextToken, which lives for five minutes and may not stand beside the ARN.
      const start = after === undefined ? {} : { ExclusiveStartShardId: after };
      const answer = await client.send(new ListShardsCommand({ StreamARN: streamArn, ...start, ...perCall }), { abortSignal });
      const shards = (answer.Shards ?? []).map(toStreamShard);
      const last = shards.at(-1)?.shardId;
      return { shards, ...(answer.NextToken === undefined || last === undefined ? {} : { continueAfter: last }) };
    },
    async getShardIterator(shardId, position, abortSignal) {
      const command = new GetShardIteratorCommand({ StreamARN: streamArn, ShardId: shardId, ...iteratorInput(position) });
      const { ShardIterator: shardIterator } = await client.send(command, { abortSignal });
      if (shardIterator === undefined) throw new Error(`the answer for shard ${shardId} holds no iterator`);
      return shardIterator;
    },
    async getRecords(shardId, shardIterator, limit, signal) {
      const command = new GetRecordsCommand({ StreamARN: streamArn, ShardIterator: shardIterator, Limit: limit });
      const answer = await direct.send(command, readPage, signal);
      // Parsing 10 MB and writing 10,000 records are each as long as others should have to wait for a turn.
      await setImmediate();
      const { records, nextShardIterator, behindMs } = '$metadata' in answer ? fromSdk(answer) : answer;
      return {
        records: records.map((record) => writeRecord(shardId, record)),
        ...(nextShardIterator === undefined ? {} : { nextShardIterator }),
        ...(behindMs === undefined ? {} : { behindMs }),
      };
    },
  };
}

function iteratorInput(position: ShardPosition) {
  switch (position.kind) {
    case 'TRIM_HORIZON':
    case 'LATEST':
      return { ShardIteratorType: position.kind };
    case 'AT_TIMESTAMP':
      return { ShardIteratorType: position.kind, Timestamp: new Date(position.timestampMs) };
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER':
      return { ShardIteratorType: position.kind, StartingSequenceNumber: position.sequenceNumber };
  }
}

/** Times in seconds are below this for 3,000 years, times in milliseconds above it since 1973. */
const SECONDS_MAX = 100_000_000_000;

/**
 * `StreamCreationTimestamp` in whole epoch milliseconds. AWS writes seconds with a fraction; an emulator that writes milliseconds
 * instead is read as the SDK could not. One that writes nothing has nothing to tell streams of one name apart by.
 */
function toEpochMs(time: Date | undefined): number | undefined {
  const ms = time?.getTime() ?? Number.NaN;
  if (!Number.isFinite(ms)) return undefined;
  return ms / 1_000 > SECONDS_MAX ? Math.round(ms / 1_000) : ms;
}

function toStreamShard(shard: Shard): StreamShard {
  return {
    shardId: shard.ShardId ?? '',
    parentShardIds: [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined),
    isOpen: shard.SequenceNumberRange?.EndingSequenceNumber === undefined,
  };
}
