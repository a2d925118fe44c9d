import { visibilityProblem } from '@wherry/core/visibility';
import { expect, test } from 'vitest';
import { mappingUuid } from './identity.ts';
import { loadGood, loadText, withMappings } from '../test-data/load-text.ts';

const QUEUE = 'EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:orders"';
const FIFO = 'EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:orders.fifo"';
const KINESIS_ARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks';
const KINESIS = `EventSourceArn: "${KINESIS_ARN}", StartingPosition: LATEST`;
const TABLE_ARN = 'arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-01-01T00:00:00.000';
const TABLE = `EventSourceArn: "${TABLE_ARN}", StartingPosition: LATEST`;

/** Mappings in flow style, one per text, each of the function `orders` unless it says otherwise. */
function file(...mappings: string[]): string {
  const lines = mappings.map((fields, index) => {
    const fn = fields.includes('FunctionName') ? '' : 'FunctionName: orders, ';
    return `m${index}: { ${fn}${fields} }`;
  });
  return withMappings(lines.join('\n'));
}

/** Lambda's texts for what is wrong with the mappings, by place; our own message where Lambda's is not known. */
async function refusals(...mappings: string[]): Promise<string[]> {
  const result = await loadText(file(...mappings));
  return result.ok ? [] : result.problems.filter((p) => p.severity === 'error').map((p) => p.awsMessage ?? p.message);
}

const validation = (value: string, member: string, rule: string) =>
  `1 validation error detected: Value ${value} at '${member}' failed to satisfy constraint: ${rule}`;
const FILTER_TEXT = 'Invalid filter pattern definition.';
const POLLERS = 'MinimumPollers should be between [2, 200] and MaximumPollers should be between [MinimumPollers, 10000]';
const filter = (pattern: string) => `${QUEUE}, FilterCriteria: { Filters: [{ Pattern: ${pattern} }] }`;

test('CFG-01 a queue with nothing else: BatchSize 10, window 0, enabled', async () => {
  const { config } = await loadGood(file(QUEUE));
  expect(config.mappings.get('m0')).toMatchObject({
    source: 'sqs',
    batchSize: 10,
    maximumBatchingWindowInSeconds: 0,
    enabled: true,
    fifo: false,
    reportBatchItemFailures: false,
    waitTimeSeconds: 20,
    extendVisibility: true,
    filterPatterns: [],
  });
});

test('CFG-02 a Kinesis stream from LATEST with nothing else has every default of Lambda', async () => {
  const { config } = await loadGood(file(KINESIS));
  expect(config.mappings.get('m0')).toMatchObject({
    source: 'kinesis',
    enabled: true,
    batchSize: 100,
    maximumBatchingWindowInSeconds: 0,
    startingPosition: { kind: 'LATEST' },
    parallelizationFactor: 1,
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: -1,
    bisectBatchOnFunctionError: false,
    tumblingWindowInSeconds: 0,
    reportBatchItemFailures: false,
    filterPatterns: [],
  });
});

