import { randomUUID } from 'node:crypto';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';
import { startFaultProxy, type FaultProxy } from '@wherry/testkit/fault-proxy';
import { startMinistack } from '@wherry/testkit/ministack-process';
import { sampleMapping } from '@wherry/testkit/sample-config';
import { TestQueues } from '@wherry/testkit/test-queues';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { realClock, useTestCredentials } from './sqs-backend.ts';

let started: Awaited<ReturnType<typeof startMinistack>> = { kind: 'missing', reason: 'not started' };
let sts: FaultProxy | undefined;

beforeAll(async () => {
  useTestCredentials();
  started = await startMinistack();
  if (started.kind === 'missing') return;
  sts = await startFaultProxy(started.backend.url);
}, 300_000);

afterAll(async () => {
  await sts?.close();
  if (started.kind === 'started') await started.backend.stop();
});

test('mappings under one role assume it once, and a role that is refused is access denied', async (context) => {
  if (started.kind === 'missing' || sts === undefined) {
    return context.skip(`no ministack: ${started.kind === 'missing' ? started.reason : ''}`);
  }
  const endpoint = started.backend.url;
  const stsEndpoint = sts.url;
  const queue = await new TestQueues(endpoint).create();
  const clients = new SqsClients({ clock: realClock, random: Math.random });
  const open = (name: string, maxAttempts: number) => {
    const assumeRole = { roleArn: `arn:aws:iam::000000000000:role/${name}` };
    const mapping = sampleMapping({
      eventSourceArn: queue.arn,
      aws: { region: 'us-east-1', endpoint, stsEndpoint, maxAttempts, assumeRole },
    });
    const source = createSqsSource(mapping, { clients, surroundings: { clock: realClock, newId: () => randomUUID() } });
    onTestFinished(() => source.close());
    return source;
  };
  // Different settings, so that they do not share their client and could each assume the role.
  await Promise.all([open('wherry', 1).attributes(), open('wherry', 2).attributes()]);
  expect(sts.count('/')).toBe(1);

  sts.inject({ operation: '/', fault: { kind: 'error', code: 'AccessDenied', status: 403 } });
  await expect(open('other', 1).attributes()).rejects.toMatchObject({ name: 'SourceError', code: 'accessDenied' });
});
