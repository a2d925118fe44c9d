import { describe, expect, it } from 'vitest';
import { encodeEvent } from '@wherry/core/batch';
import { encodeRecords } from './encode-records.ts';

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const record = (recordJson: string, recordBytes = Buffer.byteLength(recordJson)) => ({ recordJson, recordBytes });
const texts = (count: number): string[] => Array.from({ length: count }, (_, n) => `{"n":${n},"text":"${'é😀'.repeat(n % 7)}"}`);

describe('encodeRecords', () => {
  it.each([0, 1, 2, 100, 250])('writes %i records as encodeEvent does', (count) => {
    const recordJsons = texts(count);
    expect(decode(encodeRecords(recordJsons.map((text) => record(text))))).toBe(decode(encodeEvent(recordJsons)));
  });

  it('writes text that is put together of parts, and text beyond ASCII', () => {
    const parts = ['a', 'ü', '☃', '😀'].map((part) => `{"head":"${'x'.repeat(2_000)}","part":"${part}"}`);
    expect(decode(encodeRecords(parts.map((text) => record(text))))).toBe(`{"Records":[${parts.join(',')}]}`);
  });

  it.each([-3, -2, -1, 1, 2, 3, 1_000])('is not led astray by lengths that are wrong by %i', (error) => {
    for (const count of [1, 2, 250]) {
      const recordJsons = [...texts(count), '"😀"', '"☃"'];
      const wrong = recordJsons.map((text) => record(text, Math.max(0, record(text).recordBytes + error)));
      expect(decode(encodeRecords(wrong))).toBe(decode(encodeEvent(recordJsons)));
    }
  });

  it.each(['"é"', '"☃"', '"😀"', '"😀é"'])('never cuts off the last record, %s, whatever is said about its length', (last) => {
    for (let said = 0; said < 20; said += 1) {
      expect(decode(encodeRecords([record('{}'), record(last, said)]))).toBe(`{"Records":[{},${last}]}`);
    }
  });
});