/** Case, mapping, and Lambda's refusals; none where it is accepted. */
const cases: readonly (readonly [id: string, mapping: string, refusals: readonly string[]])[] = [
  [
    'CFG-03',
    `${QUEUE}, BatchSize: 11`,
    ['Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10'],
  ],
  ['CFG-04', `${QUEUE}, BatchSize: 11, MaximumBatchingWindowInSeconds: 1`, []],
  ['CFG-04', `${QUEUE}, BatchSize: 10000, MaximumBatchingWindowInSeconds: 1`, []],
  ['CFG-05', `${FIFO}, MaximumBatchingWindowInSeconds: 1`, ['Batching window is not supported for FIFO queues']],
  ['CFG-05', `${FIFO}, BatchSize: 11`, ['Batch size must not exceed 10 for FIFO queues']],
  [
    'CFG-05',
    `${FIFO}, BatchSize: 11, MaximumBatchingWindowInSeconds: 1`,
    ['Batch size must not exceed 10 for FIFO queues', 'Batching window is not supported for FIFO queues'],
  ],
  ['CFG-06', `EventSourceArn: "${KINESIS_ARN}"`, [validation('null', 'startingPosition', 'Member must not be null.')]],
  [
    'CFG-06',
    `EventSourceArn: "${KINESIS_ARN}", StartingPosition: invalid`,
    [validation("'invalid'", 'startingPosition', 'Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]')],
  ],
  [
    'CFG-07',
    `EventSourceArn: "${TABLE_ARN}", StartingPosition: AT_TIMESTAMP`,
    [`Unsupported starting position for arn type: ${TABLE_ARN}`],
  ],
  ['CFG-08', `${TABLE}, BatchSize: 101, MaximumBatchingWindowInSeconds: 0`, []],
  ['CFG-08', `${KINESIS}, BatchSize: 10000`, []],
  ...[0, 59].map((age): [string, string, string[]] => [
    'CFG-09',
    `${KINESIS}, MaximumRecordAgeInSeconds: ${age}`,
    [validation(`'${age}'`, 'maximumRecordAgeInSeconds', 'Member must have value greater than or equal to 60')],
  ]),
  ...[60, -1, 604_800].map((age): [string, string, string[]] => ['CFG-09', `${KINESIS}, MaximumRecordAgeInSeconds: ${age}`, []]),
  [
    'CFG-09',
    `${KINESIS}, MaximumRecordAgeInSeconds: 604801`,
    [validation("'604801'", 'maximumRecordAgeInSeconds', 'Member must have value less than or equal to 604800')],
  ],
  [
    'CFG-10',
    `${KINESIS}, MaximumRetryAttempts: -2`,
    [validation("'-2'", 'maximumRetryAttempts', 'Member must have value greater than or equal to -1')],
  ],
  ...[-1, 0, 10_000].map((retries): [string, string, string[]] => ['CFG-10', `${KINESIS}, MaximumRetryAttempts: ${retries}`, []]),
  [
    'CFG-10',
    `${KINESIS}, MaximumRetryAttempts: 10001`,
    [validation("'10001'", 'maximumRetryAttempts', 'Member must have value less than or equal to 10000')],
  ],
  ...[1, 2, 1000].map((most): [string, string, string[]] => ['CFG-11', `${QUEUE}, ScalingConfig: { MaximumConcurrency: ${most} }`, []]),
  [
    'CFG-11',
    `${QUEUE}, ScalingConfig: { MaximumConcurrency: 1001 }`,
    [validation("'1001'", 'scalingConfig.maximumConcurrency', 'Member must have value less than or equal to 1000')],
  ],
  ['CFG-12', `${QUEUE}, BisectBatchOnFunctionError: true`, ['BisectBatchOnFunctionError does not apply to SQS']],
  ['CFG-12', `${QUEUE}, ParallelizationFactor: 2`, ['ParallelizationFactor does not apply to SQS']],
  ['CFG-12', `${QUEUE}, DestinationConfig: { OnFailure: { Destination: "arn:aws:s3:::b" } }`, ['DestinationConfig does not apply to SQS']],
  ['CFG-12', `${KINESIS}, ScalingConfig: { MaximumConcurrency: 5 }`, ['ScalingConfig does not apply to Kinesis']],
  [
    'CFG-13',
    `${KINESIS}, TumblingWindowInSeconds: 10, ParallelizationFactor: 2`,
    ['TumblingWindowInSeconds and a ParallelizationFactor above 1 exclude each other'],
  ],
  [
    'CFG-13',
    `${TABLE}, TumblingWindowInSeconds: 10, FilterCriteria: { Filters: [{ Pattern: { eventName: [INSERT] } }] }`,
    ['TumblingWindowInSeconds and FilterCriteria exclude each other'],
  ],
  ['CFG-13', `${TABLE}, TumblingWindowInSeconds: 10, FilterCriteria: { Filters: [] }`, []],
  ['CFG-13', `${TABLE}, TumblingWindowInSeconds: 10, FilterCriteria: {}`, []],
  [
    'CFG-14',
    `${QUEUE}, ProvisionedPollerConfig: { MinimumPollers: 2 }, ScalingConfig: { MaximumConcurrency: 5 }`,
    [
      'Provisioned mode for SQS ESM does not support maximum concurrency feature. Use MaximumPollers as the control mechanism and remove maximum concurrency.',
    ],
  ],
  ['CFG-14', `${QUEUE}, ProvisionedPollerConfig: { MinimumPollers: 1 }`, [POLLERS]],
  ['CFG-14', `${QUEUE}, ProvisionedPollerConfig: { MinimumPollers: 5, MaximumPollers: 4 }`, [POLLERS]],
  [
    'CFG-14',
    `${QUEUE}, ProvisionedPollerConfig: {}`,
    ['Either MinimumPollers or MaximumPollers are required if ProvisionedPollerConfig is provided.'],
  ],
  ['CFG-14', `${QUEUE}, ProvisionedPollerConfig: { MaximumPollers: 300 }, ScalingConfig: {}`, []],
  ['CFG-16', filter('null'), [FILTER_TEXT]],
  ['CFG-16', filter('simple string'), [FILTER_TEXT]],
  ['CFG-16', filter(`'{"eventSource":"aws:sqs"}'`), [FILTER_TEXT]],
  ['CFG-16', filter(`'{"eventSource":[]}'`), [FILTER_TEXT]],
  ['CFG-16', filter(`'{"eventSource":["aws:sqs"'`), [FILTER_TEXT]],
  ['CFG-16', filter(`'{"body":[{"Prefix":"a"}]}'`), [FILTER_TEXT]],
  ['CFG-16', filter(`'{"body":[{"numeric":["<","5"]}]}'`), [FILTER_TEXT]],
  ['CFG-16', filter('{ eventSource: ["aws:sqs"] }'), []],
  ['CFG-16', filter('{ body: [plain text] }'), []],
  ['CFG-16', `${KINESIS}, FilterCriteria: { Filters: [{ Pattern: { data: [plain text] } }] }`, [FILTER_TEXT]],
  ['CFG-16', `${KINESIS}, FilterCriteria: { Filters: [{ Pattern: '{"data":{"kind":["new"]}}' }] }`, []],
  [
    'CFG-17',
    `${QUEUE}, FilterCriteria: { Filters: [${Array.from({ length: 6 }, () => '{ Pattern: { a: [1] } }').join(', ')}] }`,
    ['expected at most 5 filters, got 6'],
  ],
  [
    'CFG-17',
    `${TABLE}, FilterCriteria: { Filters: [${Array.from({ length: 6 }, () => '{ Pattern: { a: [1] } }').join(', ')}] }`,
    ['expected at most 5 filters, got 6'],
  ],
  ['CFG-17', filter(`'{"a":["${'x'.repeat(4097 - 10)}"]}'`), [FILTER_TEXT]],
  ['CFG-17', filter(`'{"a":["${'x'.repeat(4096 - 10)}"]}'`), []],
  [
    'CFG-19',
    `${KINESIS}, DestinationConfig: { OnFailure: { Destination: "arn:aws:sqs:eu-west-1:123456789012:failed.fifo" } }`,
    ['a FIFO queue cannot be a destination'],
  ],
  [
    'CFG-19',
    `${KINESIS}, DestinationConfig: { OnSuccess: { Destination: "arn:aws:sqs:eu-west-1:123456789012:done" } }`,
    ['Unsupported DestinationConfig parameter for given event source mapping type.'],
  ],
  [
    'CFG-19',
    `${TABLE}, DestinationConfig: { OnFailure: { Destination: "arn:aws:sns:eu-west-1:123456789012:failed.fifo" } }`,
    ['a FIFO topic cannot be a destination'],
  ],
  ['CFG-19', `${KINESIS}, DestinationConfig: { OnFailure: { Destination: "" } }`, []],
];

