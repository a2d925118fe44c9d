import { randomUUID } from 'node:crypto';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';
import { startMinistack } from '@wherry/testkit/ministack-process';
import { sampleMapping } from '@wherry/testkit/sample-config';
import { TestQueues } from '@wherry/testkit/test-queues';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createUserKeys } from './iam.ts';
import { realClock, useTestCredentials } from './sqs-backend.ts';

let started: Awaited<ReturnType<typeof startMinistack>> = { kind: 'missing', reason: 'not started' };

beforeAll(async () => {
  useTestCredentials();
  started = await startMinistack({ AUTH: 'true' });
}, 300_000);

afterAll(() => (started.kind === 'started' ? started.backend.stop() : undefined));

test('every call is signed well, and one with the wrong keys is access denied', async (context) => {
  if (started.kind === 'missing') return context.skip(`no ministack: ${started.reason}`);
  const endpoint = started.backend.url;
  const queues = new TestQueues(endpoint);
  const queue = await queues.create();
  // The emulator does not check what its root signs.
  const keys = await createUserKeys(endpoint, { accessKeyId: 'test', secretAccessKey: 'test' }, 'poller');
  onTestFinished(() => void vi.unstubAllEnvs());
  const open = (secretAccessKey: string) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
    const mapping = sampleMapping({ eventSourceArn: queue.arn, aws: { region: 'us-east-1', endpoint, maxAttempts: 1 } });
    const clients = new SqsClients({ clock: realClock, random: Math.random });
    const source = createSqsSource(mapping, { clients, surroundings: { clock: realClock, newId: () => randomUUID() } });
    onTestFinished(() => source.close());
    return source;
  };
  const source = open(keys.secretAccessKey);
  // Each kind of call twice: the SDK makes the first, and what comes after it is signed apart from the SDK.
  for (const body of ['grüß', '☃']) {
    await queues.send(queue, [{ body }]);
    const messages = await source.receive({ maxMessages: 10, waitTimeSeconds: 5, signal: new AbortController().signal });
    expect(messages.map(({ recordJson }) => JSON.parse(recordJson))).toMatchObject([{ body }]);
    expect(await source.changeVisibility(messages, 20)).toEqual(['done']);
    expect(await source.delete(messages)).toEqual(['done']);
  }
  await expect(open('wrong').attributes()).rejects.toMatchObject({ code: 'accessDenied' });
});
