import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, BackendStart } from '@wherry/testkit/backend-process';
import { startDynamoDbLocal } from '@wherry/testkit/dynamodb-local-process';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startKinesisLocal } from '@wherry/testkit/kinesis-local-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { TargetServer } from '@wherry/testkit/target-server';
import { TestBuckets } from '@wherry/testkit/test-buckets';
import { TestQueues } from '@wherry/testkit/test-queues';
import { TestStreams } from '@wherry/testkit/test-streams';
import { TestTables } from '@wherry/testkit/test-tables';
import { TestTopics } from '@wherry/testkit/test-topics';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wherry } from './wherry-command.ts';

let folder: string;
let redis: RedisServer;
let kinesis: Backend;
let dynamoDb: BackendStart;
/** SQS, SNS and S3. */
let aws: Backend;
let target: TargetServer;
beforeAll(async () => {
  [folder, redis, kinesis, dynamoDb, aws, target] = await Promise.all([
    mkdtemp(join(tmpdir(), 'wherry-validate-streams-')),
    startRedisServer(),
    startKinesisLocal(),
    startDynamoDbLocal(),
    startFauxqs(),
    TargetServer.start(),
  ]);
});
afterAll(async () => {
  const stopping = [redis.kill(), kinesis.stop(), aws.stop(), target.close(), rm(folder, { recursive: true, force: true })];
  if (dynamoDb.kind === 'started') stopping.push(dynamoDb.backend.stop());
  await Promise.all(stopping);
});

interface JsonProblem {
  readonly severity: string;
  readonly code: string;
  readonly path: string;
  readonly line: number;
  readonly message: string;
  readonly help?: string;
  readonly awsMessage?: string;
}

/** Runs `wherry validate --online` on one stream mapping, written in lines 7 and below. */
async function online(arn: string, fields = '', env: Readonly<Record<string, string>> = {}) {
  const dynamoDbUrl = dynamoDb.kind === 'started' ? dynamoDb.backend.url : 'http://127.0.0.1:1';
  const file = join(folder, 'online.yaml');
  const lines = [
    'version: 1',
    `redis: { url: "${redis.url}" }`,
    `aws: { endpoint: "${aws.url}", endpoints: { kinesis: "${kinesis.url}", dynamodb: "${dynamoDbUrl}" }, maxAttempts: 1 }`,
    `functions: { orders: { target: { http: { url: "${target.url}/orders" } } } }`,
    'mappings:',
    '  m:',
    `    EventSourceArn: "${arn}"`,
    '    FunctionName: orders',
    '    StartingPosition: TRIM_HORIZON',
    ...fields.split('\n').map((line) => `    ${line}`),
    '',
  ];
  await writeFile(file, lines.join('\n'));
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const { code, stdout, stderr } = await wherry(['validate', '--online', '--format', 'json', file], { env: { ...keys, ...env } });
  expect(stderr).toBe('');
  return { code, problems: JSON.parse(stdout) as JsonProblem[] };
}

