import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadGood, loadText, withMappings } from '../test-data/load-text.ts';
import { explain } from './explain.ts';
import { formatSize, parseSize } from './quantity.ts';
import { formatProblems } from './format.ts';
import { fieldNames, jsonSchema } from './json-schema.ts';
import { printConfig } from './print.ts';

const reference = readFileSync(new URL('../test-data/reference.yaml', import.meta.url), 'utf8');
const env = {
  ADMIN_TOKEN: 'admin-hunter2',
  HOOK_KEY: 'hook-hunter2',
  API_SECRET: 'api-hunter2',
  EVENT_KEY: 'event-hunter2',
  REDIS_PASSWORD: 'redis-hunter2',
};
const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:orders';

test('config print shows the effective configuration without secrets', async () => {
  const text = printConfig(
    await loadGood(reference.replace('rediss://redis.internal', 'rediss://user:url-hunter2@redis.internal'), { env }),
  );
  expect(text).not.toContain('hunter2');
  expect(parse(text)).toMatchObject({
    fleet: { accountId: '012345678901' },
    redis: { url: 'rediss://user:***@redis.internal:6379', password: '***' },
    api: { auth: { sigv4: { keys: { AKIAFLEETEXAMPLE: '***', AKIAOTHER: { secret: '***', functions: ['orders'] } } } } },
    functions: { hook: { target: { http: { headers: { 'x-api-key': '***' }, hmac: { secret: '***', header: 'X-Signature' } } } } },
    mappings: {
      'orders-Intake': { EventSourceArn: QUEUE, FunctionName: 'orders', BatchSize: 10, MaximumBatchingWindowInSeconds: 0, Enabled: true },
      clicks: { ParallelizationFactor: 2, MaximumRetryAttempts: 5, onDestinationFailure: 'block' },
    },
    shutdown: { grace: '110s' },
  });
});

test('config print shows what Lambda assumes of a stream, and is itself valid without a word', async () => {
  const stream = 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks';
  const before = await loadGood(withMappings(`m: { EventSourceArn: "${stream}", FunctionName: orders, StartingPosition: LATEST }`));
  const text = printConfig(before);
  const shown = parse(text) as { mappings: { m: object } };
  expect(shown.mappings.m).toEqual({
    EventSourceArn: stream,
    FunctionName: 'orders',
    StartingPosition: 'LATEST',
    Enabled: true,
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 0,
    ParallelizationFactor: 1,
    BisectBatchOnFunctionError: false,
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    TumblingWindowInSeconds: 0,
    onCheckpointLoss: 'TRIM_HORIZON',
  });
  const after = await loadGood(text);
  expect(after.config.mappings).toEqual(before.config.mappings);
  expect(after.warnings).toEqual([]);
});

test('what config print shows is itself valid and means the same', async () => {
  const before = await loadGood(reference.replaceAll(/password:.*|externalId: x-1,/g, ''), { env });
  const after = await loadText(printConfig(before), { env });
  expect(after.ok && after.config.mappings).toEqual(before.config.mappings);
});

test('--origin names the file and line of each value', async () => {
  const text = printConfig(
    await loadGood(`${withMappings(`m: { EventSourceArn: "${QUEUE}", FunctionName: orders }`)}include: [more.yaml]\n`, {
      files: { 'more.yaml': `mappings:\n  n:\n    EventSourceArn: ${QUEUE}\n    FunctionName: other\n` },
    }),
    { origin: true },
  );
  const origin = (line: RegExp) =>
    text
      .split('\n')
      .find((shown) => line.test(shown))
      ?.replace(/^.*# (?:.*\/)?/, '');
  expect(origin(/^version: 1/)).toBe('wherry.yaml:1');
  expect(origin(/^ {2}m:/)).toBe('wherry.yaml:6');
  expect(origin(/FunctionName: other/)).toBe('more.yaml:4');
  expect(origin(/grace: 110s/)).toBe('default');
  expect(text.split('\n').filter((line) => line !== '' && !line.includes('  # '))).toEqual([]);
});

/** A path, and lines of its explanation. */
test.each([
  [256 * 1024 ** 2, '256MiB'],
  [1024 ** 3, '1GiB'],
  [1536, '1536B'],
  [3 * 1024, '3KiB'],
  [0, '0B'],
])('%i bytes are printed as %s, which reads back', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
  expect(parseSize(text)).toBe(bytes);
});

test('a default in bytes is printed in the unit a person would write', async () => {
  expect(printConfig(await loadGood('version: 1\n'))).toContain('bufferedBytes: 256MiB\n');
});

const explained: readonly (readonly [path: string, lines: readonly string[]])[] = [
  ['mappings.BatchSize', ['FIELD: mappings.BatchSize <integer>', 'DEFAULT: 10 for SQS, 100 for streams', 'LIMITS: 1 to 10000']],
  ['mappings.*.BatchSize', ['FIELD: mappings.BatchSize <integer>']],
  ['mappings.orders-queue.BatchSize', ['FIELD: mappings.BatchSize <integer>']],
  ['functions.orders.target.rie.concurrency', ['FIELD: functions.target.rie.concurrency <integer>', 'DEFAULT: 1']],
  ['leases.ttl', ['DEFAULT: 10s']],
  ['mappings.StartingPosition', ['ONE OF: TRIM_HORIZON, LATEST, AT_TIMESTAMP']],
  ['redis', ['FIELD: redis <map>', 'FIELDS:']],
  ['', ['FIELD: wherry.yaml <map>']],
];

