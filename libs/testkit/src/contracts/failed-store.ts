import { StoreError } from '@wherry/core/coordination';
import type { FailedBatch, FailedStore } from '@wherry/core/failed-store';
import { describe, expect, it } from 'vitest';

const MAPPING_UUID = '7d2b9c1e-5a4f-4a3b-8a52-0b1f6a7c3d21';

/** A batch to put; ids and times grow with the number. */
export function failedBatch(number: number, more: Partial<FailedBatch> = {}): FailedBatch {
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    name: 'orders',
    mapping: 'orders-stream',
    mappingUuid: MAPPING_UUID,
    functionName: 'handle-orders',
    condition: 'RetryAttemptsExhausted',
    shardId: 'shardId-000000000000',
    records: 2,
    firstSequenceNumber: '1',
    lastSequenceNumber: '2',
    failedAtMs: 1_700_000_000_000 + number,
    document: '{"error":"ü\\n"}',
    eventBytes: 3,
    ...more,
  };
}

const event = (text: string): Uint8Array => new TextEncoder().encode(text);
const idsOf = (batches: readonly FailedBatch[]): string[] => batches.map(({ id }) => id);

/** The fleet's own store of what was given up. @param open makes an empty store for each test */
export function failedStoreContract(name: string, open: () => Promise<FailedStore>): void {
  describe(`${name}: failed batches`, () => {
    it('gives back what was put, byte by byte, whatever the bytes are', async () => {
      const store = await open();
      const bytes = new Uint8Array(70_000).map((_, i) => i * 7);
      const batch = failedBatch(1, { qualifier: 'live', eventBytes: bytes.length });
      await store.put(batch, bytes.subarray(3));
      const found = await store.get(batch.id);
      expect(found?.batch).toEqual(batch);
      expect(new Uint8Array(found?.event ?? [])).toEqual(bytes.subarray(3));
      expect(await store.get('unknown')).toBeUndefined();
    });

    it('holds an event of six mebibytes, and an empty one', async () => {
      const store = await open();
      await store.put(failedBatch(1), new Uint8Array(6 * 1_048_576).fill(255));
      await store.put(failedBatch(2), new Uint8Array(0));
      expect((await store.get(failedBatch(1).id))?.event.byteLength).toBe(6 * 1_048_576);
      expect((await store.get(failedBatch(2).id))?.event.byteLength).toBe(0);
      expect(await store.counts()).toEqual(new Map([['orders', { batches: 2, bytes: 6 * 1_048_576 }]]));
      expect(await store.remove([failedBatch(2).id])).toBe(1);
      expect(await store.counts()).toEqual(new Map([['orders', { batches: 1, bytes: 6 * 1_048_576 }]]));
    });

    it('changes nothing at a repeat with the same id', async () => {
      const store = await open();
      await store.put(failedBatch(1), event('one'));
      await store.put(failedBatch(1, { name: 'other', failedAtMs: 5 }), event('another'));
      expect(await store.list({ limit: 10 })).toEqual([failedBatch(1)]);
      expect(new TextDecoder().decode((await store.get(failedBatch(1).id))?.event)).toBe('one');
      expect(await store.counts()).toEqual(new Map([['orders', { batches: 1, bytes: 3 }]]));
    });

    it('lists the oldest first, page by page, those of one millisecond by id', async () => {
      const store = await open();
      const batches = Array.from({ length: 230 }, (_, i) => failedBatch(i, { failedAtMs: 1_700_000_000_000 + Math.floor(i / 50) }));
      for (const batch of batches.toReversed()) await store.put(batch, event('x'));
      expect(idsOf(await store.list({ limit: 1_000 }))).toEqual(idsOf(batches));
      const seen: string[] = [];
      for (let after: string | undefined; ; after = seen.at(-1)) {
        const page = await store.list({ limit: 30, ...(after === undefined ? {} : { after }) });
        if (page.length === 0) break;
        seen.push(...idsOf(page));
      }
      expect(seen).toEqual(idsOf(batches));
      expect(await store.list({ limit: 0 })).toEqual([]);
    });

    it('lists on behind a batch that was removed meanwhile, alone or with its neighbours', async () => {
      const store = await open();
      const batches = Array.from({ length: 9 }, (_, i) => failedBatch(i, { failedAtMs: 1_700_000_000_000 + Math.floor(i / 4) }));
      for (const batch of batches) await store.put(batch, event('x'));
      await store.remove(idsOf(batches.slice(1, 6)));
      for (const [index, { id }] of batches.entries()) {
        expect(idsOf(await store.list({ limit: 10, after: id }))).toEqual(idsOf(batches.slice(Math.max(index + 1, 6))));
      }
    });

    it('refuses to go on after a batch that it never had, rather than to begin again', async () => {
      const store = await open();
      await store.put(failedBatch(1), event('x'));
      await expect(store.list({ limit: 10, after: 'unknown' })).rejects.toThrow(StoreError);
    });

    it('narrows a listing by name, and by mapping or its UUID, over more batches than one look takes', async () => {
      const store = await open();
      const other = { name: 'payments', mapping: 'payments-stream', mappingUuid: '00000000-0000-4000-8000-000000000000' };
      const batches = Array.from({ length: 1_300 }, (_, i) => failedBatch(i, i % 400 === 399 ? other : {}));
      await Promise.all(batches.map((batch) => store.put(batch, event('x'))));
      const others = idsOf(batches.filter(({ name: itsName }) => itsName === 'payments'));
      expect(others).toHaveLength(3);
      for (const query of [{ name: 'payments' }, { mapping: other.mapping }, { mapping: other.mappingUuid }]) {
        expect(idsOf(await store.list({ ...query, limit: 10 }))).toEqual(others);
        expect(idsOf(await store.list({ ...query, limit: 1, after: others[0] ?? '' }))).toEqual(others.slice(1, 2));
      }
      expect(await store.list({ name: 'payments', mapping: 'orders-stream', limit: 10 })).toEqual([]);
      expect(await store.list({ name: 'orders', limit: 1_000 })).toHaveLength(1_000);
    });

    it('removes what there is, once, and counts by name', async () => {
      const store = await open();
      const batches = Array.from({ length: 250 }, (_, i) => failedBatch(i, i === 7 ? { name: 'payments' } : {}));
      await Promise.all(batches.map((batch) => store.put(batch, event('four'))));
      expect(await store.counts()).toEqual(
        new Map([
          ['orders', { batches: 249, bytes: 996 }],
          ['payments', { batches: 1, bytes: 4 }],
        ]),
      );
      const first = batches[0]?.id ?? '';
      expect(await store.remove([first, 'unknown', first])).toBe(1);
      expect(await store.remove([first])).toBe(0);
      expect(await store.get(first)).toBeUndefined();
      expect(await store.remove(idsOf(batches))).toBe(249);
      expect(await store.list({ limit: 10 })).toEqual([]);
      expect(await store.counts()).toEqual(new Map());
      expect(await store.remove([])).toBe(0);
    });
  });
}
