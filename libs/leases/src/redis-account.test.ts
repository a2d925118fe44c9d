import { readFileSync } from 'node:fs';
import { useEveryStore } from '@wherry/testkit/contracts/every-store';
import { startRedisServer } from '@wherry/testkit/redis-server';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { createRedis } from './redis-client.ts';
import { createRedisCoordination } from './redis-coordination.ts';
import { createRedisFailedStore } from './redis-failed-store.ts';

/** The account as the README shows it. */
function documentedRules(): string[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const line = /ACL SETUSER wherry (.*)/.exec(readme)?.[1];
  if (line === undefined) throw new Error('the README no longer shows an account');
  return line.replaceAll('<password>', 'secret').split(' ');
}

it('needs no more than the account of the README, which may neither touch other keys nor read or stop the server', async () => {
  const server = await startRedisServer();
  const admin = new Redis(server.url);
  onTestFinished(async () => {
    admin.disconnect();
    await server.kill();
  });
  await admin.call('ACL', 'SETUSER', 'wherry', ...documentedRules());
  const up = Promise.withResolvers<void>();
  const client = createRedis(
    { url: `redis://wherry:secret@127.0.0.1:${server.port}`, keyPrefix: 'wherry' },
    { random: Math.random, onUp: up.resolve, onDown: (reason) => up.reject(new Error(reason)) },
  );
  onTestFinished(() => client.disconnect());
  await up.promise;
  const options = { keyPrefix: 'wherry', fleet: 'shop' };
  await useEveryStore(createRedisCoordination(client, options), createRedisFailedStore(client, options));
  const forbidden = [['GET', 'other'], ['KEYS', '*'], ['FLUSHALL'], ['CONFIG', 'GET', '*'], ['SHUTDOWN'], ['MONITOR']];
  for (const [command = '', ...args] of forbidden) await expect(client.call(command, ...args)).rejects.toThrow(/^NOPERM/);
});
