import { expect, test } from 'vitest';
import { errorsOf, loadGood, loadText, withMappings } from '../test-data/load-text.ts';
import { mappingUuid } from './identity.ts';
import type { LoadedConfig } from './load.ts';

const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:orders';
const FUNCTIONS = 'version: 1\nfunctions:\n  orders:\n    target: { http: { url: "http://127.0.0.1:9000" } }\n';

/** One mapping in each of its spellings; all mean the same. */
const spellings: readonly (readonly [name: string, text: string, mapping: string])[] = [
  ['plain', `${FUNCTIONS}mappings:\n  m: { EventSourceArn: "${QUEUE}", FunctionName: orders, BatchSize: 5 }\n`, 'm'],
  [
    'plain with SAM’s Type',
    `${FUNCTIONS}mappings:\n  m: { Type: SQS, EventSourceArn: "${QUEUE}", FunctionName: orders, BatchSize: 5 }\n`,
    'm',
  ],
  [
    'a CloudFormation resource',
    `${FUNCTIONS}mappings:\n  m:\n    Type: AWS::Lambda::EventSourceMapping\n    Properties: { EventSourceArn: "${QUEUE}", FunctionName: orders, BatchSize: 5 }\n`,
    'm',
  ],
  [
    'a CloudFormation resource in JSON with references',
    `${FUNCTIONS}resources: { Q: "${QUEUE}" }\nmappings: {"m":{"Type":"AWS::Lambda::EventSourceMapping","Properties":{"EventSourceArn":{"Fn::GetAtt":["Q","Arn"]},"FunctionName":{"Ref":"orders"},"BatchSize":5}}}\n`,
    'm',
  ],
  [
    'a SAM event',
    `${FUNCTIONS}mappings:\n  m:\n    Type: SQS\n    FunctionName: orders\n    Properties: { Queue: "${QUEUE}", BatchSize: 5 }\n`,
    'm',
  ],
  [
    'an Events block',
    `${FUNCTIONS}    Events:\n      In:\n        Type: SQS\n        Properties: { Queue: "${QUEUE}", BatchSize: 5 }\n`,
    'orders-In',
  ],
  [
    'an Events block with !Sub',
    `${FUNCTIONS}    Events:\n      In:\n        Type: SQS\n        Properties: { Queue: !Sub "arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:orders", BatchSize: 5 }\naws: { region: eu-west-1 }\nfleet: { accountId: "123456789012" }\n`,
    'orders-In',
  ],
];

test.each(spellings)('a mapping may be written as %s', async (_name, text, mapping) => {
  const { config } = await loadGood(text);
  expect(config.mappings.get(mapping)).toMatchObject({
    name: mapping,
    eventSourceArn: QUEUE,
    functionName: 'orders',
    batchSize: 5,
    source: 'sqs',
  });
});

test('errors in a pasted snippet carry the path and the names of the snippet', async () => {
  const text = `${FUNCTIONS}    Events:\n      In:\n        Type: SQS\n        Properties: { Quue: "${QUEUE}", BatchSize: 0 }\n      Out:\n        Type: Kinesis\n        Properties: {}\n`;
  expect(await errorsOf(text)).toEqual([
    '8:23 functions.orders.Events.In.Properties.Quue: unknown field "Quue" [did you mean "Queue"?]',
    `8:85 functions.orders.Events.In.Properties.BatchSize: expected an integer from 1 to 10000, got 0`,
    '11:9 functions.orders.Events.Out.Properties.Stream: missing field "Stream"',
  ]);
});

test('attributes of a stack are passed over with a notice, settings of our own join the mapping', async () => {
  const resource = `Type: AWS::Lambda::EventSourceMapping, DependsOn: Q, labels: { tier: gold }, Properties: { EventSourceArn: "${QUEUE}", FunctionName: orders }`;
  const { config, warnings } = await loadGood(withMappings(`m: { ${resource} }`));
  expect(config.mappings.get('m')?.labels).toEqual({ tier: 'gold' });
  expect(warnings).toMatchObject([{ severity: 'notice', path: 'mappings.m.DependsOn' }]);
});

test('included files add functions and mappings, relative to the file that names them', async () => {
  const { config, files } = await loadGood(`${FUNCTIONS}include: [conf.d/*.yaml, more.yaml]\n`, {
    files: {
      'conf.d/b.yaml': `mappings: { b: { EventSourceArn: "${QUEUE}", FunctionName: orders } }\n`,
      'conf.d/a.yaml': 'functions: { extra: { target: { http: { url: "http://${HOST}" } } } }\n',
      'more.yaml': `version: 1\nmappings: { c: { EventSourceArn: "${QUEUE}", FunctionName: extra } }\n`,
    },
    env: { HOST: 'extra' },
  });
  expect([...config.functions.keys()]).toEqual(['orders', 'extra']);
  expect([...config.mappings.keys()]).toEqual(['b', 'c']);
  expect(files.map((file) => file.split('/').at(-1))).toEqual(['wherry.yaml', 'a.yaml', 'b.yaml', 'more.yaml']);
});

