import type { PauseStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

/** Which mappings people have stopped. */
export function pauseStoreContract(name: string, open: OpenStore<PauseStore>): void {
  describe(`${name}: pauses`, () => {
    it('stands until somebody resumes, with who and why', async () => {
      const { store, advance } = await open();
      expect(await store.pauses()).toEqual(new Map());
      await store.pause('a', 'ann@shop', 'deploy: "42" ü\n', Infinity);
      await advance(3_600_000);
      const pause = (await store.pauses()).get('a');
      expect(pause).toMatchObject({ by: 'ann@shop', reason: 'deploy: "42" ü\n', leftMs: Infinity });
      expect(pause?.sinceMs).toBeGreaterThanOrEqual(3_600_000);
      expect(pause?.sinceMs).toBeLessThan(3_601_000);
      expect(await store.resume('a')).toBe(true);
      expect(await store.resume('a')).toBe(false);
      expect(await store.pauses()).toEqual(new Map());
    });

    it('ends by itself when its time is over', async () => {
      const { store, advance } = await open();
      await store.pause('a', 'ann', '', 60_000);
      await store.pause('b', 'ann', '', Infinity);
      await advance(40_000);
      expect([...(await store.pauses()).keys()].toSorted()).toEqual(['a', 'b']);
      const leftMs = (await store.pauses()).get('a')?.leftMs;
      expect(leftMs).toBeGreaterThan(19_000);
      expect(leftMs).toBeLessThanOrEqual(20_000);
      await advance(20_000);
      expect([...(await store.pauses()).keys()]).toEqual(['b']);
      expect(await store.resume('a')).toBe(false);
    });

    it('takes the place of an earlier pause, and of one that is over', async () => {
      const { store, advance } = await open();
      await store.pause('a', 'ann', 'first', 1_000);
      await store.pause('a', 'bob', 'second', 60_000);
      await advance(10_000);
      expect((await store.pauses()).get('a')).toMatchObject({ by: 'bob', reason: 'second' });
      await advance(50_000);
      expect(await store.resume('a')).toBe(false);
      await store.pause('a', 'cat', 'third', 60_000);
      expect((await store.pauses()).get('a')).toMatchObject({ by: 'cat' });
    });
  });
}