describe('validate --online asks about streams of Kinesis', () => {
  test('and is content with a stream that can be read', async () => {
    const { arn } = await new TestStreams(kinesis.url).create(2);
    expect(await online(arn)).toEqual({ code: 0, problems: [] });
    expect(target.requests).toEqual([]);
  });

  test.each([
    ['queue', 'arn:aws:sqs:us-east-1:000000000000:failed', () => new TestQueues(aws.url).create({ name: 'failed' })],
    ['topic', 'arn:aws:sns:us-east-1:000000000000:failed', () => new TestTopics(aws.url).create('failed')],
    ['bucket', 'arn:aws:s3:::failed', () => new TestBuckets(aws.url).create('failed')],
  ])('whether a %s for failures exists, without writing to it', async (what, destination, create) => {
    const { arn } = await new TestStreams(kinesis.url).create(1);
    const fields = `MaximumRetryAttempts: 2\nDestinationConfig: { OnFailure: { Destination: "${destination}" } }`;
    const path = 'mappings.m.DestinationConfig.OnFailure.Destination';
    expect(await online(arn, fields)).toMatchObject({
      code: 1,
      problems: [{ severity: 'error', code: 'destination-missing', path, line: 11, message: `the ${what} does not exist` }],
    });
    await create();
    expect(await online(arn, fields)).toMatchObject({ code: 0, problems: [{ severity: 'notice', code: 'destination-not-written', path }] });
  });

  test('and reports a stream and a destination that do not exist, each at its place', async () => {
    const arn = 'arn:aws:kinesis:us-east-1:000000000000:stream/absent';
    const destination = 'arn:aws:sqs:us-east-1:000000000000:absent';
    const fields = `MaximumRetryAttempts: 2\nDestinationConfig: { OnFailure: { Destination: "${destination}" } }`;
    const { code, problems } = await online(arn, fields);
    expect(code).toBe(1);
    expect(problems).toMatchObject([
      { severity: 'error', code: 'stream-missing', line: 7, awsMessage: `Stream not found: ${arn}` },
      { severity: 'error', code: 'destination-missing', line: 11 },
    ]);
  });

  test('and tells missing credentials from a missing stream', async () => {
    const { arn } = await new TestStreams(kinesis.url).create(1);
    const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true', HOME: folder };
    const { code, problems } = await online(arn, '', none);
    expect(code).toBe(1);
    expect(problems).toMatchObject([{ severity: 'error', code: 'aws-credentials', help: expect.stringContaining('AWS_ACCESS_KEY_ID') }]);
  });

  test('about consumers: one that is not registered, one that will be, and one that is', async () => {
    const streams = new TestStreams(kinesis.url);
    const { arn } = await streams.create(1);
    const missing = await online(`${arn}/consumer/absent:1700000000`);
    expect(missing).toMatchObject({ code: 1, problems: [{ code: 'consumer-missing', line: 7 }] });
    const coming = await online(arn, 'kinesis: { consumer: enhanced-fan-out, registerConsumer: true }');
    expect(coming).toMatchObject({ code: 0, problems: [{ severity: 'notice', code: 'consumer-to-register', line: 10 }] });
    const answer = await streams.call<{ Consumer: { ConsumerARN: string } }>('RegisterStreamConsumer', {
      StreamARN: arn,
      ConsumerName: 'c',
    });
    const { ConsumerARN: consumerArn } = answer.Consumer;
    const status = () =>
      streams.call<{ ConsumerDescription: { ConsumerStatus: string } }>('DescribeStreamConsumer', { ConsumerARN: consumerArn });
    while ((await status()).ConsumerDescription.ConsumerStatus !== 'ACTIVE');
    expect(await online(consumerArn)).toEqual({ code: 0, problems: [] });
  });
});

describe('validate --online asks about streams of DynamoDB', () => {
  test('what the records show, and about patterns that ask for more', async (context) => {
    if (dynamoDb.kind === 'missing') return context.skip(dynamoDb.reason);
    const { streamArn } = await new TestTables(dynamoDb.backend.url).create('KEYS_ONLY');
    const filters = `FilterCriteria: { Filters: [{ Pattern: '{"dynamodb":{"NewImage":{"plan":{"S":["pro"]}}}}' }] }`;
    const { code, problems } = await online(streamArn, filters);
    expect(code).toBe(0);
    expect(problems).toMatchObject([
      { severity: 'notice', code: 'stream-view-type', line: 7, message: expect.stringContaining('KEYS_ONLY') },
      { severity: 'warning', code: 'image-absent', line: 10, path: 'mappings.m.FilterCriteria.Filters[0].Pattern' },
    ]);
  });

  test('about a stream that was switched off, and one that never was', async (context) => {
    if (dynamoDb.kind === 'missing') return context.skip(dynamoDb.reason);
    const tables = new TestTables(dynamoDb.backend.url);
    const table = await tables.create();
    await tables.disableStream(table);
    const { code, problems } = await online(table.streamArn);
    expect({ code, codes: problems.map((problem) => problem.code) }).toEqual({ code: 0, codes: ['stream-disabled', 'stream-view-type'] });
    const never = table.streamArn.replace(table.name, 'never');
    expect(await online(never)).toMatchObject({
      code: 1,
      problems: [{ code: 'stream-missing', awsMessage: `Stream not found: ${never}` }],
    });
  });
});
