import { formatProblems } from '@wherry/config/format';
import { loadConfig } from '@wherry/config/load';
import { explainRecordMismatch } from '@wherry/core/event-pattern/explain-record';
import type { Mismatch } from '@wherry/core/event-pattern/explain-match';
import { parsePattern } from '@wherry/core/event-pattern/parse-pattern';
import type { EventPattern } from '@wherry/core/event-pattern/pattern';
import { createRecordFilter, type EventRecord } from '@wherry/core/event-pattern/record-filter';
import type { Mapping } from '@wherry/core/mapping';
import { type GivenRecords, recordsOf } from './event-records.ts';
import { nameOf, readGiven, utf8Text } from './given-text.ts';
import { ExitCode, UsageError, type Io } from './io.ts';
import { mismatchJson, mismatchLines } from './mismatch-text.ts';
import { namedMapping } from './named-mapping.ts';

/** What `wherry filter test MAPPING` is asked for. */
export interface MappingTest {
  readonly mapping: string;
  readonly event: string;
  readonly config: string;
  readonly json: boolean;
}

/** What the filters of a mapping say of one record: the first that matches, counted from 1, or why each does not. */
interface RecordVerdict {
  readonly id: string | undefined;
  readonly matches: boolean;
  readonly filter: number | undefined;
  readonly failed: readonly Mismatch[];
}

/**
 * `wherry filter test MAPPING`: whether the filters of a mapping let the records of a file through, and why not.
 *
 * @returns 0 if every record matches, else 1; 2 for a configuration with errors
 */
export async function filterTestMapping(io: Io, test: MappingTest): Promise<number> {
  const result = await loadConfig({ file: test.config, env: io.env });
  if (!result.ok) {
    io.stderr.write(`${formatProblems(result.problems, 'text', test.config)}\n`);
    return ExitCode.usage;
  }
  const mapping = namedMapping(result.config, test.mapping, test.config);
  const patterns = mapping.filterPatterns.map(readPattern);
  const given = await givenRecords(io, mapping, test.event);
  const verdicts = given.records.map((record) => verdictOn(mapping, patterns, record));
  const matches = verdicts.every((verdict) => verdict.matches);
  const lines = test.json
    ? [JSON.stringify({ match: matches, mapping: mapping.name, takenAs: given.takenAs, records: verdicts.map(verdictJson) }, undefined, 2)]
    : [matches ? 'match' : 'no match', ...textLines(mapping, given, verdicts), takenAsLine(mapping, given, test.event)];
  io.stdout.write(`${lines.join('\n')}\n`);
  return matches ? ExitCode.ok : ExitCode.failed;
}

function readPattern(text: string): EventPattern {
  const result = parsePattern(text);
  if (result.ok) return result.pattern;
  throw new UsageError(`the pattern ${text} is not valid: ${result.reason}`);
}

async function givenRecords(io: Io, mapping: Mapping, file: string): Promise<GivenRecords> {
  const bytes = await readGiven(io, file);
  // The data of a Kinesis record may be anything; messages and items are text.
  if (mapping.source !== 'kinesis') utf8Text(bytes, file);
  const given = recordsOf(mapping, bytes);
  if (given === undefined)
    throw new UsageError(`${nameOf(file)} is neither an event nor a record of DynamoDB, nor a JSON object that could be one`);
  if (mapping.source !== 'kinesis') return given;
  const [index] = [...given.records.keys()].filter((at) => !hasBase64Data(given.records[at]));
  if (index !== undefined) throw new UsageError(`record ${index + 1} in ${nameOf(file)} has no base64 text as kinesis.data`);
  return given;
}

function hasBase64Data(record: EventRecord | undefined): boolean {
  const data = (record?.['kinesis'] as EventRecord | null | undefined)?.['data'];
  if (typeof data !== 'string') return false;
  try {
    atob(data);
    return true;
  } catch {
    return false;
  }
}

function verdictOn(mapping: Mapping, patterns: readonly EventPattern[], record: EventRecord): RecordVerdict {
  const id = record['messageId'] ?? record['eventID'];
  const index = patterns.findIndex((pattern) => createRecordFilter(mapping.source, [pattern])(record));
  const matches = patterns.length === 0 || index !== -1;
  return {
    id: typeof id === 'string' ? id : undefined,
    matches,
    filter: index === -1 ? undefined : index + 1,
    failed: matches ? [] : patterns.map((pattern) => explainRecordMismatch(mapping.source, pattern, record)),
  };
}

function textLines(mapping: Mapping, { takenAs, records }: GivenRecords, verdicts: readonly RecordVerdict[]): readonly string[] {
  if (mapping.filterPatterns.length === 0) return [`${mapping.name} has no filters: every record matches`];
  if (takenAs !== 'event' || records.length === 1) return verdicts.flatMap((verdict) => verdictLines(mapping, verdict));
  const count = verdicts.filter(({ matches }) => matches).length;
  return [
    `${count} of ${records.length} records match`,
    ...verdicts.flatMap((verdict, index) => [
      `record ${index + 1}${verdict.id === undefined ? '' : ` (${verdict.id})`}: ${verdict.matches ? 'match' : 'no match'}`,
      ...verdictLines(mapping, verdict).map((line) => `  ${line}`),
    ]),
  ];
}

function verdictLines({ filterPatterns }: Mapping, { filter, failed }: RecordVerdict): readonly string[] {
  const title = (number: number): string => {
    return `filter ${number} of ${filterPatterns.length}`;
  };
  if (filter !== undefined) return [`${title(filter)} matches: ${filterPatterns[filter - 1]}`];
  return failed.flatMap((mismatch, index) => [
    `${title(index + 1)} does not: ${filterPatterns[index]}`,
    ...mismatchLines(mismatch).map((line) => `  ${line}`),
  ]);
}

function verdictJson({ id, matches, filter, failed }: RecordVerdict): object {
  return { id, match: matches, filter, ...(matches ? {} : { failed: failed.map(mismatchJson) }) };
}

const PAYLOAD_NAMES = { sqs: 'the body of a message', kinesis: 'the data of a record', dynamodb: 'the "dynamodb" part of a record' };

/** What the file was taken for decides about the outcome, and cannot always be seen from outside. */
function takenAsLine(mapping: Mapping, { takenAs, records }: GivenRecords, file: string): string {
  const count = `${records.length} record${records.length === 1 ? '' : 's'}`;
  const what = { event: `an event with ${count}`, record: 'one record', payload: PAYLOAD_NAMES[mapping.source] }[takenAs];
  return `(${nameOf(file)} was taken as ${what})`;
}