test('a name in two files is an error that shows both places', async () => {
  const text = `${FUNCTIONS}include: [a.yaml]\nmappings:\n  m: { EventSourceArn: "${QUEUE}", FunctionName: orders }\n`;
  const result = await loadText(text, { files: { 'a.yaml': 'mappings:\n  m: {}\n' } });
  expect(result).toMatchObject({
    ok: false,
    problems: [{ file: 'a.yaml', line: 2, column: 3, message: 'mapping "m" is defined twice', help: 'first at wherry.yaml:7:3' }],
  });
});

test('an included file holds nothing else, and a named one has to be there', async () => {
  const result = await loadText(`${FUNCTIONS}include: [a.yaml, no.yaml, none/*.yaml]\n`, {
    files: { 'a.yaml': 'redis: { url: "redis://r" }\n' },
  });
  expect(!result.ok && result.problems.filter((p) => p.severity === 'error')).toMatchObject([
    { file: 'wherry.yaml', message: 'cannot read no.yaml: no such file (ENOENT)', path: 'include[1]' },
    { file: 'a.yaml', message: '"redis" cannot stand in an included file' },
  ]);
});

async function mappingsOf(mapping: string, more = ''): Promise<LoadedConfig['config']['mappings']> {
  const { config } = await loadGood(`${withMappings(mapping)}${more}`);
  return config.mappings;
}

async function hash(text: string, included: string, env: Record<string, string>): Promise<string> {
  const result = await loadText(text, { files: { 'a.yaml': included }, env });
  return result.hash;
}

test('the UUID of a mapping depends on fleet and name alone, and renamedFrom keeps it', async () => {
  const uuid = mappingUuid('default', 'm');
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(mappingUuid('other', 'm')).not.toBe(uuid);
  expect((await mappingsOf(`m: { EventSourceArn: "${QUEUE}", FunctionName: orders }`)).get('m')?.uuid).toBe(uuid);
  const renamed = `n: { EventSourceArn: "${QUEUE}", FunctionName: orders, renamedFrom: m }`;
  expect((await mappingsOf(renamed)).get('n')?.uuid).toBe(uuid);
  expect((await mappingsOf(renamed, 'fleet: { id: other }\n')).get('n')?.uuid).toBe(mappingUuid('other', 'm'));
  const moved = await loadGood(`${withMappings(renamed)}fleet: { id: other }\n`, { runningFleetId: 'default' });
  expect(moved.config.mappings.get('n')?.uuid).toBe(uuid);
  const both = `m: { EventSourceArn: "${QUEUE}", FunctionName: other }\n${renamed}`;
  expect(await errorsOf(withMappings(both))).toEqual([expect.stringContaining('mapping "m" still exists')]);
});

test('the hash covers every file and every value that was used, and nothing else', async () => {
  const text = `${FUNCTIONS.replace('9000', '${PORT:-9000}')}include: [a.yaml]\n`;
  const first = await hash(text, 'mappings: {}', {});
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(await hash(text, 'mappings: {}', { OTHER: '1' })).toBe(first);
  expect(await hash(text, 'mappings: {}', { PORT: '9001' })).not.toBe(first);
  expect(await hash(text, 'mappings: {} #', {})).not.toBe(first);
  expect(await hash(`${text}#`, 'mappings: {}', {})).not.toBe(first);
  // A faulty file has a hash too, so that a reload need not report it twice.
  expect((await loadText('version: 2\n')).hash).toMatch(/^[0-9a-f]{64}$/);
});

test('settings of AWS calls come from the mapping, then the service, then the global block', async () => {
  const aws = 'aws: { region: us-east-1, endpoint: "http://all:1", endpoints: { sqs: "http://sqs:1" }, maxAttempts: 2 }\n';
  const { config } = await loadGood(
    `${withMappings(`a: { EventSourceArn: "${QUEUE}", FunctionName: orders }\nb: { EventSourceArn: "${QUEUE}", FunctionName: other, aws: { endpoint: "http://own:1", maxAttempts: 3 } }`)}${aws}`,
  );
  expect(config.mappings.get('a')?.aws).toEqual({ region: 'eu-west-1', endpoint: 'http://sqs:1', maxAttempts: 2 });
  expect(config.mappings.get('b')?.aws).toEqual({ region: 'eu-west-1', endpoint: 'http://own:1', maxAttempts: 3 });
});

test.each(['us-gov-west-1', 'ap-southeast-7', 'us-isob-east-1', 'eusc-de-east-1', 'elasticmq', 'ddblocal', 'us-east-1a'])(
  'a queue may be in the region %s, which AWS or an emulator has',
  async (region) => {
    const arn = `arn:aws:sqs:${region}:123456789012:orders`;
    const { config } = await loadGood(
      `${withMappings(`a: { EventSourceArn: "${arn}", FunctionName: orders }`)}fleet: { region: ${region} }\n`,
    );
    expect([config.mappings.get('a')?.aws.region, config.fleet.region]).toEqual([region, region]);
  },
);

