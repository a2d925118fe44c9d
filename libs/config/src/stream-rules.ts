import { parsePattern } from '@wherry/core/event-pattern/parse-pattern';
import { refusedField } from '@wherry/core/event-pattern/record-filter';
import type { MapNode } from './node.ts';
import { isSet, mapAt, nodeAt, numberAt, textAt } from './node.ts';
import { patternText } from './pattern-text.ts';
import type { ProblemList } from './problem-list.ts';
import { awsText } from './schema-problems.ts';
import { parseTimestamp } from './timestamp.ts';

/**
 * Rules between the fields of a Kinesis or DynamoDB mapping, with the texts Lambda has for them.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
 */
export function checkStreamRules(mapping: MapNode, kind: 'kinesis' | 'dynamodb', arn: string, nowMs: number, problems: ProblemList): void {
  checkStart(mapping, kind, arn, nowMs, problems);
  checkPatterns(mapping, kind, problems);
  const age = nodeAt(mapping, ['MaximumRecordAgeInSeconds']);
  const seconds = numberAt(mapping, 'MaximumRecordAgeInSeconds');
  if (age && seconds !== undefined && seconds >= 0 && seconds < 60) {
    problems.error(age, 'out-of-range', `expected -1 or 60 to 604800, got ${seconds}`, {
      help: 'Lambda refuses 0 to 59',
      awsMessage: awsText(
        ['mappings', '', 'MaximumRecordAgeInSeconds'],
        String(seconds),
        'Member must have value greater than or equal to 60',
      ),
    });
  }
  const tumbling = nodeAt(mapping, ['TumblingWindowInSeconds']);
  if (!tumbling || !((numberAt(mapping, 'TumblingWindowInSeconds') ?? 0) > 0)) return;
  if ((numberAt(mapping, 'ParallelizationFactor') ?? 1) > 1) {
    problems.error(tumbling, 'tumbling-parallel', 'TumblingWindowInSeconds and a ParallelizationFactor above 1 exclude each other', {
      help: 'set ParallelizationFactor to 1 (Lambda has the same rule)',
    });
  }
  if (isSet(mapAt(mapping, 'FilterCriteria'))) {
    problems.error(tumbling, 'tumbling-filter', 'TumblingWindowInSeconds and FilterCriteria exclude each other', {
      help: 'remove one of them (Lambda has the same rule)',
    });
  }
}

/** Patterns that are sound, but not on this source. What is wrong with a pattern wherever it stands is told elsewhere. */
function checkPatterns(mapping: MapNode, kind: 'kinesis' | 'dynamodb', problems: ProblemList): void {
  const filters = nodeAt(mapping, ['FilterCriteria', 'Filters']);
  for (const filter of filters?.kind === 'list' ? filters.items : []) {
    const pattern = nodeAt(filter, ['Pattern']);
    if (pattern === undefined || pattern.kind === 'list') continue;
    const { text, locate } = patternText(pattern, () => undefined);
    const read = parsePattern(text);
    const field = read.ok ? refusedField(kind, read.pattern) : undefined;
    if (field === undefined) continue;
    problems.error(
      locate(field.offset),
      'invalid-filter',
      `on Kinesis a pattern names fields inside ${field.path}, not ${field.path} as a whole`,
      {
        help: 'such as {"data":{"kind":["new"]}}',
        awsMessage: 'Invalid filter pattern definition.',
      },
    );
  }
}

/** The present in milliseconds, which as seconds lies thousands of years ahead. */
const SECONDS_IN_MS = /^\d{13}$/;

function checkStart(mapping: MapNode, kind: 'kinesis' | 'dynamodb', arn: string, nowMs: number, problems: ProblemList): void {
  const position = nodeAt(mapping, ['StartingPosition']);
  const text = textAt(mapping, 'StartingPosition');
  if (position === undefined || (text === undefined && !position.broken)) {
    problems.missing(mapping, 'StartingPosition', {
      help: 'TRIM_HORIZON reads from the oldest record, LATEST from now on',
      awsMessage: awsText(['mappings', '', 'StartingPosition'], 'null', 'Member must not be null'),
    });
    return;
  }
  if (kind === 'dynamodb') {
    if (text !== 'AT_TIMESTAMP') return;
    const awsMessage = `Unsupported starting position for arn type: ${arn}`;
    problems.error(position, 'unsupported-position', 'AT_TIMESTAMP is for Kinesis only', {
      help: 'use TRIM_HORIZON or LATEST',
      awsMessage,
    });
    return;
  }
  const timestamp = nodeAt(mapping, ['StartingPositionTimestamp']);
  if (text === 'AT_TIMESTAMP' && timestamp === undefined) {
    problems.missing(mapping, 'StartingPositionTimestamp', { help: 'AT_TIMESTAMP needs a time such as "2026-11-01T00:00:00Z"' });
  }
  if (timestamp === undefined || timestamp.broken) return;
  if (text !== undefined && text !== 'AT_TIMESTAMP') {
    problems.error(timestamp, 'no-effect', `StartingPositionTimestamp goes with StartingPosition: AT_TIMESTAMP, not ${text}`);
  }
  checkTimestamp(timestamp, textAt(timestamp) ?? '', nowMs, problems);
}

function checkTimestamp(node: MapNode | NonNullable<ReturnType<typeof nodeAt>>, text: string, nowMs: number, problems: ProblemList): void {
  const atMs = parseTimestamp(text);
  if (atMs === undefined) {
    const help = /^\d{4}-\d\d-\d\d/.test(text)
      ? 'write date, time and zone: "2026-11-01T00:00:00Z"'
      : 'such as "2026-11-01T00:00:00Z", or seconds since 1970';
    problems.error(node, 'bad-time', `expected a time with zone, got "${text}"`, { help });
  } else if (atMs > nowMs) {
    problems.error(node, 'future-time', `StartingPositionTimestamp is in the future (${new Date(atMs).toISOString()})`, {
      help: SECONDS_IN_MS.test(text)
        ? 'Lambda counts in seconds, and this looks like milliseconds'
        : 'name a time that has passed, or use LATEST',
    });
  }
}
