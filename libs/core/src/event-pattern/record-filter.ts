/**
 * What of a record an event pattern is matched against, by source, and which records a mapping's filters let through.
 *
 * SQS and Kinesis carry a payload that may or may not be JSON; Lambda matches a pattern only where both agree in form. A pattern
 * that wants fields inside the payload is not matched by plain text, not even by `exists: false`, and one that wants the
 * payload as text is not matched by a JSON object. So that this costs nothing per record, each pattern is compiled once for
 * either form, without what that form rules out; and the payload is looked at only if the rest of the record leaves the
 * verdict open.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
 */
import { compilePatterns } from './matcher.ts';
import { parseEventText } from './number-text.ts';
import type { EventPattern, PatternField, PatternGroup } from './pattern.ts';

/** Where a record comes from, as mappings name it. */
export type RecordSource = 'sqs' | 'kinesis' | 'dynamodb';

/** One record of an event as the function gets it, parsed. */
export type EventRecord = Readonly<Record<string, unknown>>;

/** Under which key the matched document has the payload. DynamoDB's records are JSON throughout and have none. */
export const PAYLOAD_KEY = { sqs: 'body', kinesis: 'data', dynamodb: undefined } as const;

/**
 * Payloads that are matched field by field. What AWS does with other JSON (`42`, `"x"`, `[1]`) is not documented; they are taken
 * for plain text here, since no pattern has a form for them.
 */
const JSON_OBJECT = /^[\t\n\r ]*\{/;

/**
 * Compiles all filters of a mapping into one test of its records. It is true if any pattern matches; the record stays as it is.
 * Give DynamoDB records `ApproximateCreationDateTime` as the number that events have.
 *
 * @param patterns as `parsePattern` made them; without any, every record passes
 */
export function createRecordFilter(source: RecordSource, patterns: readonly EventPattern[]): (record: EventRecord) => boolean {
  if (patterns.length === 0) return always;
  const key = PAYLOAD_KEY[source];
  if (key === undefined) return compiled(patterns);
  const isText = (path: string): boolean => path === key;
  const isInside = (path: string): boolean => path.startsWith(`${key}.`);
  const isPayload = (path: string): boolean => isText(path) || isInside(path);

  const matchesAnyway = compiled(patterns.flatMap((pattern) => without(pattern, isPayload)));
  const open = patterns.filter((pattern) => touches(pattern.root, isPayload));
  if (open.length === 0) return (record) => matchesAnyway(metadataOf(source, record));
  const needed = open.map((pattern) => relaxed(pattern, isPayload));
  const isOpen = needed.includes(undefined) ? always : compiled(needed.filter((pattern) => pattern !== undefined));
  const asObject = open.flatMap((pattern) => without(pattern, isText));
  const asText = open.flatMap((pattern) => without(pattern, isInside));
  const matchesObject = compiled(asObject);
  const matchesText = compiled(asText);
  const needsNumberText = asObject.some((pattern) => pattern.needsNumberText);

  return (record) => {
    const metadata = metadataOf(source, record);
    if (matchesAnyway(metadata)) return true;
    if (!isOpen(metadata)) return false;
    const text = payloadText(source, record);
    const parsed = parseObject(text, needsNumberText);
    return parsed === undefined ? matchesText({ ...metadata, [key]: text }) : matchesObject({ ...metadata, [key]: parsed });
  };
}

/**
 * The document that a record is matched as: for SQS the record with its `body` parsed if that is a JSON object, for Kinesis the
 * record's and its `kinesis` part's fields side by side with the decoded `data`, for DynamoDB the record itself.
 */
export function matchedDocument(source: RecordSource, record: EventRecord): EventRecord {
  const key = PAYLOAD_KEY[source];
  if (key === undefined) return record;
  const text = payloadText(source, record);
  return { ...metadataOf(source, record), [key]: parseObject(text, false) ?? text };
}

/**
 * The field of a pattern for which Lambda refuses it on this source: a Kinesis pattern that takes `data` for plain text.
 * `undefined` if there is none.
 */
export function refusedField(source: RecordSource, pattern: EventPattern): PatternField | undefined {
  return source === 'kinesis' ? fieldsOf(pattern.root).find((field) => field.path === PAYLOAD_KEY.kinesis) : undefined;
}

function always(): boolean {
  return true;
}

function compiled(patterns: readonly EventPattern[]): (document: EventRecord) => boolean {
  if (patterns.length === 0) return () => false;
  const set = compilePatterns(patterns);
  return (document) => set.matches(document);
}

function metadataOf(source: RecordSource, record: EventRecord): EventRecord {
  if (source !== 'kinesis') return record;
  const { kinesis, ...rest } = record;
  return { ...rest, ...(kinesis as EventRecord | undefined) };
}

/** The payload's text. Kinesis data that is not UTF-8 gets replacement characters in these places and is otherwise matched like any other. */
export function payloadText(source: RecordSource, record: EventRecord): string {
  if (source !== 'kinesis') return textOf(record['body']);
  const binary = atob(textOf((record['kinesis'] as EventRecord | undefined)?.['data']));
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return new TextDecoder().decode(bytes);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parseObject(text: string, needsNumberText: boolean): unknown {
  if (!JSON_OBJECT.test(text)) return undefined;
  try {
    return needsNumberText ? parseEventText(text) : (JSON.parse(text) as unknown);
  } catch (error) {
    // Anything else is not the text's fault and must not cost a record.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function fieldsOf(group: PatternGroup): readonly PatternField[] {
  return [...group.fields, ...group.alternatives.flat().flatMap(fieldsOf)];
}

function touches(group: PatternGroup, isMeant: (path: string) => boolean): boolean {
  return fieldsOf(group).some((field) => isMeant(field.path));
}

/** The pattern where no condition on these paths can hold; nothing if none of its alternatives is left then. */
function without(pattern: EventPattern, isRuledOut: (path: string) => boolean): EventPattern[] {
  const root = groupWithout(pattern.root, isRuledOut);
  return root === undefined ? [] : [{ ...pattern, root }];
}

function groupWithout(group: PatternGroup, isRuledOut: (path: string) => boolean): PatternGroup | undefined {
  if (group.fields.some((field) => isRuledOut(field.path))) return undefined;
  const alternatives: PatternGroup[][] = [];
  for (const either of group.alternatives) {
    const left = either.flatMap((alternative) => groupWithout(alternative, isRuledOut) ?? []);
    if (left.length === 0) return undefined;
    alternatives.push(left);
  }
  return { fields: group.fields, alternatives };
}

/** What has to hold for the pattern apart from its conditions on these paths; `undefined` if that is nothing. */
function relaxed(pattern: EventPattern, isIgnored: (path: string) => boolean): EventPattern | undefined {
  const root = groupRelaxed(pattern.root, isIgnored);
  return root === undefined ? undefined : { ...pattern, root };
}

function groupRelaxed(group: PatternGroup, isIgnored: (path: string) => boolean): PatternGroup | undefined {
  const fields = group.fields.filter((field) => !isIgnored(field.path));
  const alternatives: PatternGroup[][] = [];
  for (const either of group.alternatives) {
    const left = either.flatMap((alternative) => groupRelaxed(alternative, isIgnored) ?? []);
    // One alternative that asks nothing more holds already.
    if (left.length === either.length) alternatives.push(left);
  }
  return fields.length === 0 && alternatives.length === 0 ? undefined : { fields, alternatives };
}
