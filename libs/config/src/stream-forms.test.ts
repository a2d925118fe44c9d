import { readFileSync } from 'node:fs';
import type { Mapping } from '@wherry/core/mapping';
import { expect, test } from 'vitest';
import { errorsOf, loadGood } from '../test-data/load-text.ts';

const KINESIS = 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks';
const TABLE = 'arn:aws:dynamodb:eu-west-1:123456789012:table/Customers/stream/2026-01-01T00:00:00.000';
const FAILED = 'arn:aws:sqs:eu-west-1:123456789012:failed';

const HEAD = `version: 1
resources:
  Clicks: ${KINESIS}
  Reader: ${KINESIS}/consumer/reader:1700000000
  Customers: ${TABLE}
  Failed: ${FAILED}
functions:
  orders:
    target: { http: { url: "http://127.0.0.1:9000" } }
`;

/** Every property of a stream mapping, indented by so many spaces; the failure queue as it is written there. */
const properties = (indent: number, destination: string) =>
  `StartingPosition: LATEST
BatchSize: 500
MaximumBatchingWindowInSeconds: 2
ParallelizationFactor: 4
BisectBatchOnFunctionError: true
MaximumRetryAttempts: 3
MaximumRecordAgeInSeconds: 3600
FunctionResponseTypes: [ReportBatchItemFailures]
DestinationConfig:
  OnFailure:
    ${destination}
FilterCriteria:
  Filters:
    - Pattern: '{"eventID":[{"exists":true}]}'
`
    .trimEnd()
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}\n`)
    .join('');

/** The mapping of that name without what depends on the name. */
async function built(text: string, name: string): Promise<Omit<Mapping, 'name' | 'uuid'>> {
  const { config } = await loadGood(text);
  const mapping = config.mappings.get(name);
  if (mapping === undefined) throw new Error(`there are ${[...config.mappings.keys()].join(', ')}`);
  const { name: _name, uuid: _uuid, ...rest } = mapping;
  return rest;
}

const plain = (arn: string) =>
  `${HEAD}mappings:\n  m:\n    EventSourceArn: ${arn}\n    FunctionName: orders\n${properties(4, `Destination: ${FAILED}`)}`;
const cloudFormation = (reference: string) =>
  `${HEAD}mappings:\n  m:\n    Type: AWS::Lambda::EventSourceMapping\n    DeletionPolicy: Retain\n    Properties:\n      EventSourceArn: ${reference}\n      FunctionName: !Ref orders\n${properties(6, 'Destination: !GetAtt Failed.Arn')}`;
const sam = (type: string, reference: string) =>
  `${HEAD}    Events:\n      In:\n        Type: ${type}\n        Properties:\n          Stream: ${reference}\n${properties(10, 'Type: SQS\n    Destination: !GetAtt Failed.Arn')}`;

test.each([
  ['a Kinesis stream', 'Kinesis', KINESIS, '!GetAtt Clicks.Arn'],
  ['a consumer of a Kinesis stream', 'Kinesis', `${KINESIS}/consumer/reader:1700000000`, '!GetAtt Reader.ConsumerARN'],
  ['the stream of a table', 'DynamoDB', TABLE, '!GetAtt Customers.StreamArn'],
])('%s means the same in plain words, as a pasted resource and as a SAM event', async (_, type, arn, reference) => {
  const expected = await built(plain(arn), 'm');
  expect(expected).toMatchObject({
    source: type.toLowerCase(),
    eventSourceArn: arn,
    batchSize: 500,
    maximumBatchingWindowInSeconds: 2,
    startingPosition: { kind: 'LATEST' },
    parallelizationFactor: 4,
    bisectBatchOnFunctionError: true,
    maximumRetryAttempts: 3,
    maximumRecordAgeInSeconds: 3600,
    reportBatchItemFailures: true,
    onFailure: { kind: 'sqs', arn: FAILED },
    filterPatterns: ['{"eventID":[{"exists":true}]}'],
  });
  expect(await built(cloudFormation(reference), 'm')).toEqual(expected);
  expect(await built(sam(type, reference), 'orders-In')).toEqual(expected);
});

test('settings of our own stand beside the properties of a pasted stream', async () => {
  const own = `    kinesis: { consumer: enhanced-fan-out, registerConsumer: true }\n    onDestinationFailure: drop\n    onCheckpointLoss: stop\n`;
  const text = cloudFormation('!GetAtt Clicks.Arn').replace('    DeletionPolicy: Retain\n', own);
  expect(await built(text, 'm')).toMatchObject({
    consumer: { kind: 'enhanced-fan-out', register: true },
    onDestinationFailure: 'drop',
    onCheckpointLoss: 'stop',
  });
});

test.each([
  ['Kinesis', '!GetAtt Customers.StreamArn', 'Type is Kinesis, but EventSourceArn is of DynamoDB'],
  ['DynamoDB', '!GetAtt Clicks.Arn', 'Type is DynamoDB, but EventSourceArn is of Kinesis'],
])('a SAM event of type %s with %s is refused', async (type, reference, message) => {
  expect(await errorsOf(sam(type, reference))).toEqual([expect.stringContaining(message)]);
});

test('a pasted stream whose resource nobody named is told what to add', async () => {
  const errors = await errorsOf(sam('Kinesis', '!GetAtt Orders.Arn'));
  expect(errors).toEqual([expect.stringMatching(/nothing under resources: is called "Orders"/)]);
});

/** Facts of Lambda's API model, with its documented defaults. */
const facts = (
  JSON.parse(readFileSync(new URL('../test-data/lambda-model.json', import.meta.url), 'utf8')) as Record<
    string,
    Record<string, { readonly default?: unknown; readonly min?: number; readonly max?: number }>
  >
)['CreateEventSourceMapping'];
const streamFacts = Object.entries(facts ?? {}).filter(
  ([name, fact]) => fact.default !== undefined && !name.startsWith('ProvisionedPollerConfig'),
);

test.each(streamFacts)("%s of a stream mapping that does not name it is Lambda's default", async (name, fact) => {
  const member = `${name[0]?.toLowerCase()}${name.slice(1)}`;
  for (const arn of [KINESIS, TABLE]) {
    const mapping = await built(
      `${HEAD}mappings: { m: { EventSourceArn: "${arn}", FunctionName: orders, StartingPosition: LATEST } }\n`,
      'm',
    );
    expect(mapping).toMatchObject({ [member]: fact.default });
  }
});
