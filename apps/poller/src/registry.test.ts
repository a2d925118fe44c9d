import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { AwsSettings } from '@wherry/core/mapping';
import { MemoryFailedStore } from '@wherry/testkit/memory-failed-store';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import { sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { sampleFailure } from '@wherry/testkit/sample-failure';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createRegistry } from './registry.ts';
import { systemSurroundings } from './surroundings.ts';

const ROLE = 'arn:aws:iam::000000000000:role/reader';
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000';
const never = new AbortController().signal;

function setUp() {
  const failedStore = new MemoryFailedStore();
  const permits = new MemoryPermitStore(systemSurroundings.clock);
  const network = { blockPrivate: false, allow: [] };
  return { registry: createRegistry({ surroundings: systemSurroundings, network, permits, failedStore }), failedStore };
}

const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

/** What an answer of AWS is, by the last part of the operation's target. */
const ANSWERS: Readonly<Record<string, object>> = {
  GetQueueUrl: { QueueUrl: 'http://127.0.0.1/000000000000/orders' },
  GetQueueAttributes: { Attributes: { VisibilityTimeout: '30' } },
  GetShardIterator: { ShardIterator: 'i' },
  GetRecords: {
    Records: [{ Data: 'aGk=', PartitionKey: 'k', SequenceNumber: '1', ApproximateArrivalTimestamp: 1_790_000_000 }],
    NextShardIterator: 'j',
    MillisBehindLatest: 0,
  },
};

/** An AWS of canned answers; `calls` are the operations that were asked, with the key that signed. */
async function startCannedAws() {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const operation =
        String(request.headers['x-amz-target'] ?? /Action=(\w+)/.exec(body)?.[1])
          .split('.')
          .at(-1) ?? '';
      calls.push(`${operation} ${/Credential=(\w+)/.exec(request.headers.authorization ?? '')?.[1]}`);
      if (operation === 'AssumeRole') response.setHeader('content-type', 'text/xml').end(assumed);
      else response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify(ANSWERS[operation]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const aws: AwsSettings = { region: 'us-east-1', endpoint, stsEndpoint: endpoint, assumeRole: { roleArn: ROLE }, maxAttempts: 1 };
  return { calls, aws };
}

test('queues and streams under one role share its credentials, and records name the role', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAOWN').stubEnv('AWS_SECRET_ACCESS_KEY', 's');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { calls, aws } = await startCannedAws();
  const { registry } = setUp();
  const queue = registry.createSource(sampleMapping({ aws }));
  const stream = registry.createStreamSource(sampleStreamMapping({ aws }));
  await queue.attributes();
  const { records } = await stream.openReader('shardId-0', { kind: 'TRIM_HORIZON' }).read(10, never);
  expect(records.map(({ recordJson }) => JSON.parse(recordJson) as object)).toMatchObject([
    { eventSource: 'aws:kinesis', invokeIdentityArn: ROLE, kinesis: { data: 'aGk=' } },
  ]);
  expect(calls).toEqual([
    'AssumeRole AKIAOWN',
    'GetQueueUrl ASIAROLE',
    'GetQueueAttributes ASIAROLE',
    'GetShardIterator ASIAROLE',
    'GetRecords ASIAROLE',
  ]);
  queue.close();
  stream.close();
});

test('every kind of stream mapping has a source', async () => {
  const { registry } = setUp();
  const consumer = { kind: 'enhanced-fan-out', register: true } as const;
  for (const mapping of [sampleStreamMapping({ source: 'dynamodb', eventSourceArn: TABLE }), sampleStreamMapping({ consumer })]) {
    registry.createStreamSource(mapping).close();
  }
});

test('what is given up goes where the mapping says: nowhere, or into the store of the fleet', async () => {
  const { registry, failedStore } = setUp();
  expect(registry.createDestination(sampleStreamMapping())).toBeUndefined();
  const destination = registry.createDestination(sampleStreamMapping({ onFailure: { kind: 'failed', name: 'clicks' } }));
  const { delivery } = sampleFailure('33333333-3333-4333-8333-333333333333');
  await destination?.deliver(delivery, never);
  expect(await failedStore.list({ limit: 10 })).toMatchObject([{ id: delivery.id, name: 'clicks', mapping: 'clicks' }]);
  destination?.close();
});

test.each([
  { kind: 'sqs', arn: 'arn:aws:sqs:us-east-1:000000000000:failed' },
  { kind: 'sns', arn: 'arn:aws:sns:us-east-1:000000000000:failed' },
  { kind: 's3', arn: 'arn:aws:s3:::failed' },
] as const)('a destination of kind $kind opens nothing before it is used', ({ kind, arn }) => {
  const aws = { region: 'us-east-1', endpoint: 'http://127.0.0.1:1', maxAttempts: 1 };
  const destination = setUp().registry.createDestination(sampleStreamMapping({ onFailure: { kind, arn, aws } }));
  expect(destination).toBeDefined();
  destination?.close();
});
