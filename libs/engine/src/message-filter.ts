import { parsePattern } from '@wherry/core/event-pattern/parse-pattern';
import type { EventPattern } from '@wherry/core/event-pattern/pattern';
import { type EventRecord, createRecordFilter } from '@wherry/core/event-pattern/record-filter';
import type { SqsMapping, StreamMapping } from '@wherry/core/mapping';
import type { QueueMessage } from '@wherry/core/queue-source';
import type { StreamRecord } from '@wherry/core/stream-source';

/**
 * A queue mapping's FilterCriteria as one test of its messages, compiled here and now; `undefined` where every message matches.
 * What is matched is read back from the text that the function gets, so that both see the same record and its text stays as it is.
 */
export function createMessageFilter(mapping: SqsMapping): ((message: QueueMessage) => boolean) | undefined {
  if (mapping.filterPatterns.length === 0) return undefined;
  const matches = createRecordFilter('sqs', mapping.filterPatterns.map(readPattern));
  return (message) => matches(JSON.parse(message.recordJson) as EventRecord);
}

/** A stream mapping's FilterCriteria as one test of its records, as `createMessageFilter` makes one for a queue. */
export function createStreamFilter(mapping: StreamMapping): ((record: StreamRecord) => boolean) | undefined {
  if (mapping.filterPatterns.length === 0) return undefined;
  const matches = createRecordFilter(mapping.source, mapping.filterPatterns.map(readPattern));
  return (record) => matches(JSON.parse(record.recordJson) as EventRecord);
}

/** The configuration was refused if it had a pattern that cannot be read. */
function readPattern(text: string): EventPattern {
  const read = parsePattern(text);
  if (!read.ok) throw new Error(`a filter pattern came through that cannot be used: ${read.reason}`);
  return read.pattern;
}
