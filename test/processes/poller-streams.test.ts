import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, BackendStart } from '@wherry/testkit/backend-process';
import { startDynamoDbLocal } from '@wherry/testkit/dynamodb-local-process';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startKinesisLocal } from '@wherry/testkit/kinesis-local-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { TestQueues } from '@wherry/testkit/test-queues';
import { TestStreams } from '@wherry/testkit/test-streams';
import { TestTables } from '@wherry/testkit/test-tables';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from './fleet.ts';
import { FunctionServer, type Invocation } from './function-server.ts';
import { launcher } from './wherry-command.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

let folder: string;
let redis: RedisServer;
let kinesis: Backend;
let dynamoDb: BackendStart;
let sqs: Backend;
let functions: FunctionServer;
const pollers = new Set<ChildProcess>();
beforeAll(async () => {
  [folder, redis, kinesis, dynamoDb, sqs, functions] = await Promise.all([
    mkdtemp(join(tmpdir(), 'wherry-poller-streams-')),
    startRedisServer(),
    startKinesisLocal(),
    startDynamoDbLocal(),
    startFauxqs(),
    FunctionServer.start(),
  ]);
});
afterEach(async () => {
  for (const child of pollers) await stop(child, 'SIGKILL');
});
afterAll(async () => {
  const stopping = [redis.kill(), kinesis.stop(), sqs.stop(), functions.close(), rm(folder, { recursive: true, force: true })];
  if (dynamoDb.kind === 'started') stopping.push(dynamoDb.backend.stop());
  await Promise.all(stopping);
});

/** A configuration with one mapping `m` of a fleet of that name to a function of that name. */
async function configure(name: string, mapping: object): Promise<string> {
  const file = join(folder, `${name}.yaml`);
  const dynamoDbUrl = dynamoDb.kind === 'started' ? dynamoDb.backend.url : undefined;
  const config = {
    version: 1,
    fleet: { id: name },
    redis: { url: redis.url },
    aws: { endpoint: sqs.url, endpoints: { kinesis: kinesis.url, ...(dynamoDbUrl === undefined ? {} : { dynamodb: dynamoDbUrl }) } },
    admin: { listen: '127.0.0.1:0' },
    functions: { [name]: { target: { http: { url: `${functions.url}/${name}` } }, Timeout: 5 } },
    mappings: { m: { FunctionName: name, StartingPosition: 'TRIM_HORIZON', ...mapping } },
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

function start(file: string): ChildProcess {
  const child = spawn(process.execPath, [launcher, 'poller', '--config', file], {
    env: { ...process.env, ...CREDENTIALS },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  pollers.add(child);
  return child;
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
  pollers.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode];
  const exited = once(child, 'exit');
  child.kill(signal);
  return await exited;
}

interface KinesisRecord {
  readonly kinesis: { readonly data: string; readonly sequenceNumber: string };
  readonly eventSourceARN: string;
}

/** The texts that the records of an invocation hold. */
function texts({ text }: Pick<Invocation, 'text'>): string[] {
  const { Records: records } = JSON.parse(text) as { Records: KinesisRecord[] };
  return records.map(({ kinesis: { data } }) => Buffer.from(data, 'base64').toString());
}

const record = (text: string) => ({ partitionKey: 'k', data: Buffer.from(text).toString('base64') });

test('a poller carries a stream on where the one before it stopped, and what is given up goes to the failure queue', async () => {
  const streams = new TestStreams(kinesis.url);
  const stream = await streams.create(1);
  const queues = new TestQueues(sqs.url);
  const failures = await queues.create({ name: 'clicks-failed' });
  functions.handle('clicks', (invocation) => {
    if (texts(invocation).includes('poison')) return new Response('{"errorMessage":"no"}', { status: 500 });
    return {};
  });
  const file = await configure('clicks', {
    EventSourceArn: stream.arn,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 0,
    DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:clicks-failed' } },
  });
  const [, poisonNumber] = await streams.put(stream, ['a', 'poison', 'b', 'c'].map(record));
  const delivered = () =>
    functions
      .of('clicks')
      .map(texts)
      .filter((batch) => !batch.includes('poison'))
      .flat();
  const first = start(file);
  await functions.until('clicks', () => delivered().length >= 3);
  expect(delivered()).toEqual(['a', 'b', 'c']);
  const [document] = await until(
    () => queues.drain(failures, 1),
    (bodies) => bodies.length > 0,
  );
  expect(JSON.parse(document ?? '')).toMatchObject({
    requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 1 },
    KinesisBatchInfo: { batchSize: 1, startSequenceNumber: poisonNumber, streamArn: stream.arn },
  });
  expect(await stop(first, 'SIGTERM')).toEqual([0, null]);

  await streams.put(stream, ['d'].map(record));
  const second = start(file);
  await functions.until('clicks', () => delivered().includes('d'));
  expect(delivered()).toEqual(['a', 'b', 'c', 'd']);
  await stop(second, 'SIGTERM');
});

test("changes of a table come in Lambda's envelope", async (context) => {
  if (dynamoDb.kind === 'missing') return context.skip(dynamoDb.reason);
  const tables = new TestTables(dynamoDb.backend.url);
  const table = await tables.create();
  await tables.put(table, { pk: { S: 'a' }, sk: { N: '1' }, plan: { S: 'free' } });
  await tables.put(table, { pk: { S: 'a' }, sk: { N: '1' }, plan: { S: 'pro' } });
  const pattern = JSON.stringify({ eventName: ['MODIFY'] });
  start(await configure('customers', { EventSourceArn: table.streamArn, FilterCriteria: { Filters: [{ Pattern: pattern }] } }));
  const [invocation] = await functions.until('customers', (invocations) => invocations.length > 0);
  expect(JSON.parse(invocation?.text ?? '')).toMatchObject({
    Records: [
      {
        eventName: 'MODIFY',
        eventSource: 'aws:dynamodb',
        eventSourceARN: table.streamArn,
        dynamodb: { NewImage: { plan: { S: 'pro' } }, OldImage: { plan: { S: 'free' } } },
      },
    ],
  });
});

test('enhanced fan-out reads with a consumer that the poller registers', async () => {
  const streams = new TestStreams(kinesis.url);
  const stream = await streams.create(2);
  await streams.put(stream, ['a', 'b'].map(record));
  start(await configure('pushed', { EventSourceArn: stream.arn, kinesis: { consumer: 'enhanced-fan-out', registerConsumer: true } }));
  const invocations = await functions.until('pushed', (all) => all.flatMap(texts).length >= 2);
  expect(invocations.flatMap(texts)).toEqual(['a', 'b']);
  const { Records: records } = JSON.parse(invocations[0]?.text ?? '') as { Records: KinesisRecord[] };
  expect(records[0]?.eventSourceARN).toMatch(/\/consumer\/wherry-m-[0-9a-f]{8}:\d+$/);
});
