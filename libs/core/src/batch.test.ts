import { describe, expect, it } from 'vitest';
import {
  type BatchFill,
  EMPTY_BATCH,
  EVENT_BYTES_MAX,
  RECORD_BYTES_MAX,
  addRecord,
  closeReason,
  encodeEvent,
  hasRoomFor,
} from './batch.ts';

const LIMITS = { records: 3, windowMs: 5_000, bytes: 100 };

function filled(recordBytes: readonly number[], atMs = 1_000): BatchFill {
  return recordBytes.reduce((fill, bytes) => addRecord(fill, bytes, atMs), EMPTY_BATCH);
}

describe('a batch', () => {
  it.each([
    ['an empty batch never goes', [], LIMITS, 999_999, undefined],
    ['an open batch waits for its window', [10], LIMITS, 5_999, undefined],
    ['the window counts from the first record', [10], LIMITS, 6_000, 'window'],
    ['without a window it goes with what one poll returned', [10], { ...LIMITS, windowMs: 0 }, 1_000, 'window'],
    ['a full batch goes before its window', [10, 10, 10], LIMITS, 1_000, 'count'],
    ['a batch at the size limit goes', [86], LIMITS, 1_000, 'bytes'],
  ] as const)('%s', (_, records, limits, nowMs, reason) => {
    expect(closeReason(filled(records), limits, nowMs)).toBe(reason);
  });

  it.each([
    ['wrapper and commas count', [42], 43, true],
    ['one byte more does not fit', [42], 44, false],
    ['an empty batch takes any record', [], 1_000, true],
    ['a batch with enough records takes none', [1, 1, 1], 1, false],
  ] as const)('%s', (_, records, next, fits) => {
    expect(hasRoomFor(filled(records), next, LIMITS)).toBe(fits);
  });

  it('counts exactly the bytes of the event it becomes', () => {
    const records = ['{"body":"a"}', '{"body":"ü€😀"}', '{"body":"\\"\\n"}'];
    const fill = filled(records.map((record) => new TextEncoder().encode(record).length));
    const event = encodeEvent(records);
    expect(fill.bytes).toBe(event.length);
    expect(JSON.parse(new TextDecoder().decode(event))).toEqual({ Records: records.map((record) => JSON.parse(record) as unknown) });
  });

  it('BAT-04 closes before 6 MiB of encoded event', () => {
    expect(EVENT_BYTES_MAX).toBe(6 * 1024 * 1024);
    const limits = { records: 10_000, windowMs: 60_000, bytes: EVENT_BYTES_MAX };
    const mebibyte = 1024 * 1024;
    expect(hasRoomFor(filled(Array(5).fill(mebibyte)), mebibyte - 19, limits)).toBe(true);
    expect(hasRoomFor(filled(Array(5).fill(mebibyte)), mebibyte - 18, limits)).toBe(false);
    expect(filled([RECORD_BYTES_MAX]).bytes).toBe(EVENT_BYTES_MAX);
  });
});