test.each(explained)('explain %s', (path, lines) => {
  const result = explain(path);
  expect(result).toMatchObject({ ok: true });
  expect(result.ok && result.text.split('\n')).toEqual(expect.arrayContaining([...lines]));
});

test.each([
  ['BatchSize', 'FIELD: mappings.BatchSize <integer>'],
  ['batchsize', 'FIELD: mappings.BatchSize <integer>'],
  ['hmac.secret', 'FIELD: functions.target.http.hmac.secret <string>'],
])('explain finds a field by the end of its path: %s', (path, line) => {
  expect(explain(path)).toMatchObject({ ok: true, text: expect.stringContaining(line) });
});

test('explain lists all fields of a name, and offers the only one that is near', () => {
  expect(explain('MaximumRetryAttempts')).toEqual({
    ok: false,
    message: expect.stringMatching(
      /^several fields are called MaximumRetryAttempts:\n {2}functions\.EventInvokeConfig\.MaximumRetryAttempts\n {2}mappings\.MaximumRetryAttempts$/,
    ),
  });
  expect(explain('BatchSiz')).toMatchObject({ ok: false, suggestion: 'mappings.BatchSize' });
  expect(explain('nothing')).toMatchObject({ ok: false, message: expect.stringContaining('it has $schema, version, fleet') });
});

test('explain offers the field that was meant', () => {
  expect(explain('mappings.Batchsize')).toMatchObject({ ok: false, suggestion: 'mappings.BatchSize' });
  expect(explain('lease.ttl')).toMatchObject({ ok: false, suggestion: 'leases' });
  expect(explain('version.major')).toMatchObject({ ok: false });
});

test('the schema for editors is draft-07, takes $schema and all three spellings of a mapping', () => {
  const schema = jsonSchema();
  expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
  expect(schema.required).toEqual(['version']);
  expect(schema.additionalProperties).toBe(false);
  expect(fieldNames(schema)).toContain('$schema');
  const mapping = schema.properties?.['mappings']?.additionalProperties;
  expect(mapping).toMatchObject({
    anyOf: [
      { required: ['EventSourceArn', 'FunctionName'], properties: { BatchSize: { minimum: 1, maximum: 10_000 } } },
      { required: ['Type', 'Properties'], properties: { Type: { const: 'AWS::Lambda::EventSourceMapping' } } },
      {
        required: ['Type', 'Properties'],
        properties: { Type: { enum: ['SQS', 'Kinesis', 'DynamoDB'] }, FunctionName: { maxLength: 256 } },
      },
    ],
  });
  expect(schema.properties?.['functions']?.additionalProperties).toMatchObject({
    properties: { Events: { additionalProperties: { properties: { Properties: { properties: { Queue: {}, Stream: {} } } } } } },
  });
  expect(JSON.stringify(schema)).not.toContain('wherryDefault');
  // Values that are only known after interpolation are not marked by editors.
  expect(schema.properties?.['shutdown']?.properties?.['grace']?.pattern).toMatch(/\|\\\$\\\{$/);
  expect(schema.properties?.['limits']?.properties?.['inFlight']).toMatchObject({
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 100_000,
  });
});

test('no message repeats a secret, wherever it came from', async () => {
  const text =
    'version: 1\nfunctions: { f: { target: { http: { url: "http://f", headers: { x-api-key: "${KEY}" }, hmac: { secret: literal-hunter2, nothing: 1 } } } } }\n';
  const result = await loadText(text, { env: { KEY: 'env-hunter2\n' } });
  const errors = result.ok ? [] : result.problems.filter((problem) => problem.severity === 'error');
  expect(errors.map((problem) => problem.message)).toEqual([
    'expected a header value without line breaks, got a value that is kept secret',
    'unknown field "nothing"',
  ]);
  expect(JSON.stringify(result)).not.toContain('hunter2');
});

test.each([
  ['a token where its map belongs', 'functions: { f: { target: { http: { url: "http://f", bearer: "${KEY}" } } } }'],
  ['a token where its list belongs', 'admin: { auth: hunter2 }'],
  ['a password in the URL of a target', 'functions: { f: { target: { http: { url: "http://user:hunter2@f/" } } } }'],
  ['a URL that is none', 'functions: { f: { target: { http: { url: "f?sig=${KEY}" } } } }'],
  ['a URL with a secret beside another mistake', 'functions: { f: { target: { http: { url: "http://f/?code=hunter2", nothing: 1 } } } }'],
])('no error repeats %s', async (_name, text) => {
  const result = await loadText(`version: 1\n${text}\n`, { env: { KEY: 'hunter2' } });
  expect(result.ok).toBe(false);
  expect(formatProblems(result.ok ? [] : result.problems, 'text', 'wherry.yaml')).not.toContain('hunter2');
});

test('config print stars the secret parameters of a URL', async () => {
  const url = 'https://f/e?version=2&access_token=hunter2&sig=hunter2#x';
  const loaded = await loadGood(`version: 1\nfunctions: { f: { target: { http: { url: "${url}" } } } }\n`);
  expect(printConfig(loaded)).toContain('url: https://f/e?version=2&access_token=***&sig=***#x');
});
