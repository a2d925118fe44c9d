import type { RedisSettings } from '@wherry/core/mapping';
import { freePort, startRedisServer } from '@wherry/testkit/redis-server';
import { afterEach, expect, it } from 'vitest';
import { createRedis, reconnectDelayMs } from './redis-client.ts';
import type { RedisClient } from './redis-client.ts';

const clients: RedisClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

/** A client and its ups and downs as they come: `next()` waits for the next one. */
function observed(settings: Omit<RedisSettings, 'keyPrefix'>): { client: RedisClient; next: () => Promise<string> } {
  const seen: string[] = [];
  let wake: (() => void) | undefined;
  const note = (what: string): void => {
    seen.push(what);
    wake?.();
  };
  const client = createRedis(
    { ...settings, keyPrefix: 'wherry' },
    { random: Math.random, onUp: () => note('up'), onDown: (reason) => note(`down: ${reason}`) },
  );
  clients.push(client);
  const next = async (): Promise<string> => {
    if (seen.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return seen.shift() ?? '';
  };
  return { client, next };
}

it('stays up when Redis is absent at start, fails each call at once, and recovers by itself', async () => {
  const port = await freePort();
  const { client, next } = observed({ url: `redis://127.0.0.1:${port}` });
  expect(await next()).toMatch(/^down: .*ECONNREFUSED/);
  await expect(client.ping()).rejects.toThrow();
  const redis = await startRedisServer({ port });
  expect(await next()).toBe('up');
  expect(await client.ping()).toBe('PONG');
  await redis.kill();
  expect(await next()).toMatch(/^down/);
  const again = await startRedisServer({ port });
  expect(await next()).toBe('up');
  expect(await client.ping()).toBe('PONG');
  await again.kill();
});

it('logs in with the password, and a wrong one is told without being named', async () => {
  const redis = await startRedisServer({ args: ['--requirepass', 'right-secret'] });
  const good = observed({ url: redis.url, password: 'right-secret' });
  expect(await good.next()).toBe('up');
  const bad = observed({ url: redis.url, password: 'wrong-secret' });
  const told = await bad.next();
  expect(told).toMatch(/^down: .*WRONGPASS/);
  expect(told).not.toContain('wrong-secret');
  await redis.kill();
});

it('fails a call that Redis does not answer within its timeout', async () => {
  const redis = await startRedisServer();
  const { client, next } = observed({ url: redis.url });
  expect(await next()).toBe('up');
  redis.signal('SIGSTOP');
  await expect(client.ping()).rejects.toThrow(/timed out/);
  redis.signal('SIGCONT');
  await redis.kill();
});

it('refuses settings that name no way or two ways to Redis', () => {
  const options = { random: Math.random, onUp: () => {}, onDown: () => {} };
  expect(() => createRedis({ keyPrefix: 'wherry' }, options)).toThrow(/exactly one of url, cluster and sentinel/);
  expect(() => createRedis({ keyPrefix: 'wherry', url: 'redis://a', cluster: ['b'] }, options)).toThrow(/exactly one/);
});

it('spreads reconnects over a growing span with an upper bound', () => {
  expect(reconnectDelayMs(1, () => 0)).toBe(50);
  expect(reconnectDelayMs(1, () => 1)).toBe(100);
  expect(reconnectDelayMs(50, () => 1)).toBe(2000);
  expect(reconnectDelayMs(50, () => 0.5)).toBe(1025);
});
