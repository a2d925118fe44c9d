import { StoreError } from '@wherry/core/coordination';
import type { FailedStore } from '@wherry/core/failed-store';
import { failedStoreContract, failedBatch } from '@wherry/testkit/contracts/failed-store';
import { startRedisServer } from '@wherry/testkit/redis-server';
import type { RedisServer } from '@wherry/testkit/redis-server';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Keys } from './keys.ts';
import { createRedisCoordination } from './redis-coordination.ts';
import { createRedisFailedStore } from './redis-failed-store.ts';

const OPTIONS = { keyPrefix: 'wherry', fleet: 'test' };
const MEBIBYTE = 1_048_576;
const keys = new Keys('wherry', 'test');
let server: RedisServer;
let client: Redis;
let store: FailedStore;

beforeAll(async () => {
  server = await startRedisServer();
  client = new Redis(server.url);
  store = createRedisFailedStore(client, OPTIONS);
});
afterAll(async () => {
  client.disconnect();
  await server.kill();
});
beforeEach(async () => {
  await client.config('SET', 'maxmemory', '0');
  await client.flushall();
});

failedStoreContract('Redis', () => Promise.resolve(store));

it('takes no batch above four fifths of maxmemory, says what to do, and leaves room for leases', async () => {
  await client.config('SET', 'maxmemory', String(40 * MEBIBYTE));
  let taken = 0;
  const fill = async (): Promise<void> => {
    for (; taken < 40; taken += 1) await store.put(failedBatch(taken), new Uint8Array(4 * MEBIBYTE));
  };
  await expect(fill()).rejects.toThrow(/the store is full .* redrive or discard/);
  await expect(fill()).rejects.toThrow(StoreError);
  expect(taken).toBeGreaterThan(2);
  expect(await store.counts()).toEqual(new Map([['orders', { batches: taken, bytes: taken * 4 * MEBIBYTE }]]));
  expect(await client.exists(keys.failedEvent(failedBatch(taken).id))).toBe(0);
  const { leases } = createRedisCoordination(client, OPTIONS);
  expect(await leases.acquire('a', 'ann', 10_000)).toMatchObject({ epoch: 1 });
  expect(await store.remove([failedBatch(0).id, failedBatch(1).id])).toBe(2);
  await store.put(failedBatch(taken), new Uint8Array(4 * MEBIBYTE));
});

it('leaves nothing half done when Redis refuses for lack of memory, and can still be listed and emptied', async () => {
  await store.put(failedBatch(1), new Uint8Array(MEBIBYTE));
  await client.config('SET', 'maxmemory', '1');
  const refused = store.put(failedBatch(2), new Uint8Array(10));
  await expect(refused).rejects.toThrow(/^Redis failed-put: OOM/);
  await expect(refused).rejects.toThrow(StoreError);
  expect(await client.exists(keys.failedEvent(failedBatch(2).id))).toBe(0);
  expect((await store.list({ limit: 10 })).map(({ id }) => id)).toEqual([failedBatch(1).id]);
  expect(await store.remove([failedBatch(1).id])).toBe(1);
  expect(await store.counts()).toEqual(new Map());
});

it('works for an account that may not ask how much memory is in use', async () => {
  await client.call('ACL', 'SETUSER', 'poller', 'on', '>secret', '~*', '+@all', '-info');
  const cautious = new Redis(server.url, { username: 'poller', password: 'secret', enableReadyCheck: false });
  await createRedisFailedStore(cautious, OPTIONS).put(failedBatch(1), new Uint8Array(10));
  cautious.disconnect();
  expect(await store.list({ limit: 10 })).toHaveLength(1);
});

it('keeps the event of a stored batch for good, and one whose batch never came for ten minutes', async () => {
  const { id } = failedBatch(1);
  await store.put(failedBatch(1), new Uint8Array(1));
  await store.put(failedBatch(1), new Uint8Array(1));
  expect(await client.pttl(keys.failedEvent(id))).toBe(-1);
  const [order] = keys.failed();
  // As if the poller had died between the event and its batch: the next one that puts it takes it over.
  await client.multi().del(order).pexpire(keys.failedEvent(id), 600_000).exec();
  expect(await store.list({ limit: 10 })).toEqual([]);
  await store.put(failedBatch(1), new Uint8Array(1));
  expect(await client.pttl(keys.failedEvent(id))).toBe(-1);
});

it('lists past a row that nobody of ours wrote, and tells every failure as a StoreError', async () => {
  await store.put(failedBatch(1), new Uint8Array(1));
  await store.put(failedBatch(2), new Uint8Array(1));
  const [order, , rows] = keys.failed();
  await client.hset(rows, failedBatch(1).id, 'not JSON');
  expect((await store.list({ limit: 10 })).map(({ id }) => id)).toEqual([failedBatch(2).id]);
  await expect(store.get(failedBatch(1).id)).rejects.toThrow(StoreError);
  await client.set(order, 'not a sorted set');
  for (const call of [store.list({ limit: 1 }), store.list({ limit: 1, after: 'x' }), store.put(failedBatch(3), new Uint8Array(1))]) {
    await expect(call).rejects.toThrow(StoreError);
  }
});

it('forgets the places of removed batches after an hour, and leaves nothing else behind', async () => {
  await store.put(failedBatch(1), new Uint8Array(1));
  await store.remove([failedBatch(1).id]);
  expect(await client.keys('*')).toEqual([keys.failedGone(failedBatch(1).id)]);
  expect(await client.pttl(keys.failedGone(failedBatch(1).id))).toBeGreaterThan(3_500_000);
});
