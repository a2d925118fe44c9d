import type { GateStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

/** Breaker and throttle state of targets, shared by the fleet. */
export function gateStoreContract(name: string, open: OpenStore<GateStore>): void {
  describe(`${name}: gates`, () => {
    it('says nothing about targets that are simply closed', async () => {
      const { store } = await open();
      expect(await store.gates([])).toEqual(new Map());
      expect(await store.gates(['a', 'b'])).toEqual(new Map());
    });

    it('shows an open gate with its wait, failures and reason until somebody closes it', async () => {
      const { store, advance } = await open();
      await store.open('a', 5_000, 2, 'connection refused');
      const gate = (await store.gates(['b', 'a'])).get('a');
      expect(gate).toMatchObject({ state: 'open', failures: 2, reason: 'connection refused' });
      expect(gate?.waitMs).toBeGreaterThan(4_000);
      expect(gate?.waitMs).toBeLessThanOrEqual(5_000);
      await advance(5_000);
      expect((await store.gates(['a'])).get('a')).toMatchObject({ state: 'open', waitMs: 0 });
      await store.close('a');
      await store.close('a');
      expect(await store.gates(['a'])).toEqual(new Map());
    });

    it('keeps the longer wait and the higher count when several open a gate', async () => {
      const { store } = await open();
      await store.open('a', 60_000, 3, 'first');
      await store.open('a', 5_000, 0, 'second');
      const gate = (await store.gates(['a'])).get('a');
      expect(gate).toMatchObject({ failures: 3, reason: 'second' });
      expect(gate?.waitMs).toBeGreaterThan(50_000);
    });

    it('lets exactly one probe through once the wait is over', async () => {
      const { store, advance } = await open();
      expect(await store.tryProbe('a', 'ann', 8_000)).toBe(false);
      await store.open('a', 5_000, 0, 'refused');
      expect(await store.tryProbe('a', 'ann', 8_000)).toBe(false);
      await advance(5_000);
      const tries = await Promise.all(['ann', 'bob', 'cat'].map((owner) => store.tryProbe('a', owner, 8_000)));
      expect(tries.filter(Boolean)).toHaveLength(1);
      expect((await store.gates(['a'])).get('a')?.waitMs).toBeGreaterThan(7_000);
      await advance(8_000);
      expect(await store.tryProbe('a', 'dan', 8_000)).toBe(true);
    });

    it('waits again after a failed probe', async () => {
      const { store, advance } = await open();
      await store.open('a', 5_000, 0, 'refused');
      await advance(5_000);
      await store.tryProbe('a', 'ann', 60_000);
      await store.open('a', 10_000, 1, 'still refused');
      expect((await store.gates(['a'])).get('a')?.waitMs).toBeLessThanOrEqual(10_000);
      await advance(10_000);
      expect(await store.tryProbe('a', 'bob', 60_000)).toBe(true);
    });

    it('pauses a throttled target, never shortens the pause, and forgets it when it is over', async () => {
      const { store, advance } = await open();
      await store.throttle('a', 6_000, '429');
      await store.throttle('a', 2_000, 'shorter');
      const gate = (await store.gates(['a'])).get('a');
      expect(gate).toMatchObject({ state: 'closed', failures: 0, reason: '429' });
      expect(gate?.waitMs).toBeGreaterThan(5_000);
      await store.throttle('a', 9_000, 'longer');
      expect((await store.gates(['a'])).get('a')?.waitMs).toBeGreaterThan(8_000);
      expect(await store.tryProbe('a', 'ann', 1_000)).toBe(false);
      await advance(9_000);
      expect(await store.gates(['a'])).toEqual(new Map());
    });

    it('keeps an open gate open when a throttle comes in late', async () => {
      const { store } = await open();
      await store.open('a', 5_000, 1, 'refused');
      await store.throttle('a', 60_000, '429');
      expect((await store.gates(['a'])).get('a')).toMatchObject({ state: 'open', reason: 'refused' });
    });

    it('forgets an open gate an hour after its wait, when nobody has touched it', async () => {
      const { store, advance } = await open();
      await store.open('a', 5_000, 1, 'refused');
      await advance(5_000 + 3_599_000 - 2_000);
      expect((await store.gates(['a'])).size).toBe(1);
      await advance(3_000);
      expect((await store.gates(['a'])).size).toBe(0);
    });

    it('reads many targets at once', async () => {
      const { store } = await open();
      const targets = Array.from({ length: 1_200 }, (_, i) => `target-${i}`);
      await store.open('target-3', 1_000, 0, 'x');
      await store.throttle('target-1100', 5_000, 'y');
      expect([...(await store.gates(targets)).keys()].sort()).toEqual(['target-1100', 'target-3']);
    });
  });
}
