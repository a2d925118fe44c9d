import { EMPTY_BATCH, encodeEvent } from '@wherry/core/batch';
import type { StreamRecord } from '@wherry/core/stream-source';

const HEAD = '{"Records":[';
const TAIL = ']}';
const COMMA = 0x2c;
/** Room for the bytes of a character that no longer fits, so that an event which is cut off is longer than it should be, and seen. */
const SPARE_BYTES = 4;

/**
 * The event of records whose lengths are known, as `encodeEvent` makes it. A batch may have megabytes: the records are written into one
 * piece of memory, without a text of the whole event between, and that memory is not filled with zeros first. Both together take a
 * third of the time, and leave far less to the garbage collector.
 */
export function encodeRecords(records: readonly Pick<StreamRecord, 'recordJson' | 'recordBytes'>[]): Uint8Array {
  const bytes = records.reduce((sum, { recordBytes }) => sum + recordBytes + 1, EMPTY_BATCH.bytes);
  const event = Buffer.allocUnsafeSlow(bytes + SPARE_BYTES);
  let at = event.write(HEAD, 0);
  for (const [index, { recordJson }] of records.entries()) {
    if (index > 0) event[at++] = COMMA;
    at += event.write(recordJson, at);
    // A length that is not true must not cut the event off.
    if (at > bytes - TAIL.length) return encodeEvent(records.map((record) => record.recordJson));
  }
  at += event.write(TAIL, at);
  return event.subarray(0, at);
}