test.each(cases.map(([id, mapping, expected]) => ({ name: `${id} ${mapping.slice(0, 200)}`, mapping, expected })))(
  '$name',
  async ({ mapping, expected }) => {
    expect(await refusals(mapping)).toEqual(expected);
  },
);

test('CFG-11 MaximumConcurrency 1 is accepted, and a notice tells that Lambda would not', async () => {
  const { config, warnings } = await loadGood(file(`${QUEUE}, ScalingConfig: { MaximumConcurrency: 1 }`));
  expect(config.mappings.get('m0')).toMatchObject({ maximumConcurrency: 1 });
  expect(warnings).toMatchObject([{ severity: 'notice', code: 'beyond-lambda', path: 'mappings.m0.ScalingConfig.MaximumConcurrency' }]);
});

test('CFG-15 the same source and function twice is refused in the words of the service', async () => {
  const update = ` Please update or delete the existing mapping with UUID ${mappingUuid('default', 'm0')}`;
  expect(await refusals(QUEUE, QUEUE)).toEqual([
    'An event source mapping with SQS arn (" arn:aws:sqs:eu-west-1:123456789012:orders ") and function (" orders ") already exists.' +
      update,
  ]);
  expect(await refusals(KINESIS, KINESIS)).toEqual([
    `The event source arn (" ${KINESIS_ARN} ") and function (" orders ") provided mapping already exists.${update}`,
  ]);
});

test('CFG-15 a function and its alias may read the same queue or stream, and so may two functions', async () => {
  expect(await refusals(QUEUE, `${QUEUE}, FunctionName: "orders:PROD"`, `${QUEUE}, FunctionName: other`)).toEqual([]);
  expect(await refusals(QUEUE, `${QUEUE}, FunctionName: "orders:$LATEST"`)).toHaveLength(1);
  for (const stream of [KINESIS, TABLE]) {
    expect(await refusals(stream, `${stream}, FunctionName: "orders:PROD"`, `${stream}, FunctionName: other`)).toEqual([]);
    expect(await refusals(stream, `${stream}, FunctionName: "orders:$LATEST"`)).toHaveLength(1);
  }
});

test('CFG-18 a queue whose visibility is shorter than the function may take', () => {
  expect(visibilityProblem(30, 60)).toBe('Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds');
  expect(visibilityProblem(60, 60)).toBeUndefined();
});
