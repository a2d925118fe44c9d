import type { StreamMapping } from '@wherry/core/mapping';
import { expect, test } from 'vitest';
import { errorsOf, loadGood, withMappings } from '../test-data/load-text.ts';

const KINESIS = 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks';
const CONSUMER = `${KINESIS}/consumer/c:1700000000`;
const TABLE = 'arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-01-01T00:00:00.000';

/** The stream mapping `m` with these further fields, each on its own line, below these blocks. */
async function stream(arn: string, fields: string, blocks = ''): Promise<StreamMapping> {
  const { config } = await loadGood(withMappings(`m:\n  EventSourceArn: "${arn}"\n  FunctionName: orders\n  ${fields}`) + blocks);
  const mapping = config.mappings.get('m');
  if (mapping === undefined || mapping.source === 'sqs') throw new Error('no stream mapping');
  return mapping;
}

test.each([
  ['TRIM_HORIZON', 'StartingPosition: TRIM_HORIZON', { kind: 'TRIM_HORIZON' }],
  ['LATEST', 'StartingPosition: LATEST', { kind: 'LATEST' }],
  ['seconds', 'StartingPosition: AT_TIMESTAMP\n  StartingPositionTimestamp: 1790000000', 1_790_000_000_000],
  ['seconds with a fraction', 'StartingPosition: AT_TIMESTAMP\n  StartingPositionTimestamp: 1790000000.25', 1_790_000_000_250],
  ['seconds as text', 'StartingPosition: AT_TIMESTAMP\n  StartingPositionTimestamp: "1790000000"', 1_790_000_000_000],
  ['a time', 'StartingPosition: AT_TIMESTAMP\n  StartingPositionTimestamp: 2026-09-01T00:00:00Z', Date.UTC(2026, 8, 1)],
  [
    'a time in a zone',
    'StartingPosition: AT_TIMESTAMP\n  StartingPositionTimestamp: "2026-09-01T02:00:00.5+02:00"',
    Date.UTC(2026, 8, 1) + 500,
  ],
])('a starting position as %s', async (_, fields, expected) => {
  const { startingPosition } = await stream(KINESIS, fields);
  expect(startingPosition).toEqual(typeof expected === 'number' ? { kind: 'AT_TIMESTAMP', timestampMs: expected } : expected);
});

test('everything that a stream mapping may say arrives', async () => {
  const fields = [
    'StartingPosition: LATEST',
    'BatchSize: 500',
    'ParallelizationFactor: 4',
    'MaximumRetryAttempts: 3',
    'MaximumRecordAgeInSeconds: 3600',
    'BisectBatchOnFunctionError: true',
    'FunctionResponseTypes: [ReportBatchItemFailures]',
    'MaximumBatchingWindowInSeconds: 5',
    'onCheckpointLoss: stop',
    'onDestinationFailure: drop',
  ].join('\n  ');
  expect(await stream(TABLE, fields)).toMatchObject({
    source: 'dynamodb',
    startingPosition: { kind: 'LATEST' },
    batchSize: 500,
    parallelizationFactor: 4,
    maximumRetryAttempts: 3,
    maximumRecordAgeInSeconds: 3600,
    bisectBatchOnFunctionError: true,
    reportBatchItemFailures: true,
    maximumBatchingWindowInSeconds: 5,
    tumblingWindowInSeconds: 0,
    onCheckpointLoss: 'stop',
    onDestinationFailure: 'drop',
    consumer: { kind: 'polling' },
  });
  expect(await stream(TABLE, 'StartingPosition: LATEST\n  TumblingWindowInSeconds: 900')).toMatchObject({ tumblingWindowInSeconds: 900 });
});

test.each([
  ['a stream', KINESIS, '', { kind: 'polling' }],
  ['a consumer', CONSUMER, '', { kind: 'enhanced-fan-out', register: false }],
  ['a consumer, said twice', CONSUMER, 'kinesis: { consumer: enhanced-fan-out }', { kind: 'enhanced-fan-out', register: false }],
  [
    'a stream whose consumer is to be made',
    KINESIS,
    'kinesis: { consumer: enhanced-fan-out, registerConsumer: true }',
    { kind: 'enhanced-fan-out', register: true },
  ],
])('how the shards are read of %s', async (_, arn, fields, expected) => {
  expect((await stream(arn, `StartingPosition: LATEST\n  ${fields}`)).consumer).toEqual(expected);
});

const AWS = [
  'aws:',
  '  region: us-east-1',
  '  endpoint: http://127.0.0.1:4566',
  '  endpoints: { sns: "http://127.0.0.1:4567", s3: "http://127.0.0.1:4568" }',
  '  maxAttempts: 7',
  '',
].join('\n');

test.each([
  [
    'a queue in its own region',
    'arn:aws:sqs:eu-central-1:123456789012:failed',
    { kind: 'sqs', region: 'eu-central-1', endpoint: 'http://127.0.0.1:4566' },
  ],
  [
    'a topic at the endpoint of its service',
    'arn:aws:sns:eu-west-2:123456789012:failed',
    { kind: 'sns', region: 'eu-west-2', endpoint: 'http://127.0.0.1:4567' },
  ],
  ["a bucket in the stream's region", 'arn:aws:s3:::failed', { kind: 's3', region: 'eu-west-1', endpoint: 'http://127.0.0.1:4568' }],
])('the failure destination is %s, with the credentials of the mapping', async (_, arn, { kind, region, endpoint }) => {
  const own = 'aws: { profile: writer, endpoint: "http://127.0.0.1:9999" }';
  const fields = `StartingPosition: LATEST\n  DestinationConfig: { OnFailure: { Destination: "${arn}" } }\n  ${own}`;
  const { onFailure, aws } = await stream(KINESIS, fields, AWS);
  expect(onFailure).toEqual({ kind, arn, aws: { region, endpoint, profile: 'writer', maxAttempts: 7 } });
  expect(aws).toMatchObject({ region: 'eu-west-1', endpoint: 'http://127.0.0.1:9999' });
});

/** Fields of a mapping with this failure destination. */
const to = (destination: string) => `StartingPosition: LATEST\n  DestinationConfig: { OnFailure: { Destination: "${destination}" } }`;

test("the failure destination may be the fleet's own store, or none", async () => {
  expect((await stream(KINESIS, to('wherry://failed/clicks.v1'))).onFailure).toEqual({ kind: 'failed', name: 'clicks.v1' });
  expect(await stream(KINESIS, to(''))).not.toHaveProperty('onFailure');
  expect(await stream(KINESIS, 'StartingPosition: LATEST')).not.toHaveProperty('onFailure');
});

test.each([
  ['2026-02-30T00:00:00Z', 'expected a time with zone'],
  ['2026-13-01T00:00:00Z', 'expected a time with zone'],
  ['yesterday', 'expected a time with zone'],
  ['99999999999999', 'expected a time with zone'],
  ['1790000000000', 'is in the future'],
])('%s is refused as a StartingPositionTimestamp', async (text, message) => {
  const fields = `StartingPosition: AT_TIMESTAMP, StartingPositionTimestamp: ${text}`;
  const errors = await errorsOf(withMappings(`m: { EventSourceArn: "${KINESIS}", FunctionName: orders, ${fields} }`));
  expect(errors).toEqual([expect.stringContaining(message)]);
});
