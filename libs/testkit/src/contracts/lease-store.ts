import type { LeaseStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

const TTL = 10_000;
const LOW = '49590338271490256608559692538361571095921575989136588898';

/** Who owns what, and how it changes hands. Checkpoints have their own contract. */
export function leaseStoreContract(name: string, open: OpenStore<LeaseStore>): void {
  describe(`${name}: taking and keeping a lease`, () => {
    it('gives a free lease to the first who asks, with epoch 1 and no checkpoint', async () => {
      const { store } = await open();
      expect(await store.acquire('a', 'ann', TTL)).toEqual({ kind: 'acquired', epoch: 1, checkpoint: undefined, window: '' });
      expect(await store.acquire('a', 'bob', TTL)).toEqual({ kind: 'held', owner: 'ann' });
    });

    it('gives an expired lease to another under the next epoch, keeping the checkpoint and the window', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      await store.checkpoint('a', 'ann', 1, LOW, 'w');
      await advance(TTL);
      expect(await store.acquire('a', 'bob', TTL)).toEqual({ kind: 'acquired', epoch: 2, checkpoint: LOW, window: 'w' });
    });

    it('answers a repeat by the owner with the same epoch and a full ttl', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      await advance(7_000);
      expect(await store.acquire('a', 'ann', TTL)).toMatchObject({ kind: 'acquired', epoch: 1 });
      await advance(7_000);
      expect(await store.acquire('a', 'bob', TTL)).toMatchObject({ kind: 'held' });
    });

    it('gives the same owner a new epoch once its lease has expired', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      await advance(TTL);
      expect(await store.acquire('a', 'ann', TTL)).toMatchObject({ kind: 'acquired', epoch: 2 });
      expect(await store.renew('ann', [{ id: 'a', epoch: 1 }], TTL)).toEqual(['lost']);
    });

    it('renews many at once, each by its own owner and epoch, in the order given', async () => {
      const { store, advance } = await open();
      const ids = Array.from({ length: 300 }, (_, i) => `unit-${i}`);
      await Promise.all(ids.map((id) => store.acquire(id, id === 'unit-7' ? 'bob' : 'ann', TTL)));
      await advance(7_000);
      const renewed = await store.renew(
        'ann',
        ids.map((id) => ({ id, epoch: id === 'unit-9' ? 2 : 1 })),
        TTL,
      );
      expect(renewed).toEqual(ids.map((id) => (id === 'unit-7' || id === 'unit-9' ? 'lost' : 'renewed')));
      await advance(7_000);
      expect((await store.view(['unit-8', 'unit-9'])).map((view) => view.live)).toEqual([true, false]);
    });

    it('does not renew what has expired, even if nobody took it', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      await advance(TTL);
      expect(await store.renew('ann', [{ id: 'a', epoch: 1 }], TTL)).toEqual(['lost']);
    });

    it('frees a lease whose expiry lies absurdly far ahead, because the clock went backwards', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      await advance(-3_600_000);
      expect((await store.view(['a']))[0]).toMatchObject({ owner: 'ann', live: false });
      expect(await store.acquire('a', 'bob', TTL)).toMatchObject({ kind: 'acquired', epoch: 2 });
    });

    it('lets an owner with a longer ttl keep its lease from one with a shorter ttl', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', 20 * TTL);
      expect(await store.acquire('a', 'bob', TTL)).toEqual({ kind: 'held', owner: 'ann' });
    });
  });
  handOver(name, open);
  rows(name, open);
}

