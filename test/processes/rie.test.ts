import { setImmediate } from 'node:timers/promises';
import type { InvokeResult } from '@wherry/core/invoke';
import { createInvoker } from '@wherry/invoke/create-invoker';
import { createRedis } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import type { BackendStart } from '@wherry/testkit/backend-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { repositoryPath } from '@wherry/testkit/repository';
import { startRie } from '@wherry/testkit/rie-process';
import { systemSurroundings } from '../../apps/poller/src/surroundings.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bodyOf, DELIVERY, functionOf, invokeWith } from './invoking.ts';

const TIMEOUT_SECONDS = 2;

/** A poller of the fleet, as far as invoking goes: with a Redis connection of its own. */
interface Poller {
  readonly invoke: (event: unknown) => Promise<InvokeResult>;
  readonly close: () => Promise<void>;
}

async function startPoller(rieUrl: string, redisUrl: string): Promise<Poller> {
  const up = Promise.withResolvers<void>();
  const client = createRedis({ url: redisUrl, keyPrefix: 'wherry' }, { random: Math.random, onUp: up.resolve, onDown: () => {} });
  await up.promise;
  const { permits } = createRedisCoordination(client, { keyPrefix: 'wherry', fleet: 'test' });
  const fn = functionOf({ kind: 'rie', urls: [rieUrl], concurrency: 1 }, TIMEOUT_SECONDS);
  const invoker = createInvoker(fn, { surroundings: systemSurroundings, network: { blockPrivate: false, allow: [] }, permits });
  return {
    invoke: (event) => invokeWith(invoker, fn, event),
    close: async () => {
      await invoker.close();
      client.disconnect();
    },
  };
}

describe('a function in the Runtime Interface Emulator', () => {
  let started: BackendStart = { kind: 'missing', reason: 'not started' };
  let redis: RedisServer | undefined;
  let one: Poller;
  let two: Poller;

  beforeAll(async () => {
    const args = [repositoryPath('test/processes/rie-function.mjs')];
    started = await startRie({ command: process.execPath, args, timeoutSeconds: TIMEOUT_SECONDS });
    if (started.kind === 'missing') return;
    redis = await startRedisServer();
    one = await startPoller(started.backend.url, redis.url);
    two = await startPoller(started.backend.url, redis.url);
  }, 300_000);

  beforeEach((context) => {
    if (started.kind === 'missing') context.skip(`no Runtime Interface Emulator: ${started.reason}`);
  });

  afterAll(async () => {
    if (started.kind === 'missing') return;
    await one.close();
    await two.close();
    await redis?.kill();
    await started.backend.stop();
  });

  test('answers, and sees where the invocation comes from', async () => {
    const result = await one.invoke({ order: 'é☃' });
    expect(result).toMatchObject({ kind: 'success', executedVersion: '$LATEST' });
    expect(bodyOf(result)).toMatchObject({ event: { order: 'é☃' }, clientContext: { custom: { wherry: DELIVERY } } });
  });

  test('fails without a header to say so', async () => {
    expect(await one.invoke({ do: 'fail' })).toMatchObject({ kind: 'functionError', errorType: 'OrderError', errorMessage: 'boom' });
  });

  test('runs into its timeout, which comes as text', async () => {
    const result = await one.invoke({ do: 'hang' });
    expect(result).toMatchObject({ kind: 'functionError', errorType: 'Sandbox.Timedout' });
    expect(bodyOf(result)).toMatchObject({
      errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Task timed out after 2\.00 seconds$/),
    });
  });

  test('crashes, which comes as 502, and answers again afterwards', async () => {
    expect(await one.invoke({ do: 'exit' })).toMatchObject({ kind: 'functionError', errorType: 'Runtime.ExitError' });
    expect((await one.invoke({})).kind).toBe('success');
  });

  test('is called by one of two pollers at a time, never by both', async () => {
    let refusals = 0;
    const runs: { beganAtMs: number; endedAtMs: number }[] = [];
    const work = async (poller: Poller): Promise<void> => {
      for (let left = 20; left > 0;) {
        const result = await poller.invoke({ waitMs: 5 });
        if (result.kind === 'throttled') {
          expect(result.reason).toBe('no free RIE endpoint');
          refusals++;
          // Refused without asking anybody; without a turn of the event loop the answers would never get through.
          await setImmediate();
          continue;
        }
        expect(result.kind).toBe('success');
        runs.push(bodyOf(result) as (typeof runs)[number]);
        left--;
      }
    };
    await Promise.all([work(one), work(one), work(two), work(two)]);
    const inOrder = runs.toSorted((a, b) => a.beganAtMs - b.beganAtMs);
    expect(inOrder).toHaveLength(80);
    expect(inOrder.slice(1).filter((run, index) => run.beganAtMs < inOrder[index]!.endedAtMs)).toEqual([]);
    expect(refusals).toBeGreaterThan(0);
  });
});
