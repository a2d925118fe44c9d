import { parseTimestamp } from '@wherry/config/timestamp';
import type { Mapping, StreamMapping } from '@wherry/core/mapping';
import type { SeekTarget } from '@wherry/core/stream/seek';
import { UsageError } from './io.ts';

const SHARD_AND_SEQUENCE = /^([A-Za-z0-9_.-]+):(\d+)$/;

/**
 * Where `--to` sends a mapping.
 *
 * @param nowMs wall clock, epoch milliseconds
 * @throws UsageError for a text that means nothing, a time in the future, and what the source does not have
 */
export function seekTarget(text: string, mapping: StreamMapping, nowMs: number): SeekTarget {
  if (text === 'LATEST' || text === 'TRIM_HORIZON') return { kind: text };
  const timestampMs = parseTimestamp(text);
  if (timestampMs !== undefined) {
    if (mapping.source === 'dynamodb') {
      throw new UsageError(`--to ${text}: a DynamoDB stream has no positions by time; expected LATEST, TRIM_HORIZON or SHARD:SEQUENCE`);
    }
    if (timestampMs > nowMs) throw new UsageError(`--to ${text}: that time is in the future; LATEST begins with what comes from now on`);
    return { kind: 'AT_TIMESTAMP', timestampMs };
  }
  // What begins like a date is one that went wrong, such as a time without its zone.
  const [, shardId, sequenceNumber] = /^\d{4}-\d/.test(text) ? [] : (SHARD_AND_SEQUENCE.exec(text) ?? []);
  if (shardId !== undefined && sequenceNumber !== undefined) return { kind: 'AT_SEQUENCE_NUMBER', shardId, sequenceNumber };
  throw new UsageError(
    `--to ${text}: expected LATEST, TRIM_HORIZON, a time (ISO 8601 with its zone such as 2026-11-22T10:00:00Z, or seconds since 1970), or SHARD:SEQUENCE`,
  );
}

/** The mapping as one of a stream. @throws UsageError for a queue, which has no positions */
export function requireStream(mapping: Mapping): StreamMapping {
  if (mapping.source !== 'sqs') return mapping;
  throw new UsageError(`${mapping.name} reads a queue, which has no positions; seek moves streams`);
}
