import { expect, test } from 'vitest';
import { root, run } from './wherry-command.ts';

/** Makes a destination of each kind and prints which clients of the SDK that has loaded, before and after each delivery. */
const script = `
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({ load: (url, context, next) => (loaded.add(/@aws-sdk\\/(client-(?:s3|sns|sqs))\\//.exec(url)?.[1]), next(url, context)) });
const { createFailureDestination } = await import('@wherry/destinations/create-failure-destination');
const { DestinationClients } = await import('@wherry/destinations/destination-clients');
const { clientSettings } = await import('@wherry/sources/aws/client-settings');
const credentials = async () => ({ accessKeyId: 'test', secretAccessKey: 'test' });
const clients = new DestinationClients((aws, traffic) => clientSettings(aws, credentials, traffic));
const aws = { region: 'us-east-1', endpoint: 'http://127.0.0.1:9', maxAttempts: 1 };
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now(), sleep: () => new Promise(() => {}) };
const mapping = { name: 'm', uuid: '89ab5863-a191-4ee1-8529-93984bfee000', functionName: 'f' };
const destinations = ['arn:aws:s3:::b', 'arn:aws:sns:us-east-1:0:t', 'arn:aws:sqs:us-east-1:0:q'].map((arn) =>
  createFailureDestination({ kind: arn.split(':')[2], arn, aws }, { mapping, clients, clock }),
);
const failure = { condition: 'RecordAgeExceeded', approximateInvokeCount: 1, requestId: 'r', records: [], discardedAtMs: 0 };
const origin = { source: 'kinesis', functionArn: 'f', streamArn: 's', shardId: 'shardId-0' };
const delivery = { id: 'i', failure, origin, event: () => Buffer.from('{}') };
const seen = () => [...loaded].filter(Boolean).sort();
const steps = [seen()];
for (const destination of destinations) {
  await destination.deliver(delivery, new AbortController().signal).catch(() => {});
  steps.push(seen());
}
console.log(JSON.stringify(steps));
`;

test('the SDK of a destination is loaded by the first delivery and not before', async () => {
  const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: root });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(JSON.parse(stdout)).toEqual([[], ['client-s3'], ['client-s3', 'client-sns'], ['client-s3', 'client-sns', 'client-sqs']]);
});
