import type { EventPattern, PatternField, PatternGroup } from './pattern.ts';

/** What one way through all `$or` of a pattern asks for: its fields, one for each path, sorted by path in the order of UTF-16 units. */
export type Conjunction = readonly PatternField[];

/** Multiplies out the `$or` of a pattern. No path stands twice in what comes out: `parsePattern` sees to that. */
export function conjunctionsOf(pattern: EventPattern): Conjunction[] {
  return expand(pattern.root, [[]]).map((fields) => fields.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
}

function expand(group: PatternGroup, before: readonly Conjunction[]): readonly Conjunction[] {
  let all = before.map((fields) => [...fields, ...group.fields]) as readonly Conjunction[];
  for (const either of group.alternatives) {
    const soFar = all;
    all = either.flatMap((alternative) => expand(alternative, soFar));
  }
  return all;
}
