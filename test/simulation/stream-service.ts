import type { Clock } from '@wherry/core/clock';
import type { StreamSource } from '@wherry/core/stream-source';
import { createRecordWriter as createDynamoDbWriter } from '@wherry/sources/dynamodb/record';
import { createRecordWriter as createKinesisWriter } from '@wherry/sources/kinesis/record';
import { IteratorSource } from '@wherry/sources/streams/iterator-source';
import type { SimulatedStreamCalls } from '@wherry/testkit/simulated-stream-calls';
import { SimulatedStream, type SimulatedStreamOptions } from '@wherry/testkit/simulated-stream';

/** Limits as the services have them; a simulation changes what it is about. */
const KINESIS = { readsPerSecond: 5, iteratorLifeMs: 300_000, retentionMs: 86_400_000, recordsPerCall: 10_000, shardsPerCall: 1_000 };
const DYNAMODB = { readsPerSecond: Infinity, iteratorLifeMs: 900_000, retentionMs: 86_400_000, recordsPerCall: 1_000, shardsPerCall: 100 };

/** What has to be said of a stream; the rest is as the service has it. */
export type StreamChoices = Pick<SimulatedStreamOptions, 'clock' | 'kind' | 'arn' | 'shards'> & Partial<SimulatedStreamOptions>;

/** A stream whose records are written as the real sources write them. */
export function createSimulatedStream(choices: StreamChoices): SimulatedStream {
  const { kind, arn } = choices;
  const kinesis = createKinesisWriter({ eventSourceArn: arn, invokeIdentityArn: 'arn:aws:iam::000000000000:role/wherry' });
  const dynamodb = createDynamoDbWriter(arn);
  return new SimulatedStream({
    ...(kind === 'kinesis' ? KINESIS : DYNAMODB),
    listingDelayMs: 0,
    rollAfterMs: Infinity,
    writeRecord: (shardId, { key, data, sequenceNumber, arrivedAtMs }) =>
      kind === 'kinesis'
        ? kinesis(shardId, {
            SequenceNumber: sequenceNumber,
            PartitionKey: key,
            Data: Buffer.from(data).toString('base64'),
            ApproximateArrivalTimestamp: arrivedAtMs / 1_000,
          })
        : dynamodb({
            eventID: sequenceNumber,
            eventName: 'INSERT',
            dynamodb: {
              ApproximateCreationDateTime: arrivedAtMs / 1_000,
              Keys: { pk: { S: key } },
              NewImage: { pk: { S: key }, data: { S: data } },
              SequenceNumber: sequenceNumber,
              StreamViewType: 'NEW_IMAGE',
            },
          }),
    ...choices,
  });
}

/** The product's own source on the service's calls: iterators, errors and positions are handled by the code that runs in production. */
export function openSimulatedSource(calls: SimulatedStreamCalls, clock: Pick<Clock, 'nowMs'>, kind: 'kinesis' | 'dynamodb'): StreamSource {
  const listOperation = kind === 'kinesis' ? 'ListShards' : 'DescribeStream';
  return new IteratorSource({ listOperation, clock, open: () => Promise.resolve(calls), release: () => {} });
}
