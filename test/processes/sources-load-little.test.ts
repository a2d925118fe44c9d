import { expect, test } from 'vitest';
import { root, run } from './wherry-command.ts';

/** Makes a source for each kind of stream and prints which clients of the SDK that has loaded. */
const script = `
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({ load: (url, context, next) => (loaded.add(/@aws-sdk\\/(client-(?:kinesis|dynamodb-streams))\\//.exec(url)?.[1]), next(url, context)) });
const { CredentialsByRole } = await import('@wherry/sources/aws/credentials');
const kinesis = await import('@wherry/sources/kinesis/kinesis-source');
const { createKinesisClients } = await import('@wherry/sources/kinesis/clients');
const dynamoDb = await import('@wherry/sources/dynamodb/dynamodb-source');
const { createDynamoDbClients } = await import('@wherry/sources/dynamodb/clients');
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const credentials = new CredentialsByRole({ clock, random: Math.random });
const aws = { region: 'us-east-1', endpoint: 'http://127.0.0.1:9', maxAttempts: 1 };
const surroundings = { clock };
const sources = [
  kinesis.createKinesisSource({ eventSourceArn: 'arn:aws:kinesis:us-east-1:0:stream/s', aws }, { surroundings, clients: createKinesisClients(credentials) }),
  dynamoDb.createDynamoDbSource(
    { eventSourceArn: 'arn:aws:dynamodb:us-east-1:0:table/T/stream/2026-01-01T00:00:00.000', aws },
    { surroundings, clients: createDynamoDbClients(credentials) },
  ),
];
const seen = () => [...loaded].filter(Boolean).sort();
const before = seen();
for (const source of sources) await source.listShards(new AbortController().signal).catch(() => {});
console.log(JSON.stringify([before, seen()]));
`;

test('the SDK of a stream service is loaded by the first call and not before', async () => {
  const env = { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, env });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(JSON.parse(stdout)).toEqual([[], ['client-dynamodb-streams', 'client-kinesis']]);
});

/** Makes everything that a poller makes for a queue and for a stream with a failure destination, and prints what that has loaded. */
const pollerScript = `
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({ load: (url, context, next) => (loaded.add(/@aws-sdk\\/(client-[a-z0-9-]+)\\//.exec(url)?.[1]), next(url, context)) });
const { createRegistry } = await import('@wherry/poller/registry');
const { systemSurroundings: surroundings } = await import('@wherry/poller/surroundings');
const registry = createRegistry({ surroundings, network: { blockPrivate: false, allow: [] }, permits: {}, failedStore: {} });
const aws = { region: 'us-east-1', endpoint: 'http://127.0.0.1:9', maxAttempts: 1 };
const stream = { name: 'm', uuid: 'u', source: 'kinesis', eventSourceArn: 'arn:aws:kinesis:us-east-1:0:stream/s', aws };
registry.createStreamSource({ ...stream, consumer: { kind: 'polling' } });
registry.createStreamSource({ ...stream, consumer: { kind: 'enhanced-fan-out', register: true } });
const table = 'arn:aws:dynamodb:us-east-1:0:table/T/stream/2026-01-01T00:00:00.000';
registry.createStreamSource({ ...stream, source: 'dynamodb', eventSourceArn: table });
registry.createDestination({ ...stream, onFailure: { kind: 's3', arn: 'arn:aws:s3:::b', aws } });
registry.createDestination({ ...stream, onFailure: { kind: 'sns', arn: 'arn:aws:sns:us-east-1:0:t', aws } });
console.log(JSON.stringify([...loaded].filter(Boolean).sort()));
`;

test('a poller loads the SDK of a stream or of a failure destination when a mapping uses it', async () => {
  const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '--eval', pollerScript], { cwd: root });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(JSON.parse(stdout)).toEqual(['client-sqs']);
});
