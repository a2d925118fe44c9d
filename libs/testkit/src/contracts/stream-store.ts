import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { RegisterChange, StreamRegister, StreamStore } from '@wherry/core/stream-store';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

const FIRST: StreamIdentity = { arn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/orders', createdAtMs: 1_700_000_000_000 };
/** Deleted and created again: same ARN, other creation time. */
const AGAIN: StreamIdentity = { ...FIRST, createdAtMs: 1_700_000_900_000 };
const TABLE: StreamIdentity = {
  arn: 'arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-01-01T00:00:00.000',
  createdAtMs: undefined,
};

function changeOf(change: Partial<RegisterChange>): RegisterChange {
  return { register: [], missing: [], nowMs: 1_000, foundAgain: [], retire: [], unregister: [], ...change };
}

const shard = (shardId: string, ...parentShardIds: string[]) => ({ shardId, parentShardIds });

/** The register of one mapping, which has to be there, its shards sorted by id: a store may keep them in any order. */
async function registerOf(store: StreamStore, id: string): Promise<StreamRegister> {
  const [register] = await store.read([{ id }]);
  if (register === undefined || register === 'unchanged') throw new Error(`${id}: the register is ${register}`);
  return { ...register, shards: register.shards.toSorted((one, other) => (one.shardId < other.shardId ? -1 : 1)) };
}

async function versionOf(store: StreamStore, id: string): Promise<string> {
  return (await registerOf(store, id)).version;
}

/** Which shards of which stream a mapping knows. */
export function streamStoreContract(name: string, open: OpenStore<StreamStore>): void {
  describe(`${name}: registers of streams`, () => {
    it('has none until the first change, also one of an empty stream, and knows where nothing changed', async () => {
      const { store } = await open();
      expect(await store.read([{ id: 'a' }, { id: 'b', knownVersion: '1' }])).toEqual([undefined, undefined]);
      expect(await store.read([])).toEqual([]);
      await store.change('b', TABLE, changeOf({}));
      const { stream, version, shards } = await registerOf(store, 'b');
      expect({ stream, shards }).toEqual({ stream: TABLE, shards: [] });
      expect(await store.read([{ id: 'a' }, { id: 'b', knownVersion: version }])).toEqual([undefined, 'unchanged']);
    });

    it('answers for hundreds of mappings in the order asked', async () => {
      const { store } = await open();
      const ids = Array.from({ length: 700 }, (_, i) => `mapping-${i}`);
      const changed = ids.filter((_, i) => i % 3 === 0);
      await Promise.all(changed.map((id) => store.change(id, FIRST, changeOf({ register: [shard(`shard-of-${id}`)] }))));
      const registers = await store.read(ids.map((id) => ({ id })));
      expect(
        registers.map((register) => (typeof register === 'object' ? register.shards.map(({ shardId }) => shardId) : register)),
      ).toEqual(ids.map((id, i) => (i % 3 === 0 ? [`shard-of-${id}`] : undefined)));
      const known = ids.map((id, i) => {
        const register = registers[i];
        return typeof register === 'object' ? { id, knownVersion: register.version } : { id };
      });
      await store.change('mapping-3', FIRST, changeOf({ retire: ['shard-of-mapping-3'] }));
      const again = await store.read(known);
      expect(again.filter((register) => register === 'unchanged')).toHaveLength(changed.length - 1);
      expect(again[3]).toMatchObject({ shards: [{ shardId: 'shard-of-mapping-3', isRetired: true }] });
    });

    it('carries each shard through its life', async () => {
      const { store } = await open();
      const shards = async () => (await registerOf(store, 'a')).shards;
      await store.change('a', FIRST, changeOf({ register: [shard('parent'), shard('merged', 'parent', 'older')] }));
      expect(await shards()).toEqual([shard('merged', 'parent', 'older'), shard('parent')]);
      await store.change('a', FIRST, changeOf({ missing: ['parent'], nowMs: 5_000 }));
      expect(await shards()).toEqual([shard('merged', 'parent', 'older'), { ...shard('parent'), missingSinceMs: 5_000 }]);
      await store.change('a', FIRST, changeOf({ retire: ['parent'] }));
      expect((await shards())[1]).toEqual({ ...shard('parent'), missingSinceMs: 5_000, isRetired: true });
      await store.change('a', FIRST, changeOf({ foundAgain: ['parent'] }));
      expect((await shards())[1]).toEqual(shard('parent'));
      await store.change('a', FIRST, changeOf({ unregister: ['parent'], register: [shard('late', 'merged')] }));
      expect(await shards()).toEqual([shard('late', 'merged'), shard('merged', 'parent', 'older')]);
    });

    it('gives every change another version, and keeps it where nothing is altered', async () => {
      const { store } = await open();
      const changes: Partial<RegisterChange>[] = [
        { register: [shard('a'), shard('b')] },
        { missing: ['a'], nowMs: 1_000 },
        { retire: ['a'] },
        { foundAgain: ['a'] },
        { unregister: ['a'] },
      ];
      const versions = new Set<string>();
      for (const change of changes) {
        await store.change('m', FIRST, changeOf(change));
        versions.add(await versionOf(store, 'm'));
        for (const nothing of [
          {},
          { ...change, nowMs: 2_000 },
          { missing: ['c'], foundAgain: ['b', 'c'], retire: ['c'], unregister: ['c'] },
        ]) {
          await store.change('m', FIRST, changeOf(nothing));
          versions.add(await versionOf(store, 'm'));
        }
      }
      expect(versions.size).toBe(changes.length);
      expect((await registerOf(store, 'm')).shards).toEqual([shard('b')]);
    });

    it('leaves a shard that is registered already as it is', async () => {
      const { store } = await open();
      await store.change('m', FIRST, changeOf({ register: [shard('a', 'parent')] }));
      await store.change('m', FIRST, changeOf({ missing: ['a'], nowMs: 7 }));
      await store.change('m', FIRST, changeOf({ register: [shard('a')] }));
      expect((await registerOf(store, 'm')).shards).toEqual([{ ...shard('a', 'parent'), missingSinceMs: 7 }]);
    });

    it('never shows a child without its parent, however large the change', async () => {
      const { store } = await open();
      const generations = Array.from({ length: 2_500 }, (_, i) => shard(`shard-${i}`, ...(i === 0 ? [] : [`shard-${i - 1}`])));
      const progress = { isDone: false };
      const changing = store.change('m', FIRST, changeOf({ register: generations.toReversed() })).finally(() => (progress.isDone = true));
      while (!progress.isDone) {
        const [register] = await store.read([{ id: 'm' }]);
        const ids = new Set(typeof register === 'object' ? register.shards.map(({ shardId }) => shardId) : []);
        for (const { shardId, parentShardIds } of generations) {
          if (ids.has(shardId)) expect([shardId, ...parentShardIds].every((id) => ids.has(id))).toBe(true);
        }
      }
      await changing;
      expect((await registerOf(store, 'm')).shards).toHaveLength(2_500);
    });
  });
  presentStreams(name, open);
}

function presentStreams(name: string, open: OpenStore<StreamStore>): void {
  describe(`${name}: the present stream of a mapping`, () => {
    it('is the one that was changed last, with a register of its own', async () => {
      const { store } = await open();
      await store.change('m', FIRST, changeOf({ register: [shard('a')] }));
      const before = await versionOf(store, 'm');
      await store.change('m', AGAIN, changeOf({}));
      const after = await registerOf(store, 'm');
      expect(after).toMatchObject({ stream: AGAIN, shards: [] });
      expect(after.version).not.toBe(before);
      expect(await store.read([{ id: 'm', knownVersion: before }])).toEqual([after]);
      await store.change('m', FIRST, changeOf({}));
      expect(await registerOf(store, 'm')).toMatchObject({ stream: FIRST, shards: [shard('a')] });
    });

    it('tells every stream of a mapping until its register is removed', async () => {
      const { store } = await open();
      const streams = async () => (await store.streams('m')).toSorted((a, b) => (a.createdAtMs ?? 0) - (b.createdAtMs ?? 0));
      expect(await streams()).toEqual([]);
      for (const stream of [FIRST, TABLE, AGAIN]) await store.change('m', stream, changeOf({ register: [shard('a')] }));
      expect(await streams()).toEqual([TABLE, FIRST, AGAIN]);
      await store.remove('m', FIRST);
      expect(await streams()).toEqual([TABLE, AGAIN]);
      expect(await registerOf(store, 'm')).toMatchObject({ stream: AGAIN });
      await store.remove('m', AGAIN);
      expect(await store.read([{ id: 'm' }])).toEqual([undefined]);
      await store.remove('m', TABLE);
      await store.remove('m', TABLE);
      expect(await streams()).toEqual([]);
    });

    it('never has a version again, not even after everything was removed', async () => {
      const { store } = await open();
      const versions = new Set<string>();
      for (let round = 0; round < 5; round += 1) {
        await store.change('m', FIRST, changeOf({ register: [shard('a')] }));
        versions.add(await versionOf(store, 'm'));
        await store.remove('m', FIRST);
        await store.change('other', FIRST, changeOf({ register: [shard(`a-${round}`)] }));
      }
      expect(versions.size).toBe(5);
    });
  });
}
