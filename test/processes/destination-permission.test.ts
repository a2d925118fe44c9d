import { randomUUID } from 'node:crypto';
import { startMinistack } from '@wherry/testkit/ministack-process';
import { sampleFailure } from '@wherry/testkit/sample-failure';
import { SimClock } from '@wherry/testkit/sim-clock';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { destinationBackend, openDestination, type EmulatedKind } from './destination-backend.ts';
import { createUserKeys } from './iam.ts';

let started: Awaited<ReturnType<typeof startMinistack>> = { kind: 'missing', reason: 'not started' };

beforeAll(async () => {
  started = await startMinistack({ AUTH: 'true' });
}, 300_000);

afterAll(() => (started.kind === 'started' ? started.backend.stop() : undefined));

const kinds: readonly EmulatedKind[] = ['sqs', 'sns', 's3'];

test.for(kinds)('%s: deliveries are signed well, and those that nobody allowed are access denied', async (kind, context) => {
  if (started.kind === 'missing') return context.skip(`no ministack: ${started.reason}`);
  const endpoint = started.backend.url;
  const wish = { exists: true, endpoint, clock: new SimClock().clock(), mappingUuid: randomUUID() };
  // What is signed with the emulator's root keys is not checked, and that is how the place is made.
  const backend = destinationBackend(kind, endpoint, () => Promise.resolve());
  const { arn, ...place } = await backend.open(wish);
  place.destination.close();
  onTestFinished(() => void vi.unstubAllEnvs());
  const root = { accessKeyId: 'test', secretAccessKey: 'test' };
  const deliverAs = async (may: 'everything' | 'nothing') => {
    const keys = await createUserKeys(endpoint, root, `${kind}-${may}`, may);
    vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey);
    const destination = openDestination({ kind, arn, aws: { region: 'us-east-1', endpoint, maxAttempts: 1 } }, wish);
    onTestFinished(() => destination.close());
    await destination.deliver(sampleFailure(randomUUID()).delivery, new AbortController().signal);
  };
  await expect(deliverAs('nothing')).rejects.toMatchObject({ name: 'SourceError', code: 'accessDenied' });
  expect(await place.arrived(0)).toEqual([]);
  await deliverAs('everything');
  expect(await place.arrived(1)).toHaveLength(1);
});
