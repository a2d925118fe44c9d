import type { PermitStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

const TTL = 30_000;

/** Caps that hold across the fleet and through crashes. */
export function permitStoreContract(name: string, open: OpenStore<PermitStore>): void {
  describe(`${name}: permits`, () => {
    it('gives out as many as the limit says, and one more for each that comes back', async () => {
      const { store } = await open();
      const scopes = [{ scope: 'mapping', limit: 2 }];
      expect(await store.acquire('f', scopes, 't1', TTL)).toBe(true);
      expect(await store.acquire('f', scopes, 't2', TTL)).toBe(true);
      expect(await store.acquire('f', scopes, 't3', TTL)).toBe(false);
      await store.release('f', ['mapping'], 't1');
      await store.release('f', ['mapping'], 'unknown');
      expect(await store.acquire('f', scopes, 't3', TTL)).toBe(true);
      expect(await store.inUse('f', 'mapping')).toBe(2);
    });

    it('takes one in every scope or none in any', async () => {
      const { store } = await open();
      await store.acquire('f', [{ scope: 'function', limit: 1 }], 't1', TTL);
      const both = [
        { scope: 'mapping', limit: 5 },
        { scope: 'function', limit: 1 },
      ];
      expect(await store.acquire('f', both, 't2', TTL)).toBe(false);
      expect(await store.inUse('f', 'mapping')).toBe(0);
      await store.release('f', ['function'], 't1');
      expect(await store.acquire('f', both, 't2', TTL)).toBe(true);
      await store.release('f', ['mapping', 'function'], 't2');
      expect([await store.inUse('f', 'mapping'), await store.inUse('f', 'function')]).toEqual([0, 0]);
    });

    it('counts a repeat with the same token once, even at the limit', async () => {
      const { store } = await open();
      const scopes = [{ scope: 'mapping', limit: 1 }];
      expect(await store.acquire('f', scopes, 't1', TTL)).toBe(true);
      expect(await store.acquire('f', scopes, 't1', TTL)).toBe(true);
      expect(await store.inUse('f', 'mapping')).toBe(1);
    });

    it('keeps the permit of a poller that died until its own ttl, then forgets it', async () => {
      const { store, advance } = await open();
      const scopes = [{ scope: 'mapping', limit: 1 }];
      await store.acquire('f', scopes, 'dead', TTL);
      await advance(TTL - 5_000);
      expect(await store.acquire('f', scopes, 'next', TTL)).toBe(false);
      await advance(5_000);
      expect(await store.inUse('f', 'mapping')).toBe(0);
      expect(await store.acquire('f', scopes, 'next', TTL)).toBe(true);
    });

    it('keeps a long permit that shares a scope with a short one', async () => {
      const { store, advance } = await open();
      const scopes = [{ scope: 'mapping', limit: 2 }];
      await store.acquire('f', scopes, 'long', 10 * TTL);
      await store.acquire('f', scopes, 'short', TTL);
      await advance(TTL);
      expect(await store.inUse('f', 'mapping')).toBe(1);
    });

    it('obeys a limit that was lowered meanwhile, and one of 0 gives nothing', async () => {
      const { store } = await open();
      await store.acquire('f', [{ scope: 'mapping', limit: 3 }], 't1', TTL);
      await store.acquire('f', [{ scope: 'mapping', limit: 3 }], 't2', TTL);
      expect(await store.acquire('f', [{ scope: 'mapping', limit: 2 }], 't3', TTL)).toBe(false);
      expect(await store.acquire('f', [{ scope: 'other', limit: 0 }], 't3', TTL)).toBe(false);
    });

    it('never gives out more than the limit to many who ask at once', async () => {
      const { store } = await open();
      const asks = Array.from({ length: 50 }, (_, i) => store.acquire('f', [{ scope: 'mapping', limit: 7 }], `t${i}`, TTL));
      expect((await Promise.all(asks)).filter(Boolean)).toHaveLength(7);
    });
  });
}
