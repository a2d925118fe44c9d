import type { RedisSettings } from '@wherry/core/mapping';
import { createRedis, type RedisClient } from '@wherry/leases/redis-client';
import type { OnlineFinding } from './online-finding.ts';

/** Whether the fleet's Redis answers, and keeps what it is given. Writes nothing. */
export async function checkRedis(settings: RedisSettings): Promise<OnlineFinding[]> {
  const path = ['redis', settings.cluster ? 'cluster' : settings.sentinel ? 'sentinel' : 'url'];
  try {
    const policy = await connected(settings, readPolicy);
    return policy === 'noeviction' ? [] : [evictionFinding(path, policy)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      {
        severity: 'error',
        path,
        code: 'redis-unreachable',
        message: `Redis cannot be used (${reason})`,
        help: 'start it, or correct address, password and TLS settings',
      },
    ];
  }
}

/** Runs `work` on a connection that is up, or throws the reason why there is none. */
async function connected<Result>(settings: RedisSettings, work: (client: RedisClient) => Promise<Result>): Promise<Result> {
  const state = Promise.withResolvers<void>();
  const client = createRedis(settings, {
    random: Math.random,
    onUp: state.resolve,
    onDown: (reason) => state.reject(new Error(reason)),
    connectionName: 'wherry-validate',
  });
  try {
    await state.promise;
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** `maxmemory_policy` as INFO tells it: managed Redis services refuse CONFIG GET, but not INFO. */
async function readPolicy(client: RedisClient): Promise<string> {
  const info = await client.info('memory');
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'unknown';
}

function evictionFinding(path: readonly string[], policy: string): OnlineFinding {
  return {
    severity: 'error',
    path,
    code: 'redis-evicts',
    message: `Redis may throw away what it holds: its maxmemory-policy is ${policy}`,
    help: 'leases and checkpoints must never be evicted; set maxmemory-policy noeviction',
  };
}
