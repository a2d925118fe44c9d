import type { AuditEntry, AuditStore } from '@wherry/core/coordination';
import { describe, expect, it } from 'vitest';
import type { OpenStore } from './harness.ts';

/** An entry to append; `requestID` tells its number. */
export function auditEntry(number: number): AuditEntry {
  return {
    eventTime: '2026-01-01T00:00:00.000Z',
    eventName: 'CheckpointReset',
    userIdentity: 'ann',
    sourceIPAddress: '127.0.0.1',
    userAgent: 'wherry',
    requestParameters: { mapping: 'orders', to: 'LATEST', text: '"ü\n' },
    responseElements: number % 2 === 0 ? null : { shards: 4 },
    errorCode: null,
    requestID: `request-${number}`,
    readOnly: false,
  };
}

/** What people changed. */
export function auditStoreContract(name: string, open: OpenStore<AuditStore>): void {
  describe(`${name}: audit trail`, () => {
    it('tells the newest entries first, as many as asked for', async () => {
      const { store } = await open();
      expect(await store.newest(10)).toEqual([]);
      for (let number = 1; number <= 5; number += 1) await store.append(auditEntry(number));
      expect(await store.newest(2)).toEqual([auditEntry(5), auditEntry(4)]);
      expect(await store.newest(10)).toEqual([5, 4, 3, 2, 1].map(auditEntry));
      expect(await store.newest(0)).toEqual([]);
    });

    it('keeps the newest ten thousand', async () => {
      const { store } = await open();
      for (let from = 0; from < 10_010; from += 1_001) {
        await Promise.all(Array.from({ length: 1_001 }, (_, i) => store.append(auditEntry(from + i))));
      }
      const kept = await store.newest(20_000);
      expect(kept).toHaveLength(10_000);
      expect(kept[0]?.requestID).toBe('request-10009');
      expect(kept.at(-1)?.requestID).toBe('request-10');
    });
  });
}
