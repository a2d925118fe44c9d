import type { PatternPair } from './pattern-generator.ts';
import { type PlainJson, readPlainJson } from './plain-json.ts';

/**
 * The smallest pair that still fails, found by leaving out fields and elements one after the other, so that a person can read it.
 *
 * @param fails has to be false for a pattern that is not valid
 */
export function shrinkPair(pair: PatternPair, fails: (pair: PatternPair) => boolean): PatternPair {
  for (const side of ['event', 'pattern'] as const) {
    for (const smaller of smallerThan(readPlainJson(pair[side]))) {
      const candidate = { ...pair, [side]: write(smaller) };
      if (candidate[side].length < pair[side].length && fails(candidate)) return shrinkPair(candidate, fails);
    }
  }
  return pair;
}

/** The value without one of its parts, and with one part made smaller. */
function smallerThan(value: PlainJson): readonly PlainJson[] {
  if (value.kind === 'object') {
    return value.entries.flatMap(([key, child], index): PlainJson[] => [
      { kind: 'object', entries: value.entries.toSpliced(index, 1) },
      ...(child.kind === 'object' ? [child] : []),
      ...smallerThan(child).map((smaller) => ({ kind: 'object', entries: value.entries.with(index, [key, smaller]) }) as const),
    ]);
  }
  if (value.kind !== 'array') return [];
  return value.items.flatMap((child, index): PlainJson[] => [
    { kind: 'array', items: value.items.toSpliced(index, 1) },
    child,
    ...smallerThan(child).map((smaller) => ({ kind: 'array', items: value.items.with(index, smaller) }) as const),
  ]);
}

function write(value: PlainJson): string {
  if (value.kind === 'object') return `{${value.entries.map(([key, child]) => `${JSON.stringify(key)}:${write(child)}`).join(',')}}`;
  if (value.kind === 'array') return `[${value.items.map(write).join(',')}]`;
  if (value.kind === 'string') return JSON.stringify(value.text);
  return value.kind === 'number' ? value.text : String(value.value);
}
