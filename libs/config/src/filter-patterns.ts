import { PATTERN_CHARACTERS_MAX, parsePattern } from '@wherry/core/event-pattern/parse-pattern';
import type { MapNode, Node } from './node.ts';
import { nodeAt } from './node.ts';
import { patternText } from './pattern-text.ts';
import type { ProblemList } from './problem-list.ts';
import { didYouMean } from './suggest.ts';

/** Lambda's answer to any pattern it cannot use (recorded from the service). */
const AWS_TEXT = 'Invalid filter pattern definition.';
/** Lambda's quota where nothing else is configured. */
const DEFAULT_FILTERS = 5;
const OPERATORS = ['anything-but', 'cidr', 'equals-ignore-case', 'exists', 'numeric', 'prefix', 'suffix', 'wildcard'];

/**
 * The patterns of a mapping's `FilterCriteria` as JSON texts, each a valid event pattern; what is wrong with the others is reported
 * where it stands in the file.
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
    if (pattern === undefined || pattern.kind === 'list' || isBroken(pattern)) return [];
    return validPattern(pattern, problems);
  });
}

function validPattern(pattern: Node, problems: ProblemList): string[] {
  let hasBadNumber = false;
  const { text, locate } = patternText(pattern, ({ at, message }) => {
    hasBadNumber = true;
    problems.error(at, 'invalid-filter', message, { help: 'quote it to match text', awsMessage: AWS_TEXT });
  });
  if (hasBadNumber) return [];
  const result = parsePattern(text);
  if (result.ok) return [text];
  const { reason, offset, path } = result;
  const field = path === '' ? '' : `, field ${path}`;
  // Who writes YAML sees the place; an offset into a text that is not in the file would puzzle.
  const where = pattern.kind === 'scalar' ? ` (offset ${offset}${field})` : '';
  const length = text.length > PATTERN_CHARACTERS_MAX ? `, got ${text.length}` : '';
  problems.error(locate(offset), 'invalid-filter', `invalid filter pattern: ${reason}${length}${where}`, {
    help: hint(reason),
    awsMessage: AWS_TEXT,
  });
  return [];
}

/** What to do about a reason, where more can be said than the reason does. */
function hint(reason: string): string {
  const operator = /^Unrecognized match type (\S+)/.exec(reason)?.[1];
  if (operator !== undefined) {
    const nearest = didYouMean(operator, OPERATORS);
    return nearest === undefined ? `operators are ${OPERATORS.join(', ')}` : `did you mean "${nearest}"?`;
  }
  if (reason.endsWith('must be an object or an array')) return 'write values as a list, such as ["new"]';
  if (reason.startsWith('Not JSON') || reason === 'Filter is not an object') return 'such as {"body":{"kind":["new"]}}';
  return 'try patterns with: wherry filter test --pattern P --event FILE';
}

/** True if an error was reported about any of it: its text would be another one. */
function isBroken(node: Node): boolean {
  if (node.broken === true) return true;
  if (node.kind === 'list') return node.items.some(isBroken);
  return node.kind === 'map' && [...node.entries.values()].some(({ value }) => isBroken(value));
}
