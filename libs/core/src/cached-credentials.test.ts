import { SimClock } from '@wherry/testkit/sim-clock';
import { describe, expect, it } from 'vitest';
import { type AwsCredentials, CachedCredentials } from './cached-credentials.ts';

function setup(fetch: (turn: number) => Promise<AwsCredentials>) {
  const clock = new SimClock();
  const counter = { fetches: 0 };
  const cached = new CachedCredentials(() => fetch(++counter.fetches), { clock: clock.clock(), random: () => 0.5 });
  return { clock, cached, counter };
}

const keys = (turn: number, expiresAtMs?: number): AwsCredentials => ({
  accessKeyId: `AKID${turn}`,
  secretAccessKey: 's',
  ...(expiresAtMs === undefined ? {} : { expiration: new Date(expiresAtMs) }),
});

describe('cached credentials', () => {
  it('fetches once, however many ask at the same time', async () => {
    const { cached, counter } = setup((turn) => Promise.resolve(keys(turn)));
    const all = await Promise.all(Array.from({ length: 50 }, () => cached.get()));
    expect(new Set(all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['AKID1']));
    expect(counter.fetches).toBe(1);
  });

  it('keeps keys without an expiry', async () => {
    const { cached, clock, counter } = setup((turn) => Promise.resolve(keys(turn)));
    await cached.get();
    await clock.advance(365 * 86_400_000);
    await cached.get();
    expect(counter.fetches).toBe(1);
  });

  it('renews in the background at three quarters of the life, and hands out the old keys meanwhile', async () => {
    const { cached, clock, counter } = setup((turn) => Promise.resolve(keys(turn, clock.nowMs() + 3_610_000)));
    await cached.get();
    await clock.advance(2_699_999);
    expect((await cached.get()).accessKeyId).toBe('AKID1');
    expect(counter.fetches).toBe(1);
    await clock.advance(1);
    expect((await cached.get()).accessKeyId).toBe('AKID1');
    await clock.advance(1);
    expect((await cached.get()).accessKeyId).toBe('AKID2');
    expect(counter.fetches).toBe(2);
  });

  it('uses the old keys until they expire while new ones cannot be had, and asks ever more rarely', async () => {
    const { cached, clock, counter } = setup((turn) =>
      turn === 1 ? Promise.resolve(keys(1, clock.nowMs() + 3_610_000)) : Promise.reject(new Error('STS is down')),
    );
    await cached.get();
    for (let second = 0; second < 3_599; second++) {
      await clock.advance(1_000);
      expect((await cached.get()).accessKeyId).toBe('AKID1');
    }
    // 5, 10, 20, 40 and then every 60 seconds of the 899 that are left of the life.
    expect(counter.fetches).toBe(1 + 4 + 14);
    await clock.advance(1_000);
    await expect(cached.get()).rejects.toThrow('STS is down');
  });

  it('does not ask again right after a failure', async () => {
    const { cached, clock, counter } = setup((turn) =>
      turn < 3 ? Promise.reject(new Error(`failure ${turn}`)) : Promise.resolve(keys(turn)),
    );
    await expect(cached.get()).rejects.toThrow('failure 1');
    await clock.advance(4_999);
    await expect(cached.get()).rejects.toThrow('failure 1');
    await clock.advance(1);
    await expect(cached.get()).rejects.toThrow('failure 2');
    await clock.advance(10_000);
    expect((await cached.get()).accessKeyId).toBe('AKID3');
    expect(counter.fetches).toBe(3);
  });

  it('drops rejected keys, but not those that have replaced them already', async () => {
    const { cached, counter } = setup((turn) => Promise.resolve(keys(turn)));
    const first = await cached.get();
    cached.reject(first);
    expect((await cached.get()).accessKeyId).toBe('AKID2');
    cached.reject(first);
    expect((await cached.get()).accessKeyId).toBe('AKID2');
    expect(counter.fetches).toBe(2);
  });
});
