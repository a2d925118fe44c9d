import { explainMismatch, type Mismatch } from './explain-match.ts';
import type { EventPattern } from './pattern.ts';
import { type EventRecord, matchedDocument, PAYLOAD_KEY, payloadText, type RecordSource } from './record-filter.ts';

/**
 * Says why a record does not match a pattern: as `explainMismatch` does, about the document that a record of this source is matched as. A
 * condition inside a payload that is plain text fails, and so does one on the text of a payload that is a JSON object.
 */
export function explainRecordMismatch(source: RecordSource, pattern: EventPattern, record: EventRecord): Mismatch {
  const document = matchedDocument(source, record);
  const key = PAYLOAD_KEY[source];
  if (key === undefined) return explainMismatch(pattern, JSON.stringify(document));
  const { [key]: payload, ...metadata } = document;
  const isText = typeof payload === 'string';
  // The payload's own text keeps the digits of its numbers, and is the way that the user knows it.
  const text = isText ? JSON.stringify(payload) : payloadText(source, record);
  const rest = JSON.stringify(metadata).slice(1);
  return explainMismatch(pattern, `{${JSON.stringify(key)}:${text}${rest === '}' ? '' : ','}${rest}`, (path) =>
    isText ? path.startsWith(`${key}.`) : path === key,
  );
}
