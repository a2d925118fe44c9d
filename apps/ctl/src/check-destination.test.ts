import type { OnFailure } from '@wherry/core/mapping';
import { SourceError, type FaultCode } from '@wherry/core/source-error';
import { sampleStreamMapping } from '@wherry/testkit/sample-config';
import { expect, test } from 'vitest';
import { checkDestination } from './check-destination.ts';

const AWS = { region: 'eu-west-1', maxAttempts: 1 };
const QUEUE: OnFailure = { kind: 'sqs', arn: 'arn:aws:sqs:eu-west-1:000000000000:failed', aws: AWS };
const TOPIC: OnFailure = { kind: 'sns', arn: 'arn:aws:sns:eu-west-1:000000000000:failed', aws: AWS };
const BUCKET: OnFailure = { kind: 's3', arn: 'arn:aws:s3:::failed', aws: { ...AWS, endpoint: 'http://127.0.0.1:4566' } };
const path = ['mappings', 'clicks', 'DestinationConfig', 'OnFailure', 'Destination'];

function check(onFailure: OnFailure, ask: () => Promise<void> = () => Promise.resolve()) {
  return checkDestination(sampleStreamMapping({ onFailure }), ask);
}

const refuse = (code: FaultCode, name: string) => () => Promise.reject(new SourceError(code, name, 'said so'));

const asked = () => Promise.reject(new Error('asked'));

test('no destination, and the store of the fleet, need no question', async () => {
  expect(await checkDestination(sampleStreamMapping(), asked)).toEqual([]);
  expect(await check({ kind: 'failed', name: 'clicks' }, asked)).toEqual([]);
});

test.each([
  ['queue', QUEUE, 'sqs:SendMessage'],
  ['topic', TOPIC, 'sns:Publish'],
  ['bucket', BUCKET, 's3:PutObject'],
] as const)('a %s that is there was not written to, and that is said', async (what, place, permission) => {
  const findings = await check(place);
  expect(findings).toMatchObject([{ severity: 'notice', code: 'destination-not-written', path }]);
  expect(findings[0]?.message).toContain(`nothing was written to the ${what}`);
  expect(findings[0]?.help).toContain(permission);
});

test.each<[string, OnFailure, FaultCode, string, string]>([
  ['a queue that is not there', QUEUE, 'notFound', 'QueueDoesNotExist', 'error destination-missing'],
  ['a topic that is not there', TOPIC, 'notFound', 'NotFound', 'error destination-missing'],
  ['a bucket that is not there', BUCKET, 'notFound', 'NotFound', 'error destination-missing'],
  ['a queue that may not be looked up, which writing needs too', QUEUE, 'accessDenied', 'AccessDenied', 'error destination-refused'],
  ['a topic that may not be looked at', TOPIC, 'accessDenied', 'AuthorizationError', 'warning destination-refused'],
  ['a bucket that may not be looked at', BUCKET, 'accessDenied', 'AccessDenied', 'warning destination-refused'],
  ['no credentials', BUCKET, 'accessDenied', 'CredentialsProviderError', 'error aws-credentials'],
  ['nobody who answers', TOPIC, 'unavailable', 'ECONNREFUSED', 'error destination-unreachable'],
])('%s', async (_, place, code, name, expected) => {
  const findings = await check(place, refuse(code, name));
  expect(findings.map((finding) => `${finding.severity} ${finding.code}`)).toEqual([expected]);
  expect(findings[0]?.path).toEqual(path);
});

test('the place that was asked is named', async () => {
  expect((await check(BUCKET, refuse('notFound', 'NotFound')))[0]?.help).toContain('asked http://127.0.0.1:4566');
  expect((await check(TOPIC, refuse('unavailable', 'ECONNREFUSED')))[0]?.help).toBe('asked SNS in eu-west-1');
});

test('what is no answer of a service is not hidden', async () => {
  await expect(check(QUEUE, () => Promise.reject(new TypeError('broken')))).rejects.toThrow('broken');
});
