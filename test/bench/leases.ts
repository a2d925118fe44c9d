import { createRedis } from '@wherry/leases/redis-client';
import { Keys } from '@wherry/leases/keys';
import { RedisLeaseStore } from '@wherry/leases/redis-lease-store';
import { Scripts, luaSource } from '@wherry/leases/scripts';
import { startRedisServer } from '@wherry/testkit/redis-server';
import { Redis } from 'ioredis';
import { figure, type Figure } from './figure.ts';

const LEASES = 10_000;
/** The load is defined as renewing all of them this often. */
const PERIOD_S = 10;
const ROUNDS = 7;
/** Renewals of everything per sample: one alone is too short to measure. */
const PER_ROUND = 10;
const TTL_MS = 60_000;
const OWNER = 'bench-poller';
/** The baseline's commands per pipeline. */
const PIPELINE = 1_000;

interface Cost {
  /** Part of one core, in percent, at one renewal of everything per period. */
  readonly clientPercent: number;
  readonly redisPercent: number;
}

/**
 * What renewing 10,000 leases every 10 s costs the poller and Redis, beside one script call per lease in pipelines. Client CPU
 * is that of this whole process, garbage collection included; Redis's is its own (`INFO cpu`); script times are Redis's slow log.
 */
export async function benchLeases(): Promise<Figure[]> {
  const server = await startRedisServer();
  const probe = new Redis(server.url);
  const up = Promise.withResolvers<void>();
  const client = createRedis(
    { url: server.url, keyPrefix: 'wherry' },
    { random: Math.random, onUp: up.resolve, onDown: (reason) => up.reject(new Error(reason)) },
  );
  try {
    await up.promise;
    const keys = new Keys('wherry', 'bench');
    const store = new RedisLeaseStore(new Scripts(client), keys);
    const leases = Array.from({ length: LEASES }, (_, i) => ({ id: `sqs-6c0f7f5e-2d4b-5b0a-9f0e-3f6f5f1c7a11-${i}`, epoch: 1 }));
    for (let i = 0; i < LEASES; i += PIPELINE) {
      await Promise.all(leases.slice(i, i + PIPELINE).map(({ id }) => store.acquire(id, OWNER, TTL_MS)));
    }
    const renewOurs = async (): Promise<void> => {
      const results = await store.renew(OWNER, leases, TTL_MS);
      if (results.some((result) => result !== 'renewed')) throw new Error('a lease was lost: the figures mean nothing');
    };
    const renewOneByOne = await oneByOne(
      probe,
      leases.map(({ id }) => keys.lease(id)),
    );
    await measure(probe, renewOurs);
    await measure(probe, renewOneByOne);
    const ours: Cost[] = [];
    const baseline: Cost[] = [];
    const longest: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await measure(probe, renewOurs));
      baseline.push(await measure(probe, renewOneByOne));
      longest.push(await longestScriptMs(probe, renewOurs));
    }
    return figures(ours, baseline, longest);
  } finally {
    client.disconnect();
    probe.disconnect();
    await server.kill();
  }
}

function figures(ours: readonly Cost[], baseline: readonly Cost[], longest: readonly number[]): Figure[] {
  const compared = (pick: (cost: Cost) => number) => ({ ours: ours.map(pick), baseline: baseline.map(pick) });
  return [
    figure({ name: 'leases.clientCpu', unit: '% of a core', ...compared((cost) => cost.clientPercent), atMost: 0.1 }),
    figure({ name: 'leases.redisCpu', unit: '% of a core', ...compared((cost) => cost.redisPercent), atMost: 0.3 }),
    figure({ name: 'leases.longestScript', unit: 'ms', ours: longest, atMost: 2 }),
  ];
}

/** One script call per lease, pipelined: what a store without batching costs. */
async function oneByOne(redis: Redis, keys: readonly string[]): Promise<() => Promise<void>> {
  const sha = String(await redis.script('LOAD', `${luaSource('prelude')}\n${luaSource('lease-renew')}`));
  return async () => {
    for (let i = 0; i < keys.length; i += PIPELINE) {
      const pipeline = redis.pipeline();
      for (const key of keys.slice(i, i + PIPELINE)) pipeline.evalsha(sha, 1, key, OWNER, TTL_MS, 1);
      await pipeline.exec();
    }
  };
}

async function measure(probe: Redis, renew: () => Promise<void>): Promise<Cost> {
  const redisBefore = await redisCpuSeconds(probe);
  const clientBefore = process.cpuUsage();
  for (let i = 0; i < PER_ROUND; i += 1) await renew();
  const { user, system } = process.cpuUsage(clientBefore);
  const redisSeconds = (await redisCpuSeconds(probe)) - redisBefore;
  return {
    clientPercent: ((user + system) / 1e6 / PER_ROUND / PERIOD_S) * 100,
    redisPercent: (redisSeconds / PER_ROUND / PERIOD_S) * 100,
  };
}

async function redisCpuSeconds(probe: Redis): Promise<number> {
  const info = await probe.info('cpu');
  const seconds = (field: string): number => Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  return seconds('used_cpu_user') + seconds('used_cpu_sys');
}

/** The longest script of one renewal, by Redis's slow log, which is on for this one alone because logging costs time too. */
async function longestScriptMs(probe: Redis, renew: () => Promise<void>): Promise<number> {
  await probe.config('SET', 'slowlog-log-slower-than', '0', 'slowlog-max-len', '10000');
  await probe.slowlog('RESET');
  await renew();
  await probe.config('SET', 'slowlog-log-slower-than', '-1');
  const log: unknown = await probe.slowlog('GET', 10_000);
  if (!Array.isArray(log)) throw new Error('SLOWLOG GET did not answer with a list');
  const microseconds = log.map((entry: unknown) => {
    const isScript = Array.isArray(entry) && Array.isArray(entry[3]) && String(entry[3][0]).toLowerCase().startsWith('eval');
    return isScript ? Number(entry[2]) : 0;
  });
  return Math.max(...microseconds) / 1_000;
}
