import { expect, test } from 'vitest';
import { errorsOf, loadGood, loadText, withMappings } from '../test-data/load-text.ts';

const STREAM = 'arn:aws:kinesis:eu-west-1:123456789012:stream/s';
const CONSUMER = `${STREAM}/consumer/c:1700000000`;
const TABLE = 'arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-01-01T00:00:00.000';
const mapping = (arn: string, more: string, name = 'm') =>
  `${name}: { EventSourceArn: "${arn}", FunctionName: orders, StartingPosition: LATEST${more === '' ? '' : `, ${more}`} }`;
const source = (arn: string) => withMappings(mapping(arn, ''));
const kinesis = (more: string) => withMappings(mapping(STREAM, more));
const consumer = (more: string) => withMappings(mapping(CONSUMER, more));
const table = (more: string) => withMappings(mapping(TABLE, more));
const failed = (destination: string, more = 'MaximumRetryAttempts: 3') =>
  kinesis(`${more === '' ? '' : `${more}, `}DestinationConfig: { OnFailure: { Destination: "${destination}" } }`);
const starting = (time: string) => kinesis('').replace('LATEST', `AT_TIMESTAMP, StartingPositionTimestamp: ${time}`);

/** Input, and what its one error has to say: place, what was expected, and what to do. */
const refused: readonly (readonly [name: string, text: string, expected: RegExp])[] = [
  [
    'a consumer that is to be polled',
    consumer('kinesis: { consumer: polling }'),
    /^6:\d+ mappings\.m\.kinesis\.consumer: EventSourceArn names a stream's consumer, which cannot be polled \[remove kinesis\.consumer/,
  ],
  [
    'enhanced fan-out without a consumer',
    kinesis('kinesis: { consumer: enhanced-fan-out }'),
    /m\.kinesis\.consumer: enhanced fan-out needs a consumer of the stream \[set kinesis\.registerConsumer: true/,
  ],
  [
    'enhanced fan-out that is not to register the consumer it lacks',
    kinesis('kinesis: { consumer: enhanced-fan-out, registerConsumer: false }'),
    /enhanced fan-out needs a consumer of the stream/,
  ],
  [
    'a consumer to be registered for polling',
    kinesis('kinesis: { registerConsumer: true }'),
    /m\.kinesis\.registerConsumer: registerConsumer goes with kinesis\.consumer: enhanced-fan-out.*\[add consumer: enhanced-fan-out/,
  ],
  [
    'a way of reading that there is none of',
    kinesis('kinesis: { consumer: fanout }'),
    /m\.kinesis\.consumer: expected one of polling, enhanced-fan-out; got "fanout"/,
  ],
  ['settings of Kinesis on a table', table('kinesis: { consumer: polling }'), /kinesis does not apply to DynamoDB \[it is for Kinesis/],
  ['settings of SQS on a stream', kinesis('sqs: { waitTime: 5s }'), /sqs does not apply to Kinesis/],
  [
    'pollers of a queue on a stream',
    table('ProvisionedPollerConfig: { MinimumPollers: 2 }'),
    /ProvisionedPollerConfig does not apply to DynamoDB/,
  ],
  [
    'a consumer without the time of its registration',
    source(`${STREAM}/consumer/c`),
    /part 6 of the ARN \(resource\) is "stream\/s\/consumer\/c"; expected stream\/NAME, or stream\/NAME\/consumer\/CONSUMER:TIME/,
  ],
  [
    'a table stream without its label',
    source('arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/'),
    /"table\/t\/stream\/"; the label of the stream is missing \[the label is the time .* LatestStreamArn/,
  ],
  ['an index of a table', source('arn:aws:dynamodb:eu-west-1:123456789012:table/t/index/i'), /expected table\/NAME\/stream\/LABEL/],
  [
    'a delivery stream',
    source('arn:aws:firehose:eu-west-1:123456789012:deliverystream/d'),
    /"firehose"; expected sqs, kinesis or dynamodb/,
  ],
  [
    'a time in milliseconds',
    starting('1790000000000'),
    /is in the future .*\[Lambda counts in seconds, and this looks like milliseconds\]/,
  ],
  ['a time for a table', table('StartingPositionTimestamp: 5'), /StartingPositionTimestamp does not apply to DynamoDB/],
  [
    'a starting position in lower case',
    kinesis('').replace('LATEST', 'latest'),
    /expected one of TRIM_HORIZON, LATEST, AT_TIMESTAMP.*did you mean "LATEST"/,
  ],
  [
    'what to do about lost checkpoints, misspelt',
    kinesis('onCheckpointLoss: LATEST'),
    /onCheckpointLoss: expected one of TRIM_HORIZON, stop/,
  ],
  ['what to do about a refusing destination, misspelt', kinesis('onDestinationFailure: keep'), /expected one of block, drop/],
  [
    'a FIFO topic as a destination',
    failed('arn:aws:sns:eu-west-1:123456789012:t.fifo'),
    /Destination: a FIFO topic cannot be a destination \[use a standard queue or topic/,
  ],
  [
    'a queue without region as a destination',
    failed('arn:aws:sqs:::failed'),
    /expected the ARN of a queue, got ".*" \[such as arn:aws:sqs:eu-west-1/,
  ],
  ['a subscription as a destination', failed('arn:aws:sns:eu-west-1:123456789012:t:1-2-3'), /expected the ARN of a topic/],
  [
    'a folder of a bucket as a destination',
    failed('arn:aws:s3:::bucket/failed'),
    /expected the ARN of a bucket, got .*\[such as arn:aws:s3:::name\]/,
  ],
  [
    'a function as a destination',
    failed('arn:aws:lambda:eu-west-1:123456789012:function:orders'),
    /part 3 of the ARN \(service\) is "lambda"; expected one of sqs, sns, s3/,
  ],
  ['a queue URL as a destination', failed('https://sqs.eu-west-1.amazonaws.com/123456789012/q'), /expected an ARN, got "https/],
  ['a topic of Kafka as a destination', failed('kafka://failed'), /wherry does not write to Kafka/],
  [
    'a place of the fleet without a name',
    failed('wherry://failed/'),
    /expected wherry:\/\/failed\/<name> \(for OnFailure\), got "wherry:\/\/failed\/"/,
  ],
  ['a place of the fleet that there is none of', failed('wherry://lost/clicks'), /expected wherry:\/\/failed\/<name>/],
  ['a name in the fleet with a slash', failed('wherry://failed/a/b'), /expected wherry:\/\/failed\/<name>/],
  [
    'a destination without an address',
    kinesis('DestinationConfig: { OnFailure: { Type: SQS } }'),
    /m\.DestinationConfig\.OnFailure\.Destination: missing field "Destination"/,
  ],
  [
    'a destination of another type than its ARN',
    kinesis('DestinationConfig: { OnFailure: { Type: SNS, Destination: "arn:aws:sqs:eu-west-1:123456789012:q" } }'),
    /OnFailure\.Type: Type is SNS, but Destination is of SQS/,
  ],
  [
    'a window over parallel batches',
    table('TumblingWindowInSeconds: 5, ParallelizationFactor: 2'),
    /exclude each other \[set ParallelizationFactor to 1/,
  ],
  ['a window of 901 s', table('TumblingWindowInSeconds: 901'), /expected an integer from 0 to 900, got 901/],
];

test.each(refused)('%s is refused at its place, alone', async (_name, text, expected) => {
  expect(await errorsOf(text)).toEqual([expect.stringMatching(expected)]);
});

/** Input that is fine, and says nothing. */
const accepted: readonly (readonly [name: string, text: string])[] = [
  ['a consumer', consumer('')],
  ['a consumer, said twice', consumer('kinesis: { consumer: enhanced-fan-out, registerConsumer: false }')],
  ['a consumer of its own', kinesis('kinesis: { consumer: enhanced-fan-out, registerConsumer: true }')],
  ['polling, said', kinesis('kinesis: { consumer: polling, registerConsumer: false }')],
  ['a window with one batch at a time', table('TumblingWindowInSeconds: 5, ParallelizationFactor: 1, FilterCriteria: { Filters: [] }')],
  ['a large batch without a batching window', kinesis('BatchSize: 10000')],
  ["the fleet's own store", failed('wherry://failed/clicks')],
  ['a queue of another region', failed('arn:aws:sqs:us-east-1:123456789012:failed')],
  ['a bucket', failed('arn:aws:s3:::my.failed-records')],
  ['a bucket for what got too old', failed('arn:aws:s3:::failed', 'MaximumRecordAgeInSeconds: 3600')],
  [
    'a stream and a destination at emulators of their own',
    `${failed('arn:aws:s3:::failed')}aws: { endpoints: { kinesis: "http://127.0.0.1:4567", s3: "http://127.0.0.1:4568" } }\n`,
  ],
  [
    'a stream at an endpoint of AWS',
    failed('arn:aws:s3:::failed', 'MaximumRetryAttempts: 3, aws: { endpoint: "https://kinesis.eu-west-1.amazonaws.com" }'),
  ],
  ['a destination that was cleared', failed('', '')],
  ['a stream for two functions', withMappings(`${mapping(STREAM, '', 'a')}\n${mapping(STREAM, '', 'b').replace('orders', 'other')}`)],
  ['a label of an emulator', source('arn:aws:dynamodb:ddblocal:000000000000:table/t/stream/2026-01-01T00:00:00.000')],
];

test.each(accepted)('%s is accepted without a word', async (_name, text) => {
  const result = await loadText(text);
  expect(result.ok ? result.warnings : result.problems).toEqual([]);
});

const readers = (count: number, arn: string) =>
  withMappings(
    Array.from({ length: count }, (_, index) => mapping(arn, '', `m${index}`).replace('orders', `f${index}`)).join('\n'),
  ).replace(
    'functions:',
    `functions:\n${Array.from({ length: count }, (_, index) => `  f${index}: { target: { http: { url: "http://127.0.0.1:9000" } } }`).join('\n')}`,
  );

/** What is unwise without being wrong. */
const warned: readonly (readonly [name: string, text: string, severity: 'warning' | 'notice', code: string, message: RegExp])[] = [
  [
    'a destination for what is never given up',
    failed('arn:aws:s3:::failed', ''),
    'warning',
    'never-given-up',
    /nothing ever goes to this destination/,
  ],
  [
    'a destination queue that feeds the same function',
    failed('arn:aws:sqs:eu-west-1:123456789012:q').replace(
      /\n$/,
      '\n  q: { EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:q", FunctionName: orders }\n',
    ),
    'warning',
    'destination-loop',
    /mapping "q" feeds this queue to the same function: it would get failure records/,
  ],
  ['a consumer that is registered already', consumer('kinesis: { registerConsumer: true }'), 'warning', 'no-effect', /names a consumer/],
  ['two mappings with one consumer', readers(2, CONSUMER), 'warning', 'shared-consumer', /mapping "m0" reads by the same consumer/],
  ['three mappings of one table', readers(3, TABLE), 'notice', 'many-readers', /^3 mappings poll each shard .* two readers/],
  ['six mappings of one stream', readers(6, STREAM), 'notice', 'many-readers', /^6 mappings poll each shard .* five reads a second/],
  ['an age that DynamoDB keeps no record for', table('MaximumRecordAgeInSeconds: 86401'), 'notice', 'beyond-retention', /24 hours/],
  [
    'a stream at an emulator whose failures go to AWS',
    failed('arn:aws:s3:::failed', 'MaximumRetryAttempts: 3, aws: { endpoint: "http://127.0.0.1:4567" }'),
    'warning',
    'destination-at-aws',
    /the stream is at http:\/\/127\.0\.0\.1:4567, but what is given up would go to AWS itself/,
  ],
  [
    'a service at an emulator, and failures that go to AWS',
    `${failed('arn:aws:sqs:eu-west-1:123456789012:q')}aws: { endpoints: { kinesis: "http://127.0.0.1:4567" } }\n`,
    'warning',
    'destination-at-aws',
    /would go to AWS itself/,
  ],
  ['blocking without a destination', kinesis('onDestinationFailure: block'), 'notice', 'no-effect', /without DestinationConfig\.OnFailure/],
  [
    'a buffer smaller than a page of Kinesis',
    `${kinesis('')}limits: { bufferedBytes: 64MiB }\n`,
    'warning',
    'small-buffer',
    /one read of a Kinesis shard may take 112MiB/,
  ],
];

test.each(warned)('%s is worth a word', async (_name, text, severity, code, message) => {
  const { warnings } = await loadGood(text);
  expect(warnings).toMatchObject([{ severity, code, message: expect.stringMatching(message) }]);
});

test.each([
  ['five mappings of one stream', readers(5, STREAM)],
  ['two mappings of one table', readers(2, TABLE)],
  ['a third mapping that is switched off', readers(3, TABLE).replace('FunctionName: f2', 'Enabled: false, FunctionName: f2')],
])('%s share it well', async (_name, text) => {
  expect((await loadGood(text)).warnings).toEqual([]);
});
