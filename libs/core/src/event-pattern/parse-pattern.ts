import type { JsonList, JsonNode, JsonObject } from './json-text.ts';
import { JsonTextError, parseJsonText } from './json-text.ts';
import { leafTests } from './leaf-tests.ts';
import type { PatternPart } from './or-combinations.ts';
import { patternGroup } from './or-combinations.ts';
import { PatternFault } from './pattern-fault.ts';
import type { EventPattern, PatternGroup, PatternTest } from './pattern.ts';

/** @see https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html */
export const PATTERN_CHARACTERS_MAX = 4096;

/**
 * A pattern, or why there is none: a short reason, where in the text (zero-based UTF-16 code units; at most the text's length), and
 * the joined name of the field it is about, empty where there is none.
 */
export type PatternResult =
  | { readonly ok: true; readonly pattern: EventPattern }
  | { readonly ok: false; readonly reason: string; readonly offset: number; readonly path: string };

/**
 * Reads an event pattern as Lambda's `FilterCriteria` take it. Never throws.
 *
 * The grammar is Lambda's and EventBridge's; where their pages are silent it is that of Event Ruler, the engine behind them.
 * Reasons are EventBridge's where it has one.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 * @see https://github.com/aws/event-ruler
 */
export function parsePattern(text: string): PatternResult {
  if (text.length > PATTERN_CHARACTERS_MAX) {
    return { ok: false, reason: `Pattern is longer than ${PATTERN_CHARACTERS_MAX} characters`, offset: PATTERN_CHARACTERS_MAX, path: '' };
  }
  try {
    const root = readRoot(parseJsonText(text));
    return { ok: true, pattern: { text, root, needsNumberText: needsNumberText(root) } };
  } catch (error) {
    if (error instanceof JsonTextError) return { ok: false, reason: `Not JSON: ${error.message}`, offset: error.offset, path: '' };
    if (error instanceof PatternFault) return { ok: false, reason: error.message, offset: error.offset, path: error.path };
    throw error;
  }
}

/**
 * Event Ruler reads a `$or` that cannot be the operator as the name of a field. No event has such a field, so the pattern would match
 * nothing and every record would be dropped in silence: here it is refused.
 */
function readRoot(node: JsonNode): PatternGroup {
  if (node.kind !== 'object') throw new PatternFault('Filter is not an object', node.offset);
  return patternGroup(objectParts(node, [], false));
}

function objectParts(object: JsonObject, parents: readonly string[], isInsideOr: boolean): PatternPart[] {
  if (object.members.length === 0) throw new PatternFault('Empty objects are not allowed', object.offset, parents);
  return object.members.flatMap(({ key, keyOffset, value }): PatternPart[] => {
    if (key === '$or') return [orPart(value, keyOffset, parents)];
    const keys = [...parents, key];
    if (isInsideOr && RESERVED_INSIDE_OR.has(key))
      throw new PatternFault(`${key} is reserved and no field name inside $or`, keyOffset, keys);
    if (value.kind === 'object') return objectParts(value, keys, isInsideOr);
    if (value.kind !== 'list') throw new PatternFault(`${JSON.stringify(key)} must be an object or an array`, value.offset, keys);
    return [{ kind: 'field', field: { path: keys.join('.'), keys, tests: fieldTests(value, keys), offset: value.offset } }];
  });
}

function fieldTests(list: JsonList, keys: readonly string[]): PatternTest[] {
  try {
    return leafTests(list);
  } catch (error) {
    throw error instanceof PatternFault ? new PatternFault(error.message, error.offset, keys) : error;
  }
}

function orPart(value: JsonNode, keyOffset: number, parents: readonly string[]): PatternPart {
  if (value.kind !== 'list' || value.items.length < 2) {
    throw new PatternFault('"$or" must be an array of at least 2 objects', value.offset, [...parents, '$or']);
  }
  const alternatives = value.items.map((item) => {
    if (item.kind === 'object') return objectParts(item, parents, true);
    throw new PatternFault('"$or" must be an array of at least 2 objects', item.offset, [...parents, '$or']);
  });
  return { kind: 'or', alternatives, offset: keyOffset };
}

/** Words that Event Ruler keeps for operators of now and of later. */
const RESERVED_INSIDE_OR: ReadonlySet<string> = new Set([
  'exactly',
  'equals-ignore-case',
  'prefix',
  'suffix',
  'anything-but',
  'exists',
  'wildcard',
  'numeric',
  'cidr',
  '=',
  '<',
  '<=',
  '>',
  '>=',
  'regex',
  'not-wildcard',
  'not-equals-ignore-case',
  'date-after',
  'date-on-or-after',
  'date-before',
  'date-on-or-before',
  'in-date-range',
  'ip-address-in-range',
  'ip-address-not-in-range',
]);

function needsNumberText(group: PatternGroup): boolean {
  return (
    group.fields.some((field) => field.tests.some(holdsExactNumber)) || group.alternatives.some((groups) => groups.some(needsNumberText))
  );
}

function holdsExactNumber(test: PatternTest): boolean {
  if (test.kind === 'number') return test.number.exact !== undefined;
  if (test.kind === 'numeric') return test.lower?.number.exact !== undefined || test.upper?.number.exact !== undefined;
  return test.kind === 'anything-but' && test.tests.some(holdsExactNumber);
}