test.each([
  ['the service of its own', 'endpoint: "http://all:1", endpoints: { sts: "http://sts:1" }', 'http://sts:1'],
  ['the one endpoint of all services', 'endpoint: "http://all:1", endpoints: { sqs: "http://sqs:1" }', 'http://all:1'],
  ['the region’s own where only another service has an endpoint', 'endpoints: { sqs: "http://sqs:1" }', undefined],
])('a role is assumed at %s', async (_, endpoints, stsEndpoint) => {
  const role = 'assumeRole: { roleArn: "arn:aws:iam::000000000000:role/wherry" }';
  const { config } = await loadGood(
    `${withMappings(`a: { EventSourceArn: "${QUEUE}", FunctionName: orders, aws: { ${role}, endpoint: "http://own:1" } }\nb: { EventSourceArn: "${QUEUE}", FunctionName: other }`)}aws: { region: eu-west-1, ${endpoints} }\n`,
  );
  expect(config.mappings.get('a')?.aws.stsEndpoint).toBe(stsEndpoint);
  expect(config.mappings.get('b')?.aws).not.toHaveProperty('stsEndpoint');
});

test('what one poller buffers is bounded by the container’s memory', async () => {
  const text = withMappings(`m: { EventSourceArn: "${QUEUE}", FunctionName: orders }`);
  const buffered = async (memoryLimitBytes?: number) => (await loadGood(text, { memoryLimitBytes })).config.limits.bufferedBytes;
  expect(await buffered()).toBe(256 * 1024 ** 2);
  expect(await buffered(512 * 1024 ** 2)).toBe(128 * 1024 ** 2);
});

test('a near miss of a required field is reported once', async () => {
  const text = withMappings(`m: { EventSourceARN: "${QUEUE}", FunctionNme: orders }`);
  expect(await errorsOf(text)).toEqual([
    expect.stringContaining('did you mean "EventSourceArn"?'),
    expect.stringContaining('did you mean "FunctionName"?'),
  ]);
});

test('a mapping is polled in the region of its ARN, whatever aws.region says', async () => {
  const mapping = 'm: { EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:q", FunctionName: orders, aws: { region: us-west-2 } }';
  const { config, warnings } = await loadGood(`${withMappings(mapping)}aws: { region: us-east-1 }\n`);
  expect(config.mappings.get('m')?.aws.region).toBe('eu-west-1');
  expect(warnings).toMatchObject([{ code: 'other-region', path: 'mappings.m.aws.region' }]);
  const plain = await loadGood(`${withMappings(mapping.replace(', aws: { region: us-west-2 }', ''))}aws: { region: us-east-1 }\n`);
  expect(plain.warnings).toEqual([]);
});

/** As many mappings, each of a queue of its own. */
function mappingsTo(name: string, count: number): string {
  const arn = 'arn:aws:sqs:eu-west-1:123456789012';
  return Array.from({ length: count }, (_, index) => `m${index}: { EventSourceArn: "${arn}:q${index}", FunctionName: ${name} }`).join('\n');
}

test('thousands of mappings are read in portions, between which others have their turn', async () => {
  const text = withMappings(mappingsTo('orders', 4_000));
  let turns = 0;
  let isDone = false;
  const others = (): void => {
    turns += 1;
    if (!isDone) setImmediate(others);
  };
  others();
  const { config } = await loadGood(text);
  isDone = true;
  expect(config.mappings.size).toBe(4_000);
  // Reading the file alone gives others a few turns; the lexemes of this one make some eight portions more.
  expect(turns).toBeGreaterThan(10);
});

test('an error among thousands of names comes without a suggestion, which would take longer than everything else', async () => {
  const errors = await errorsOf(withMappings(mappingsTo('odrers', 300)));
  expect(errors.filter((error) => error.includes('did you mean "orders"?'))).toHaveLength(200);
  expect(errors.at(-1)).toContain('add it under functions:');
});

test('a file that cannot be read is the only trouble told, not all that is missed because of it', async () => {
  const text = `${withMappings(mappingsTo('elsewhere', 3))}include: [conf.d/*.yaml]\nredis: { password: "\${file:nope}" }\n`;
  const errors = await errorsOf(text, {
    files: { 'conf.d/a.yaml': 'functions: [\n', 'conf.d/b.yaml': 'version: 2\n', 'conf.d/c.yaml': '' },
  });
  expect(errors).toEqual([
    expect.stringContaining('cannot read the file nope'),
    expect.stringContaining('must be sufficiently indented'),
    expect.stringContaining('expected 1, as in the main file'),
  ]);
});

test('a variable that took the bracket of a map away is told once', async () => {
  expect(await errorsOf('version: 1\nredis: { url: ${REDIS_URL} }\nadmin: { listen: x }\n')).toEqual([
    expect.stringContaining('write values with ${…} in quotes'),
  ]);
});
