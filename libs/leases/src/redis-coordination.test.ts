import type { Coordination } from '@wherry/core/coordination';
import { StoreError } from '@wherry/core/coordination';
import { partitionOf } from '@wherry/core/stable-hash';
import { auditEntry, auditStoreContract } from '@wherry/testkit/contracts/audit-store';
import { gateStoreContract } from '@wherry/testkit/contracts/gate-store';
import type { StoreHarness } from '@wherry/testkit/contracts/harness';
import { leaseProgressContract } from '@wherry/testkit/contracts/lease-progress';
import { leaseStoreContract } from '@wherry/testkit/contracts/lease-store';
import { memberStoreContract } from '@wherry/testkit/contracts/member-store';
import { pauseStoreContract } from '@wherry/testkit/contracts/pause-store';
import { permitStoreContract } from '@wherry/testkit/contracts/permit-store';
import { scaleStoreContract } from '@wherry/testkit/contracts/scale-store';
import { streamStoreContract } from '@wherry/testkit/contracts/stream-store';
import { startRedisServer } from '@wherry/testkit/redis-server';
import type { RedisServer } from '@wherry/testkit/redis-server';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Keys } from './keys.ts';
import { createRedisCoordination } from './redis-coordination.ts';
import { CORRUPT_OWNER } from './redis-lease-store.ts';

/**
 * Lets time pass inside Redis without waiting: whatever is stored as a moment is moved into the past instead. Knows every key
 * kind: hash fields that hold moments, sorted sets scored by moments, and the keys' own expiries.
 */
const SHIFT_TIME = `
local ms = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' then
    for _, field in ipairs({'x', 'wx', 'm', 'ct', 'u', 'px', 'ws'}) do
      local at = tonumber(redis.call('HGET', key, field) or '0')
      if at > 0 then redis.call('HSET', key, field, string.format('%.0f', at - ms)) end
    end
    if string.find(key, ':pauses$') then
      local pauses = redis.call('HGETALL', key)
      for i = 1, #pauses, 2 do
        local from, to, words = string.match(pauses[i + 1], '^(%d+) (%S+) (.*)$')
        to = to == '-' and to or string.format('%.0f', to - ms)
        redis.call('HSET', key, pauses[i], string.format('%.0f', from - ms) .. ' ' .. to .. ' ' .. words)
      end
    end
  elseif kind == 'zset' then
    local entries = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #entries, 2 do redis.call('ZADD', key, entries[i + 1] - ms, entries[i]) end
  end
  local ttl = redis.call('PTTL', key)
  if ttl >= 0 then redis.call('PEXPIRE', key, ttl - ms) end
end`;

const OPTIONS = { keyPrefix: 'wherry', fleet: 'test' };
let server: RedisServer;
let client: Redis;
let coordination: Coordination;

beforeAll(async () => {
  server = await startRedisServer();
  client = new Redis(server.url);
  coordination = createRedisCoordination(client, OPTIONS);
});
afterAll(async () => {
  client.disconnect();
  await server.kill();
});

function open<Key extends keyof Coordination>(key: Key): () => Promise<StoreHarness<Coordination[Key]>> {
  return async () => {
    await client.flushall();
    const advance = async (ms: number): Promise<void> => {
      await client.eval(SHIFT_TIME, 0, ms);
    };
    return { store: coordination[key], advance };
  };
}

leaseStoreContract('Redis', open('leases'));
leaseProgressContract('Redis', open('leases'));
memberStoreContract('Redis', open('members'));
permitStoreContract('Redis', open('permits'));
gateStoreContract('Redis', open('gates'));
scaleStoreContract('Redis', open('scale'));
streamStoreContract('Redis', open('streams'));
pauseStoreContract('Redis', open('pauses'));
auditStoreContract('Redis', open('audit'));

