import type { QueueAttributes, QueueSource } from '@wherry/core/queue-source';
import { SourceError, type FaultCode } from '@wherry/core/source-error';
import { sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { expect, test } from 'vitest';
import { checkQueue } from './check-queue.ts';

const mapping = sampleMapping({ name: 'orders', functionName: 'shop' });
const shop = sampleFunction({ name: 'shop', timeoutSeconds: 10 });

/** Checks a queue whose attributes are answered by `attributes`, and tells whether the source was closed. */
async function check(attributes: () => Partial<QueueAttributes>) {
  let closed = 0;
  const source = { attributes: async () => attributes(), close: () => closed++ } as unknown as QueueSource;
  const findings = await checkQueue(mapping, shop, () => source);
  return { findings, closed };
}

test.each([
  [9, 'error', 'Queue visibility timeout: 9 seconds is less than Function timeout: 10 seconds'],
  [10, 'warning', undefined],
  [59, 'warning', undefined],
])('a visibility timeout of %i s beside a Timeout of 10 s is a(n) %s', async (visibilityTimeoutSeconds, severity, awsMessage) => {
  const { findings, closed } = await check(() => ({ visibilityTimeoutSeconds }));
  expect(findings).toMatchObject([{ severity, path: ['mappings', 'orders', 'EventSourceArn'] }]);
  expect(findings[0]?.awsMessage).toBe(awsMessage);
  expect(findings[0]?.help).toContain('60');
  expect(closed).toBe(1);
});

test('six times the Timeout is what AWS advises, and nothing is said', async () => {
  expect((await check(() => ({ visibilityTimeoutSeconds: 60 }))).findings).toEqual([]);
});

test.each([
  ['CredentialsProviderError', {}, 'no AWS credentials were found', 'AWS_ACCESS_KEY_ID'],
  [
    'CredentialsProviderError',
    { profile: 'prod' },
    'profile "prod" of aws.profile gives no AWS credentials',
    'aws configure --profile prod',
  ],
  ['ExpiredToken', {}, 'the AWS credentials have expired', 'clock'],
  ['InvalidClientTokenId', {}, 'AWS does not accept the credentials in eu-west-1', 'AWS_SESSION_TOKEN'],
])('%s with %j is a fault of the credentials, not of their permissions', async (name, aws, message, help) => {
  const own = { ...mapping, aws: { ...mapping.aws, region: 'eu-west-1', ...aws } };
  const refuse = () => Promise.reject(new SourceError('accessDenied', name, 'said so'));
  const source = { attributes: refuse, close: () => {} } as unknown as QueueSource;
  const findings = await checkQueue(own, shop, () => source);
  expect(findings).toMatchObject([{ severity: 'error', code: 'aws-credentials' }]);
  expect(findings[0]?.message).toContain(message);
  expect(findings[0]?.help).toContain(help);
});

test.each<[FaultCode, string]>([
  ['notFound', 'queue-missing'],
  ['accessDenied', 'queue-refused'],
  ['unavailable', 'queue-unreachable'],
  ['throttled', 'queue-unreachable'],
])('an answer of class %s is the error %s, and names what was asked', async (faultCode, code) => {
  const { findings, closed } = await check(() => {
    throw new SourceError(faultCode, 'TheServiceName', 'what it said');
  });
  expect(findings).toMatchObject([{ severity: 'error', code }]);
  if (code !== 'queue-missing') expect(findings[0]?.message).toContain('TheServiceName: what it said');
  expect(closed).toBe(1);
});
