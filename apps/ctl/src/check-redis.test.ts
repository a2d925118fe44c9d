import { startRedisServer } from '@wherry/testkit/redis-server';
import { expect, test } from 'vitest';
import { checkRedis } from './check-redis.ts';

test('a Redis that keeps everything is good', async () => {
  const redis = await startRedisServer();
  try {
    expect(await checkRedis({ url: redis.url, keyPrefix: 'wherry' })).toEqual([]);
  } finally {
    await redis.kill();
  }
});

test('a Redis that may evict is an error', async () => {
  const redis = await startRedisServer({ args: ['--maxmemory-policy', 'allkeys-lru'] });
  try {
    const findings = await checkRedis({ url: redis.url, keyPrefix: 'wherry' });
    expect(findings).toMatchObject([{ severity: 'error', code: 'redis-evicts', path: ['redis', 'url'] }]);
    expect(findings[0]?.message).toContain('allkeys-lru');
  } finally {
    await redis.kill();
  }
});

test('a Redis that wants a password that nobody gave is an error which says so', async () => {
  const redis = await startRedisServer({ args: ['--requirepass', 'secret'] });
  try {
    const findings = await checkRedis({ url: redis.url, keyPrefix: 'wherry' });
    expect(findings).toMatchObject([{ severity: 'error', code: 'redis-unreachable' }]);
    expect(findings[0]?.message).toMatch(/NOAUTH/);
  } finally {
    await redis.kill();
  }
});

test('a Redis that is not there is an error at its address', async () => {
  const redis = await startRedisServer();
  await redis.kill();
  expect(await checkRedis({ url: redis.url, keyPrefix: 'wherry' })).toMatchObject([
    { severity: 'error', code: 'redis-unreachable', path: ['redis', 'url'], message: expect.stringContaining('ECONNREFUSED') },
  ]);
});
