import type { MapNode, Node } from './node.ts';
import { nodeAt, toPlain } from './node.ts';
import type { ProblemList } from './problem-list.ts';

/** Lambda's answer to any pattern it cannot use (recorded from the service). */
const AWS_TEXT = 'Invalid filter pattern definition.';
/** @see https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html */
const MAX_PATTERN_LENGTH = 4096;
/** Lambda's quota where nothing else is configured. */
const DEFAULT_FILTERS = 5;

/**
 * The patterns of a mapping's `FilterCriteria` as JSON texts, checked for what any event pattern has to be: JSON text of at most
 * 4,096 characters, an object whose leaves are non-empty lists. What operators mean is the filter engine's business.
 *
 * @param limit how many filters the mapping may have (`limits.filtersPerMapping`)
 */
export function filterPatterns(mapping: MapNode, limit: number | undefined, problems: ProblemList): string[] {
  const filters = nodeAt(mapping, ['FilterCriteria', 'Filters']);
  if (filters?.kind !== 'list') return [];
  const most = limit ?? DEFAULT_FILTERS;
  if (filters.items.length > most && filters.items.length <= 10) {
    const help = most < 10 ? 'raise limits.filtersPerMapping (10 at most), or join patterns' : undefined;
    problems.error(filters, 'out-of-range', `expected at most ${most} filters, got ${filters.items.length}`, { help });
  }
  return filters.items.flatMap((filter) => {
    const pattern = nodeAt(filter, ['Pattern']);
    if (pattern === undefined || pattern.broken || pattern.kind === 'list') return [];
    const text = pattern.kind === 'map' ? JSON.stringify(toPlain(pattern)) : pattern.text;
    return check(pattern, text, problems) ? [text] : [];
  });
}

function check(pattern: Node, text: string, problems: ProblemList): boolean {
  const refuse = (message: string, at: Node = pattern, help?: string): false => {
    problems.error(at, 'invalid-filter', message, { help, awsMessage: AWS_TEXT });
    return false;
  };
  if (text.length > MAX_PATTERN_LENGTH) return refuse(`expected a pattern of at most ${MAX_PATTERN_LENGTH} characters, got ${text.length}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const offset = /end of JSON/.test(reason) ? text.length : Number(/position (\d+)/.exec(reason)?.[1] ?? Number.NaN);
    const where = Number.isNaN(offset) ? '' : ` (at character ${offset + 1} of the pattern)`;
    return refuse(`the pattern is not JSON${where}`, insidePattern(pattern, text, offset), 'such as {"body":{"kind":["new"]}}');
  }
  const fault = patternFault(value, '', 0);
  return fault === undefined ? true : refuse(fault);
}

/** The place inside the text where it stands in the file as it is: on one line and without escapes before the offset. */
function insidePattern(pattern: Node, text: string, offset: number): Node {
  if (pattern.kind !== 'scalar' || Number.isNaN(offset)) return pattern;
  const { file, start, end } = pattern.place;
  const raw = file.text.slice(start, end);
  const quote = raw.startsWith("'") || raw.startsWith('"') ? 1 : 0;
  if (raw.includes('\n') || raw.slice(quote, quote + offset) !== text.slice(0, offset)) return pattern;
  const at = Math.min(start + quote + offset, end - 1);
  return { ...pattern, place: { file, start: at, end: at + 1 } };
}

/** Why a parsed value cannot be an event pattern; undefined when its shape is right. */
function patternFault(value: unknown, key: string, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return key === '' ? 'a pattern must be an object' : `"${key}" must be an object or an array`;
  }
  if (depth > 50) return 'the pattern is nested deeper than 50';
  const members = Object.entries(value);
  if (members.length === 0) return key === '' ? 'the pattern is empty' : `"${key}" must not be empty`;
  for (const [name, member] of members) {
    const fault = Array.isArray(member) ? listFault(name, member, depth) : patternFault(member, name, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function listFault(name: string, list: unknown[], depth: number): string | undefined {
  if (list.length === 0) return `"${name}" is an empty array; a pattern needs at least one value there`;
  if (name !== '$or') return list.some(Array.isArray) ? `"${name}" holds an array inside an array` : undefined;
  if (list.length < 2) return '"$or" needs at least two alternatives';
  return list.map((member) => patternFault(member, '$or', depth + 1)).find((fault) => fault !== undefined);
}
