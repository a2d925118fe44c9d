import type { Backend } from '@wherry/testkit/backend-process';
import { describeStreamSource } from '@wherry/testkit/contracts/stream-source';
import { startFaultProxy } from '@wherry/testkit/fault-proxy';
import { startKinesisLocal } from '@wherry/testkit/kinesis-local-process';
import { TestStreams } from '@wherry/testkit/test-streams';
import { afterAll, beforeAll } from 'vitest';
import { openFanOutSource } from './stream-backend.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function dataOf({ recordJson }: { readonly recordJson: string }): string {
  return Buffer.from((JSON.parse(recordJson) as { kinesis: { data: string } }).kinesis.data, 'base64').toString();
}

let backend: Backend;
let streams: TestStreams;

beforeAll(async () => {
  backend = await startKinesisLocal();
  streams = new TestStreams(backend.url);
});
afterAll(() => backend.stop());

const traits = {
  listOperation: 'ListShards',
  readOperation: 'SubscribeToShard',
  endless: 'kinesis-local never ends the subscription to a closed shard',
  anyShard: 'kinesis-local answers a subscription to a shard that does not exist',
} as const;

describeStreamSource('Enhanced fan-out over HTTP/1.1 on kinesis-local', traits, async () => {
  const proxy = await startFaultProxy(backend.url);
  return {
    proxy,
    close: () => proxy.close(),
    open: async ({ exists }) => {
      const missing = { name: 'missing', arn: 'arn:aws:kinesis:us-east-1:000000000000:stream/missing' };
      const stream = exists ? await streams.create(1) : missing;
      return {
        source: openFanOutSource(stream.arn, proxy.url),
        write: async (texts) =>
          void (await streams.put(
            stream,
            texts.map((text) => ({ partitionKey: 'k', data: base64(text) })),
          )),
        textOf: dataOf,
        closeShard: async () => {
          const [shard] = await streams.openShards(stream);
          await streams.split(stream, shard!);
        },
      };
    },
  };
});
