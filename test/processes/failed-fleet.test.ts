import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '@wherry/testkit/backend-process';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startKinesisLocal } from '@wherry/testkit/kinesis-local-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { TestBuckets } from '@wherry/testkit/test-buckets';
import { TestStreams } from '@wherry/testkit/test-streams';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { spawnPoller, until, type TestPoller } from './fleet.ts';
import { failure, FunctionServer } from './function-server.ts';
import { wherry } from './wherry-command.ts';

let folder: string;
let redis: RedisServer;
let kinesis: Backend;
let s3: Backend;
let functions: FunctionServer;
let poller: TestPoller | undefined;

beforeAll(async () => {
  [folder, redis, kinesis, s3] = await Promise.all([
    mkdtemp(join(tmpdir(), 'wherry-failed-fleet-')),
    startRedisServer(),
    startKinesisLocal(),
    startFauxqs(),
  ]);
});
beforeEach(async () => {
  functions = await FunctionServer.start();
});
afterEach(async () => {
  poller?.child.kill('SIGKILL');
  await poller?.exited;
  await functions.close();
});
afterAll(async () => {
  await Promise.all([redis.kill(), kinesis.stop(), s3.stop(), rm(folder, { recursive: true, force: true })]);
});

/** A poller of a fleet of its own that gives up at the first failure. */
async function startFleet(name: string, streamArn: string, destination: string): Promise<string> {
  const file = join(folder, `${name}.yaml`);
  const config = {
    version: 1,
    fleet: { id: name },
    redis: { url: redis.url },
    aws: { endpoint: s3.url, endpoints: { kinesis: kinesis.url } },
    admin: { listen: '127.0.0.1:0' },
    functions: { [name]: { target: { http: { url: `${functions.url}/${name}` } }, Timeout: 5 } },
    mappings: {
      clicks: {
        FunctionName: name,
        EventSourceArn: streamArn,
        StartingPosition: 'TRIM_HORIZON',
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: destination } },
      },
    },
  };
  await writeFile(file, JSON.stringify(config));
  poller = await spawnPoller(file);
  return file;
}

const recordOf = (text: string) => ({ partitionKey: 'k', data: Buffer.from(text).toString('base64') });

test('what a poller gave up is in the store with its event, and is redriven while the poller goes on', async () => {
  const streams = new TestStreams(kinesis.url);
  const stream = await streams.create(1);
  functions.handle('redriven', ({ number }) => (number === 1 ? failure() : {}));
  await streams.put(stream, ['a', 'b'].map(recordOf));
  const file = await startFleet('redriven', stream.arn, 'wherry://failed/clicks');
  const list = async () =>
    JSON.parse((await wherry(['failed', 'list', '--json', '--config', file])).stdout) as { batches: { id: string; batchSize: number }[] };
  const { batches } = await until(list, (found) => found.batches.length > 0);
  expect(batches).toMatchObject([
    { mapping: 'clicks', name: 'clicks', functionName: 'redriven', batchSize: 2, streamArn: stream.arn, approximateInvokeCount: 1 },
  ]);

  const { stdout, code } = await wherry(['failed', 'redrive', 'clicks', '--yes', '--config', file]);
  expect({ stdout, code }).toEqual({ stdout: `${batches[0]?.id}  clicks  2 records  succeeded\n1 batch: 1 succeeded\n`, code: 0 });
  const [first, second] = functions.of('redriven');
  expect(second?.text).toBe(first?.text);
  expect((await list()).batches).toEqual([]);

  await streams.put(stream, ['c'].map(recordOf));
  await functions.answered('redriven', 3);
});

test('STR-15 what a poller gave up is an object in S3 that holds the event as the function got it', async () => {
  const streams = new TestStreams(kinesis.url);
  const stream = await streams.create(1);
  const buckets = new TestBuckets(s3.url);
  await buckets.create('given-up');
  functions.handle('kept', () => failure());
  await streams.put(stream, ['a', 'b'].map(recordOf));
  await startFleet('kept', stream.arn, 'arn:aws:s3:::given-up');
  const [object] = await until(
    () => buckets.objects('given-up'),
    (objects) => objects.length > 0,
  );
  const document = JSON.parse(object?.text ?? '') as { payload: string };
  expect(document).toMatchObject({
    requestContext: { condition: 'RetryAttemptsExhausted' },
    KinesisBatchInfo: { batchSize: 2, streamArn: stream.arn },
  });
  expect(document.payload).toBe(functions.of('kept')[0]?.text);
  expect(object?.key).toMatch(
    /^aws\/lambda\/[0-9a-f-]{36}\/shardId-000000000000\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
  );
  expect(object?.contentType).toBe('application/octet-stream');
});
