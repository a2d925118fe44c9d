/**
 * The loop that everybody writes first, for each shard: GetRecords with the AWS SDK, records turned into Lambda's event, Invoke with the
 * SDK, batch after batch, and then the next page. It checkpoints nothing, takes no lease and never waits.
 *
 * Usage: node stream-baseline.ts SERVER_URL SHARDS BATCH_SIZE
 */
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, type _Record } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { NodeHttpHandler } from '@smithy/node-http-handler';

const [serverUrl = '', shards = '', batchSize = ''] = process.argv.slice(2);
const settings = { endpoint: serverUrl, region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };
const streamArn = 'arn:aws:kinesis:us-east-1:000000000000:stream/bench';
/** A page that holds several batches costs the SDK less than a page for each. */
const pageRecords = Math.max(1_000, Number(batchSize));

const kinesis = new KinesisClient({ ...settings, requestHandler: new NodeHttpHandler() });
const lambda = new LambdaClient(settings);

function eventOf(shardId: string, records: readonly _Record[]): string {
  return JSON.stringify({
    Records: records.map((record) => ({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey: record.PartitionKey,
        sequenceNumber: record.SequenceNumber,
        data: Buffer.from(record.Data ?? []).toString('base64'),
        approximateArrivalTimestamp: (record.ApproximateArrivalTimestamp?.getTime() ?? 0) / 1_000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${shardId}:${record.SequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: 'arn:aws:iam::000000000000:role/bench',
      awsRegion: 'us-east-1',
      eventSourceARN: streamArn,
    })),
  });
}

async function readShard(shardId: string): Promise<never> {
  const start = new GetShardIteratorCommand({ StreamARN: streamArn, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' });
  let { ShardIterator: iterator } = await kinesis.send(start);
  for (;;) {
    const page = await kinesis.send(new GetRecordsCommand({ StreamARN: streamArn, ShardIterator: iterator, Limit: pageRecords }));
    const records = page.Records ?? [];
    for (let from = 0; from < records.length; from += Number(batchSize)) {
      const event = eventOf(shardId, records.slice(from, from + Number(batchSize)));
      await lambda.send(new InvokeCommand({ FunctionName: 'bench', Payload: Buffer.from(event) }));
    }
    iterator = page.NextShardIterator;
  }
}

for (let index = 0; index < Number(shards); index += 1) void readShard(`shardId-${String(index).padStart(12, '0')}`);
