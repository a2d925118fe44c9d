import { PatternFault } from './pattern-fault.ts';
import type { PatternField, PatternGroup } from './pattern.ts';

/** What an object of a pattern asks for, in the order of the text. */
export type PatternPart =
  | { readonly kind: 'field'; readonly field: PatternField }
  /** Each alternative is again a list of parts. */
  | { readonly kind: 'or'; readonly alternatives: readonly (readonly PatternPart[])[]; readonly offset: number };

/**
 * Into how many combinations the `$or` of a pattern may multiply. Inferred: EventBridge documents this many for a rule.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
const COMBINATIONS_MAX = 1000;

/**
 * The parts as a group. A path that is written more than once counts as it was written last, as in Event Ruler
 * (https://github.com/aws/event-ruler): within a combination of alternatives a later field replaces an earlier one. Where that
 * crosses the border of an `$or`, the pattern becomes the list of its combinations.
 *
 * @throws {PatternFault} if the alternatives multiply beyond the limit
 */
export function patternGroup(parts: readonly PatternPart[]): PatternGroup {
  countCombinations(parts);
  if (!repeatsPath(parts)) return plainGroup(parts);
  const combinations = combine([new Map()], parts).map((fields) => ({ fields: [...fields.values()], alternatives: [] }));
  const [only, ...others] = combinations;
  return only !== undefined && others.length === 0 ? only : { fields: [], alternatives: [combinations] };
}

function countCombinations(parts: readonly PatternPart[]): number {
  let count = 1;
  for (const part of parts) {
    if (part.kind === 'field') continue;
    count *= part.alternatives.map(countCombinations).reduce((sum, each) => sum + each, 0);
    if (count > COMBINATIONS_MAX) throw new PatternFault(`More than ${COMBINATIONS_MAX} combinations of $or`, part.offset);
  }
  return count;
}

/** True if a combination could hold a path twice. */
function repeatsPath(parts: readonly PatternPart[]): boolean {
  const seen = new Set<string>();
  return parts.some((part) => {
    if (part.kind === 'or' && part.alternatives.some(repeatsPath)) return true;
    const paths = pathsOf(part);
    const isRepeated = [...paths].some((path) => seen.has(path));
    for (const path of paths) seen.add(path);
    return isRepeated;
  });
}

function pathsOf(part: PatternPart): Set<string> {
  if (part.kind === 'field') return new Set([part.field.path]);
  return new Set(part.alternatives.flatMap((parts) => parts.flatMap((each) => [...pathsOf(each)])));
}

function plainGroup(parts: readonly PatternPart[]): PatternGroup {
  return {
    fields: parts.flatMap((part) => (part.kind === 'field' ? [part.field] : [])),
    alternatives: parts.flatMap((part) => (part.kind === 'or' ? [part.alternatives.map(plainGroup)] : [])),
  };
}

/** A field of each path. They belong to this pattern alone and are changed in place, for a pattern may have many of both. */
type Combination = Map<string, PatternField>;

function combine(combinations: Combination[], parts: readonly PatternPart[]): Combination[] {
  let current = combinations;
  for (const part of parts) {
    if (part.kind === 'field') {
      for (const fields of current) fields.set(part.field.path, part.field);
    } else {
      const before = current;
      current = part.alternatives.flatMap((alternative) =>
        combine(
          before.map((fields) => new Map(fields)),
          alternative,
        ),
      );
    }
  }
  return current;
}
