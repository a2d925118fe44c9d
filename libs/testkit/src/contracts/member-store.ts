import type { MemberInfo, MemberStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

const TTL = 10_000;
const INFO: MemberInfo = {
  version: '0.1.0',
  configHash: 'abc',
  capacity: 1,
  draining: false,
  startedAtMs: 1_700_000_000_000,
  leases: 3,
  inFlight: 2,
  bufferedBytes: 1024,
  adminUrl: 'http://127.0.0.1:9401',
};

/** Who is alive, as everybody else sees it. */
export function memberStoreContract(name: string, open: OpenStore<MemberStore>): void {
  describe(`${name}: members`, () => {
    it('lists who has a heartbeat, sorted by token, with what they said last', async () => {
      const { store } = await open();
      expect(await store.members()).toEqual([]);
      await store.heartbeat('bob', INFO, TTL);
      await store.heartbeat('ann', INFO, TTL);
      await store.heartbeat('bob', { ...INFO, draining: true, leases: 0 }, TTL);
      expect((await store.members()).map(({ token, info }) => [token, info])).toEqual([
        ['ann', INFO],
        ['bob', { ...INFO, draining: true, leases: 0 }],
      ]);
    });

    it('tells how long a member has been silent, and drops it after its own ttl', async () => {
      const { store, advance } = await open();
      await store.heartbeat('ann', INFO, TTL);
      await store.heartbeat('bob', INFO, 2 * TTL);
      await advance(4_000);
      const silentMs = (await store.members())[0]?.silentMs ?? 0;
      expect(silentMs).toBeGreaterThanOrEqual(4_000);
      expect(silentMs).toBeLessThan(5_000);
      await advance(6_000);
      expect((await store.members()).map(({ token }) => token)).toEqual(['bob']);
      await store.heartbeat('ann', INFO, TTL);
      expect((await store.members()).map(({ token }) => token)).toEqual(['ann', 'bob']);
    });

    it('does not count a heartbeat from a future that only a clock set back explains', async () => {
      const { store, advance } = await open();
      await store.heartbeat('ann', INFO, TTL);
      await advance(-3_600_000);
      expect(await store.members()).toEqual([]);
      await store.heartbeat('ann', INFO, TTL);
      expect(await store.members()).toHaveLength(1);
    });

    it('drops a member at once when it leaves', async () => {
      const { store } = await open();
      await store.heartbeat('ann', INFO, TTL);
      await store.leave('ann');
      await store.leave('ann');
      expect(await store.members()).toEqual([]);
    });
  });
}