describe('Redis alone', () => {
  const keys = new Keys('wherry', 'test');

  it('never lets a lease row expire by itself', async () => {
    const { store } = await open('leases')();
    await store.acquire('a', 'ann', 10);
    await store.renew('ann', [{ id: 'a', epoch: 1 }], 10);
    await store.release('a', 'ann', 1);
    expect(await client.ttl(keys.lease('a'))).toBe(-1);
  });

  it('runs its scripts although Redis has forgotten them', async () => {
    const { store } = await open('leases')();
    await store.acquire('a', 'ann', 10_000);
    await client.script('FLUSH');
    expect(await store.acquire('a', 'ann', 10_000)).toMatchObject({ epoch: 1 });
  });

  it('starts above the epoch floor that an operator raised after a restore', async () => {
    const { store } = await open('leases')();
    await client.set(keys.epochFloor(partitionOf('a')), '41');
    expect(await store.acquire('a', 'ann', 10_000)).toMatchObject({ epoch: 42 });
  });

  it.each([
    ['without an epoch', { o: 'ann', x: '1', c: '5' }],
    ['with an epoch that is no number', { o: '', e: 'abc', x: '0' }],
    ['with an expiry that is no number', { o: 'ann', e: '3', x: 'soon' }],
  ])('leaves a row %s alone and shows it as corrupt', async (_, row) => {
    const { store } = await open('leases')();
    await client.hset(keys.lease('a'), row);
    expect(await store.acquire('a', 'bob', 10_000)).toEqual({ kind: 'held', owner: CORRUPT_OWNER });
    expect((await store.view(['a', 'b'])).map(({ owner, live }) => [owner, live])).toEqual([
      [CORRUPT_OWNER, true],
      ['', false],
    ]);
    expect(await store.renew('bob', [{ id: 'a', epoch: 1 }], 10_000)).toEqual(['lost']);
    expect(await client.hgetall(keys.lease('a'))).toEqual(row);
  });

  it('neither moves nor fills in a row that it cannot understand, and says which', async () => {
    const { store } = await open('leases')();
    const rows = { a: { o: 'ann', x: '1' }, b: { o: '', e: 'abc', x: '0' }, c: { o: '', e: '3', x: 'soon' } };
    for (const [id, row] of Object.entries(rows)) await client.hset(keys.lease(id), row);
    await store.create(Object.keys(rows).map((id) => ({ id, checkpoint: '1', ended: true })));
    for (const [id, row] of Object.entries(rows)) {
      await expect(store.reposition([{ id, checkpoint: '1', ended: false }])).rejects.toThrow(new RegExp(`row of ${id} is damaged`));
      expect(await client.hgetall(keys.lease(id))).toEqual(row);
    }
  });

  it('moves no further row once one could not be moved', async () => {
    const { store } = await open('leases')();
    await client.hset(keys.lease('damaged'), { o: '', e: 'abc', x: '0' });
    const moving = store.reposition(['parent', 'damaged', 'child'].map((id) => ({ id, checkpoint: '1', ended: false })));
    await expect(moving).rejects.toThrow(StoreError);
    expect((await store.view(['parent', 'child'])).map(({ checkpoint }) => checkpoint)).toEqual(['1', undefined]);
  });

  it('moves a row above the epoch floor that an operator raised', async () => {
    const { store } = await open('leases')();
    await client.set(keys.epochFloor(partitionOf('a')), '41');
    await store.reposition([{ id: 'a', checkpoint: '1', ended: false }]);
    expect((await store.view(['a']))[0]?.epoch).toBe(42);
  });

  it('gives a register another version after everything was wiped, or lost since some moment, and written anew', async () => {
    const versions = new Set<string>();
    const { store } = await open('streams')();
    for (const lost of ['nothing', 'everything', 'the last change', 'the last change']) {
      if (lost === 'everything') await client.flushall();
      if (lost === 'the last change') await client.hmset(keys.streams('m'), { n: '0', p: '' });
      await store.change(
        'm',
        { arn: 'arn', createdAtMs: 1 },
        { register: [], missing: [], nowMs: 1, foundAgain: [], retire: [], unregister: [] },
      );
      const [register] = await store.read([{ id: 'm' }]);
      versions.add(typeof register === 'object' ? register.version : '');
    }
    expect(versions.size).toBe(4);
  });

  it('leaves no key behind when registers are removed and pauses are over', async () => {
    await client.flushall();
    const stream = { arn: 'arn', createdAtMs: undefined };
    const change = { register: [{ shardId: 's', parentShardIds: [] }], missing: [], nowMs: 1, foundAgain: [], retire: [], unregister: [] };
    await coordination.streams.change('m', stream, change);
    await coordination.streams.remove('m', stream);
    await coordination.pauses.pause('m', 'ann', '', 0);
    await coordination.pauses.pauses();
    expect(await client.keys('*')).toEqual([]);
  });

  it('keeps as many audit entries as it was told to', async () => {
    await client.flushall();
    const { audit } = createRedisCoordination(client, { ...OPTIONS, auditKeep: 2 });
    for (let number = 1; number <= 3; number += 1) await audit.append(auditEntry(number));
    expect(await audit.newest(10)).toEqual([auditEntry(3), auditEntry(2)]);
    await client.lpush(keys.audit(), 'not an entry');
    expect(await audit.newest(10)).toEqual([auditEntry(3), auditEntry(2)]);
  });

  it('sweeps members that fell silent and skips rows it cannot read', async () => {
    const { store, advance } = await open('members')();
    const [, rows] = keys.members();
    const info = {
      version: '1',
      configHash: '',
      capacity: 1,
      draining: false,
      startedAtMs: 0,
      leases: 0,
      inFlight: 0,
      bufferedBytes: 0,
      adminUrl: '',
    };
    await store.heartbeat('dead', info, 10_000);
    await advance(10_000);
    await store.heartbeat('ann', info, 10_000);
    expect(await client.hkeys(rows)).toEqual(['ann']);
    await store.heartbeat('bob', info, 10_000);
    await client.hset(rows, 'ann', 'not a row');
    expect((await store.members()).map(({ token }) => token)).toEqual(['bob']);
  });

  it('leaves no key behind when permits and throttles are over', async () => {
    await client.flushall();
    await coordination.permits.acquire('f', [{ scope: 's', limit: 1 }], 'token', 60_000);
    await coordination.gates.throttle('t', 60_000, 'slow');
    const ttls = await Promise.all((await client.keys('*')).map((key) => client.pttl(key)));
    expect(ttls).toHaveLength(2);
    expect(ttls.every((ttl) => ttl > 50_000 && ttl <= 60_000)).toBe(true);
  });

  it('tells every failure as a StoreError, without the arguments of the command', async () => {
    const { store } = await open('leases')();
    await client.set(keys.lease('a'), 'not a hash');
    const failure: unknown = await store.acquire('a', 'owner-token', 10_000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreError);
    expect(String(failure)).toMatch(/WRONGTYPE/);
    expect(JSON.stringify(failure)).not.toContain('owner-token');
    const gone = new Redis(server.url, { lazyConnect: true });
    gone.disconnect();
    await expect(createRedisCoordination(gone, OPTIONS).gates.close('x')).rejects.toThrow(StoreError);
  });
});
