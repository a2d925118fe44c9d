import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { createInvoker } from '@wherry/invoke/create-invoker';
import { MemoryPermitStore } from '@wherry/testkit/memory-permit-store';
import type { BackendStart } from '@wherry/testkit/backend-process';
import { startMinistack } from '@wherry/testkit/ministack-process';
import { systemClock, systemSurroundings } from '../../apps/poller/src/surroundings.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { bodyOf, functionOf, invokeWith } from './invoking.ts';
import { createRole, createUserKeys, type Keys } from './iam.ts';
import { zipOf } from './zip.ts';

const CODE = `
exports.handler = async (event, context) => {
  if (event.do === 'fail') throw Object.assign(new Error('boom'), { name: 'OrderError' });
  return { event, clientContext: context.clientContext };
};
`;

/** The emulator's root, whose signatures it does not check; those of its users it does. */
const ROOT: Keys = { accessKeyId: 'test', secretAccessKey: 'test' };

describe("a function behind Lambda's Invoke API, which checks signatures", () => {
  let started: BackendStart = { kind: 'missing', reason: 'not started' };
  let url = '';
  let keys = ROOT;

  beforeAll(async () => {
    started = await startMinistack({ AUTH: 'true' });
    if (started.kind === 'missing') return;
    url = started.backend.url;
    const client = new LambdaClient({ region: 'us-east-1', endpoint: url, credentials: ROOT });
    await client.send(
      new CreateFunctionCommand({
        FunctionName: 'orders',
        Runtime: 'nodejs22.x',
        Role: await createRole(url, ROOT, 'orders'),
        Handler: 'index.handler',
        Timeout: 10,
        Code: { ZipFile: zipOf('index.js', CODE) },
      }),
    );
    client.destroy();
    keys = await createUserKeys(url, ROOT, 'poller');
  }, 300_000);

  beforeEach((context) => {
    if (started.kind === 'missing') context.skip(`no ministack: ${started.reason}`);
  });
  afterEach(() => vi.unstubAllEnvs());
  afterAll(() => (started.kind === 'started' ? started.backend.stop() : undefined));

  async function invoke(event: unknown, { functionName = 'orders', ...changed }: Partial<Keys & { functionName: string }> = {}) {
    const { accessKeyId, secretAccessKey } = { ...keys, ...changed };
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
    const fn = functionOf({ kind: 'lambda', functionName, aws: { region: 'us-east-1', endpoint: url, maxAttempts: 1 } }, 10);
    const permits = new MemoryPermitStore(systemClock);
    const invoker = createInvoker(fn, { surroundings: systemSurroundings, network: { blockPrivate: false, allow: [] }, permits });
    try {
      return await invokeWith(invoker, fn, event);
    } finally {
      await invoker.close();
    }
  }

  test('answers', async () => {
    const result = await invoke({ order: 'é☃' });
    expect(result).toMatchObject({ kind: 'success', executedVersion: '$LATEST' });
    expect(bodyOf(result)).toMatchObject({ event: { order: 'é☃' } });
  });

  test('is found by its ARN, whose colons are signed encoded twice', async () => {
    const functionName = 'arn:aws:lambda:us-east-1:000000000000:function:orders';
    expect(await invoke({}, { functionName })).toMatchObject({ kind: 'success' });
  });

  test('fails', async () => {
    // The emulator puts a type of its own in place of the error's name.
    expect(await invoke({ do: 'fail' })).toMatchObject({ kind: 'functionError', errorMessage: 'boom' });
  });

  test('is not reached with a wrong secret, until somebody changes it', async () => {
    const result = await invoke({}, { secretAccessKey: 'wrong' });
    expect(result).toMatchObject({
      kind: 'unavailable',
      permanent: true,
      reason: expect.stringMatching(/^(InvalidSignature|SignatureDoesNotMatch)/),
    });
  });

  test('is not reached with unknown keys, until somebody changes them', async () => {
    const result = await invoke({}, { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' });
    expect(result).toMatchObject({ kind: 'unavailable', permanent: true, reason: expect.stringContaining('security token') });
  });

  test('is missed for good when it does not exist', async () => {
    const result = await invoke({}, { functionName: 'nobody' });
    expect(result).toMatchObject({ kind: 'unavailable', permanent: true, reason: expect.stringContaining('ResourceNotFoundException') });
  });
});
