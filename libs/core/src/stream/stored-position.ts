import type { ShardPosition } from '../stream-source.ts';
import { isSequenceNumber } from './sequence-number.ts';

/**
 * Where reading of a shard goes on, as its lease row holds it in the place of the checkpoint. `LATEST` is not among them on
 * purpose: it means another place each time it is looked up, so a poller that dies before its first checkpoint would skip what
 * came in between. What begins at LATEST is stored as the time at which it began.
 */
export type StoredPosition = Exclude<ShardPosition, { readonly kind: 'LATEST' }>;

/** The oldest record there is: where children of a reshard begin, and everything whose checkpoint is gone. */
export const FROM_THE_OLDEST: StoredPosition = { kind: 'TRIM_HORIZON' };

const TIMESTAMP_PREFIX = 'AT_TIMESTAMP:';
const SEQUENCE_PREFIX = 'AT_SEQUENCE_NUMBER:';

/**
 * The text for a lease row: `TRIM_HORIZON`, `AT_TIMESTAMP:<epoch ms>`, `AT_SEQUENCE_NUMBER:<digits>`, or the sequence number of the
 * checkpoint itself, which stands alone because the store compares it.
 */
export function writePosition(position: StoredPosition): string {
  switch (position.kind) {
    case 'TRIM_HORIZON':
      return 'TRIM_HORIZON';
    case 'AT_TIMESTAMP':
      return `${TIMESTAMP_PREFIX}${position.timestampMs}`;
    case 'AFTER_SEQUENCE_NUMBER':
      return position.sequenceNumber;
    case 'AT_SEQUENCE_NUMBER':
      return `${SEQUENCE_PREFIX}${position.sequenceNumber}`;
  }
}

/**
 * The position in a lease row.
 * @returns `undefined` for a text that is none of them: the row is damaged, and guessing could skip records
 */
export function readPosition(text: string): StoredPosition | undefined {
  if (text === 'TRIM_HORIZON') return FROM_THE_OLDEST;
  if (isSequenceNumber(text)) return { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: text };
  if (text.startsWith(SEQUENCE_PREFIX)) {
    const sequenceNumber = text.slice(SEQUENCE_PREFIX.length);
    return isSequenceNumber(sequenceNumber) ? { kind: 'AT_SEQUENCE_NUMBER', sequenceNumber } : undefined;
  }
  const digits = text.startsWith(TIMESTAMP_PREFIX) ? text.slice(TIMESTAMP_PREFIX.length) : '';
  const timestampMs = Number(digits);
  return isSequenceNumber(digits) && Number.isSafeInteger(timestampMs) ? { kind: 'AT_TIMESTAMP', timestampMs } : undefined;
}