function handOver(name: string, open: OpenStore<LeaseStore>): void {
  describe(`${name}: handing a lease over`, () => {
    it('frees a released lease at once, but only for its owner and epoch', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', TTL);
      expect(await store.release('a', 'bob', 1)).toBe(false);
      expect(await store.release('a', 'ann', 2)).toBe(false);
      expect(await store.release('a', 'ann', 1)).toBe(true);
      expect(await store.release('a', 'ann', 1)).toBe(false);
      expect(await store.acquire('a', 'bob', TTL)).toMatchObject({ kind: 'acquired', epoch: 2 });
    });

    it('reserves a released lease for the next owner for 5 s, no longer', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      await store.release('a', 'ann', 1, 'bob');
      expect(await store.acquire('a', 'cat', TTL)).toEqual({ kind: 'held', owner: 'bob' });
      expect((await store.view(['a']))[0]).toMatchObject({ live: false, wantedBy: 'bob' });
      await advance(5_000);
      expect(await store.acquire('a', 'cat', TTL)).toMatchObject({ kind: 'acquired', epoch: 2 });
    });

    it('tells the owner that another wants the lease, and gives it to that one on release', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', TTL);
      expect(await store.want('a', 'bob', TTL)).toBe(true);
      expect(await store.want('a', 'bob', TTL)).toBe(true);
      expect(await store.want('a', 'cat', TTL)).toBe(false);
      expect(await store.renew('ann', [{ id: 'a', epoch: 1 }], TTL)).toEqual(['wanted']);
      expect((await store.view(['a']))[0]).toMatchObject({ owner: 'ann', live: true, wantedBy: 'bob' });
      await store.release('a', 'ann', 1);
      expect(await store.acquire('a', 'cat', TTL)).toEqual({ kind: 'held', owner: 'bob' });
      expect(await store.acquire('a', 'bob', TTL)).toMatchObject({ kind: 'acquired', epoch: 2 });
      expect(await store.renew('bob', [{ id: 'a', epoch: 2 }], TTL)).toEqual(['renewed']);
    });

    it('forgets a request when its time is over', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', 4 * TTL);
      await store.want('a', 'bob', TTL);
      await advance(TTL);
      expect(await store.renew('ann', [{ id: 'a', epoch: 1 }], TTL)).toEqual(['renewed']);
      expect(await store.want('a', 'cat', TTL)).toBe(true);
    });

    it('does not hold an expired lease back for who wanted it', async () => {
      const { store, advance } = await open();
      await store.acquire('a', 'ann', TTL);
      await store.want('a', 'bob', 3 * TTL);
      await advance(TTL);
      expect(await store.acquire('a', 'cat', TTL)).toMatchObject({ kind: 'acquired', epoch: 2 });
    });

    it('takes no request for a lease of one’s own, a free one, an expired one or an unknown one', async () => {
      const { store, advance } = await open();
      await store.acquire('own', 'ann', TTL);
      await store.acquire('free', 'bob', TTL);
      await store.release('free', 'bob', 1);
      expect(await store.want('own', 'ann', TTL)).toBe(false);
      expect(await store.want('free', 'ann', TTL)).toBe(false);
      expect(await store.want('unknown', 'ann', TTL)).toBe(false);
      await advance(TTL);
      expect(await store.want('own', 'bob', TTL)).toBe(false);
    });
  });
}

function rows(name: string, open: OpenStore<LeaseStore>): void {
  describe(`${name}: looking at leases and removing them`, () => {
    it('shows leases in the order asked, those never taken with epoch 0', async () => {
      const { store, advance } = await open();
      await store.acquire('b', 'ann', TTL);
      await advance(4_000);
      const [never, taken] = await store.view(['a', 'b']);
      expect(never).toMatchObject({ id: 'a', owner: '', epoch: 0, live: false, ended: false, sinceMovedMs: Infinity });
      expect(taken).toMatchObject({ id: 'b', owner: 'ann', epoch: 1, live: true, checkpoint: undefined, wantedBy: undefined });
      expect(taken?.sinceMovedMs).toBeGreaterThanOrEqual(4_000);
      expect(taken?.sinceMovedMs).toBeLessThan(5_000);
    });

    it('removes rows nobody holds, and never repeats an epoch when a unit comes back', async () => {
      const { store } = await open();
      await store.acquire('a', 'ann', TTL);
      await store.remove(['a', 'unknown']);
      expect((await store.view(['a']))[0]).toMatchObject({ owner: 'ann', live: true });
      await store.release('a', 'ann', 1);
      await store.remove(['a']);
      expect((await store.view(['a']))[0]).toMatchObject({ owner: '', epoch: 0 });
      expect(await store.acquire('a', 'bob', TTL)).toMatchObject({ kind: 'acquired', epoch: 2 });
    });

    it('has nothing to say about no leases', async () => {
      const { store } = await open();
      expect(await store.view([])).toEqual([]);
      expect(await store.renew('ann', [], TTL)).toEqual([]);
      await store.remove([]);
    });
  });
}
