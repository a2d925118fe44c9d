import type { ScaleStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

const BOUNDS = { initial: 5, floor: 2, ceiling: 1_250, growthPerMinute: 300 };

/** The fleet-wide number of slots per mapping. */
export function scaleStoreContract(name: string, open: OpenStore<ScaleStore>): void {
  describe(`${name}: wished-for slots`, () => {
    it('is the initial number until somebody moves it, then the same for all', async () => {
      const { store } = await open();
      expect(await store.desired([])).toEqual(new Map());
      expect(await store.adjust('b', 3, BOUNDS)).toBe(8);
      const both = [
        { id: 'a', initial: 5 },
        { id: 'b', initial: 5 },
      ];
      expect(await store.desired(both)).toEqual(
        new Map([
          ['a', 5],
          ['b', 8],
        ]),
      );
    });

    it('stays within floor and ceiling', async () => {
      const { store } = await open();
      expect(await store.adjust('a', -100, BOUNDS)).toBe(2);
      expect(await store.adjust('a', 100, { ...BOUNDS, ceiling: 20 })).toBe(20);
    });

    it('grows by at most growthPerMinute across all who ask, and again in the next minute', async () => {
      const { store, advance } = await open();
      const wishes = await Promise.all(Array.from({ length: 10 }, () => store.adjust('a', 60, BOUNDS)));
      expect(Math.max(...wishes)).toBe(305);
      await advance(50_000);
      expect(await store.adjust('a', 60, BOUNDS)).toBe(305);
      await advance(10_000);
      expect(await store.adjust('a', 400, BOUNDS)).toBe(605);
    });

    it('shrinks freely, and what was shrunk costs growth to get back', async () => {
      const { store } = await open();
      expect(await store.adjust('a', 200, BOUNDS)).toBe(205);
      expect(await store.adjust('a', -150, BOUNDS)).toBe(55);
      expect(await store.adjust('a', 200, BOUNDS)).toBe(155);
    });

    it('applies new bounds at once, without metering them', async () => {
      const { store } = await open();
      await store.adjust('a', 300, BOUNDS);
      expect(await store.adjust('a', 0, { ...BOUNDS, ceiling: 10 })).toBe(10);
      expect(await store.adjust('a', 0, { ...BOUNDS, floor: 400 })).toBe(400);
      expect((await store.desired([{ id: 'a', initial: 5 }])).get('a')).toBe(400);
    });

    it('knows which mappings nobody has noted for a while, with the most slots each has had', async () => {
      const { store, advance } = await open();
      expect(await store.forgotten(0)).toEqual([]);
      await store.note([]);
      await store.note([
        { id: 'a', slots: 5 },
        { id: 'b', slots: 0 },
      ]);
      await advance(30_000);
      await store.note([{ id: 'a', slots: 40 }]);
      await store.note([{ id: 'a', slots: 7 }]);
      expect(await store.forgotten(20_000)).toEqual([{ id: 'b', slots: 0 }]);
      await advance(30_000);
      expect(await store.forgotten(20_000)).toEqual([
        { id: 'b', slots: 0 },
        { id: 'a', slots: 40 },
      ]);
      expect(await store.forgotten(120_000)).toEqual([]);
    });

    it('forgets a mapping with its wish, but not one that was noted again meanwhile', async () => {
      const { store, advance } = await open();
      for (const id of ['a', 'b']) await store.adjust(id, 10, BOUNDS);
      await store.note([
        { id: 'a', slots: 15 },
        { id: 'b', slots: 15 },
      ]);
      await advance(30_000);
      await store.note([{ id: 'b', slots: 1 }]);
      for (const id of ['a', 'b', 'never noted']) await store.forget(id, 20_000);
      const initial = [
        { id: 'a', initial: 5 },
        { id: 'b', initial: 5 },
      ];
      expect(await store.desired(initial)).toEqual(
        new Map([
          ['a', 5],
          ['b', 15],
        ]),
      );
      expect(await store.forgotten(0)).toEqual([{ id: 'b', slots: 15 }]);
    });

    it('shows no more than a hundred forgotten mappings at a time, out of any number', async () => {
      const { store, advance } = await open();
      await store.note(Array.from({ length: 1_200 }, (_, index) => ({ id: `m-${index}`, slots: index })));
      await advance(10_000);
      expect(await store.forgotten(5_000)).toHaveLength(100);
    });
  });
}
