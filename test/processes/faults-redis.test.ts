import { once } from 'node:events';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { startTcpFaultProxy, type TcpFaultProxy } from '@wherry/testkit/tcp-fault-proxy';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { TestFleet, until, type Lane, type TestPoller } from './fleet.ts';
import { agreed, becomes, Ledger, namedTarget, startNamed } from './ledger.ts';

const NAMES = ['a', 'b', 'c'];
const TIMEOUT_SECONDS = 2;

let fleet: TestFleet;
let redis: RedisServer;
/** The way of poller `b` to Redis. */
let link: TcpFaultProxy;
let pollers: TestPoller[] = [];

beforeAll(async () => {
  redis = await startRedisServer();
  link = await startTcpFaultProxy(redis.port);
  const leases = { ttl: '${LEASE_TTL:-2s}', renewEvery: '${LEASE_RENEW:-500ms}', rebalanceEvery: '2s' };
  fleet = await TestFleet.open({ config: { redis: { url: '${REDIS_URL}' }, leases } });
});
afterEach(async () => {
  for (const { child } of pollers) child.kill('SIGTERM');
  await Promise.all(pollers.map(({ exited }) => exited));
});
afterAll(async () => {
  await Promise.all([fleet.close(), link.close()]);
  await redis.kill();
});

function redisUrl(poller: string): string {
  return poller === 'b' ? `redis://127.0.0.1:${link.port}` : redis.url;
}

/** A lane of its own for a test, and three pollers that all carry its messages. */
async function underLoad(name: string, mapping: object = {}, env: Readonly<Record<string, string>> = {}) {
  const lane = await fleet.addLane(name, {
    queue: { visibilityTimeoutSeconds: 6 },
    mapping: { sqs: { waitTime: '1s' }, ...mapping },
    function: { ...namedTarget(`${fleet.functions.url}/${name}`), Timeout: TIMEOUT_SECONDS },
  });
  await fleet.reload();
  fleet.removeMapping(name);
  const ledger = new Ledger(fleet, lane);
  pollers = await startNamed(fleet, NAMES, (poller) => ({ REDIS_URL: redisUrl(poller), ...env }));
  ledger.start();
  await ledger.deliversBy(NAMES);
  return { lane, ledger };
}

/** The fleet works as before; nothing was lost and nothing came twice. */
async function isWhole(ledger: Ledger, lane: Lane): Promise<void> {
  await agreed(pollers, lane, NAMES.length);
  await ledger.delivers(200);
  expect((await ledger.settle()).lost).toEqual([]);
  expect(ledger.duplicates()).toEqual([]);
}

test('Redis is killed under load and comes back empty after 12 s: pollers stop and say so, then go on', async () => {
  const { lane, ledger } = await underLoad('crashed', {}, { LEASE_TTL: '10s', LEASE_RENEW: '3s' });
  const { port } = redis;
  await redis.kill();
  // The length of the outage is what is tested: longer than a lease of the default ttl.
  await Promise.all([once(AbortSignal.timeout(12_000), 'abort'), ...pollers.map((poller) => becomes(poller, 503))]);
  const during = ledger.arrivals.length;
  redis = await startRedisServer({ port });
  await Promise.all(pollers.map((poller) => becomes(poller, 200)));
  expect(during).toBeGreaterThan(0);
  await isWhole(ledger, lane);
});

test('Redis freezes under load and thaws after every lease has lapsed: delivery stops and resumes', async () => {
  const { lane, ledger } = await underLoad('frozen');
  redis.signal('SIGSTOP');
  let stoppedAt: number;
  try {
    await Promise.all(pollers.map((poller) => becomes(poller, 503)));
    await Promise.all(pollers.map((poller) => fenced(poller)));
    stoppedAt = ledger.arrivals.length;
    await once(AbortSignal.timeout(1_000), 'abort');
    expect(ledger.arrivals.length).toBe(stoppedAt);
  } finally {
    redis.signal('SIGCONT');
  }
  await Promise.all(pollers.map((poller) => becomes(poller, 200)));
  await isWhole(ledger, lane);
});

test('Redis is wiped under load: the fleet agrees anew, and a cap is exceeded only by invocations from before', async () => {
  const { lane, ledger } = await underLoad('wiped', { ScalingConfig: { MaximumConcurrency: 3 } });
  const invocations = () => fleet.functions.of(lane.name);
  expect(Math.max(...invocations().map(({ running }) => running))).toBeLessThanOrEqual(3);
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
  const wipedAtMs = performance.now();
  await until(
    () => performance.now(),
    (now) => now > wipedAtMs + TIMEOUT_SECONDS * 1_000,
  );
  await isWhole(ledger, lane);

  // What ran when its permit was wiped ends within the function's Timeout; until then as much again may run beside it.
  const after = invocations().filter(({ startedAtMs }) => startedAtMs >= wipedAtMs);
  const settled = after.filter(({ startedAtMs }) => startedAtMs >= wipedAtMs + TIMEOUT_SECONDS * 1_000);
  expect(Math.max(...after.map(({ running }) => running))).toBeLessThanOrEqual(6);
  expect(settled.length).toBeGreaterThan(0);
  expect(Math.max(...settled.map(({ running }) => running))).toBeLessThanOrEqual(3);
});

test('one poller is cut off from Redis: it fences itself, the others take over, and it comes back', async () => {
  const { lane, ledger } = await underLoad('cutoff');
  const [a, b, c] = pollers as [TestPoller, TestPoller, TestPoller];
  await link.setMode('blackHole');
  try {
    await becomes(b, 503);
    await fenced(b);
    await agreed([a, c], lane, 2);
    const before = ledger.by('b').length;
    await ledger.delivers(300);
    expect(ledger.by('b').length).toBe(before);
  } finally {
    await link.setMode('pass');
  }
  await becomes(b, 200);
  await isWhole(ledger, lane);
});

/** Waits until the poller trusts none of its leases any more. */
async function fenced(poller: TestPoller): Promise<void> {
  await until(
    () => poller.status(),
    ({ mappings }) => mappings.every(({ slots, inFlight }) => slots.here === 0 && inFlight === 0),
  );
}
