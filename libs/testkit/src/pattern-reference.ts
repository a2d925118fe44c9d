import { type PlainJson, readPlainJson } from './plain-json.ts';
import { referenceTest } from './pattern-reference-tests.ts';

/** A value of the event that is neither object nor array, and where it stands. */
interface Leaf {
  readonly path: string;
  readonly value: PlainJson;
  /** For every array that the value's parents are elements of: the array and the element's index. */
  readonly places: ReadonlyMap<object, number>;
}

type Combination = ReadonlyMap<string, readonly PlainJson[]>;

/**
 * Whether an event matches an event pattern, found by trying everything: the plain reading of the rules, which the compiled matcher is
 * compared with. Slow, and for valid patterns alone: it checks nothing.
 *
 * The rules are those of AWS's Event Ruler (https://github.com/aws/event-ruler): an event is the list of its leaves, named by their
 * joined path; each path of the pattern needs a leaf that passes one of its tests; and the chosen leaves have to agree on one
 * element of every array they share.
 */
export function referenceMatches(patternText: string, eventText: string): boolean {
  const event = readPlainJson(eventText);
  if (event.kind !== 'object') return false;
  const leaves = flatten(event);
  const pattern = readPlainJson(patternText);
  const start: Reading = { combinations: [new Map()], keys: [] };
  return combinations(pattern, start).some((combination) =>
    canAssign(combination, [...combination.keys()].toSorted(byCodeUnits), leaves, new Map()),
  );
}

interface Reading {
  /** What was read so far, one of each combination of alternatives. */
  readonly combinations: readonly Combination[];
  /** The keys on the way to the object that is being read. */
  readonly keys: readonly string[];
}

/** `$or` multiplied out: every way to choose one alternative of each. A path written again replaces what was written before. */
function combinations(pattern: PlainJson, reading: Reading): readonly Combination[] {
  let all = reading.combinations;
  for (const [key, value] of entriesOf(pattern)) {
    const keys = [...reading.keys, key];
    if (key === '$or') {
      const before = all;
      all = itemsOf(value).flatMap((alternative) => combinations(alternative, { ...reading, combinations: before }));
    } else if (value.kind === 'array') {
      all = all.map((combination) => new Map([...combination, [keys.join('.'), value.items]]));
    } else {
      all = combinations(value, { ...reading, combinations: all, keys });
    }
  }
  return all;
}

function entriesOf(value: PlainJson): readonly (readonly [string, PlainJson])[] {
  return value.kind === 'object' ? value.entries : [];
}

function itemsOf(value: PlainJson): readonly PlainJson[] {
  return value.kind === 'array' ? value.items : [];
}

/**
 * Every leaf of the event. An element that is an object or an array belongs to its array; a scalar that stands directly in an array
 * does not. Of a key written twice the last counts, as for JSON.parse.
 */
function flatten(event: PlainJson): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const visit = (value: PlainJson, keys: readonly string[], places: ReadonlyMap<object, number>): void => {
    if (value.kind === 'object') {
      for (const [key, child] of new Map(value.entries)) visit(child, [...keys, key], places);
    } else if (value.kind === 'array') {
      value.items.forEach((item, index) => {
        const isScalar = item.kind !== 'object' && item.kind !== 'array';
        visit(item, keys, isScalar ? places : new Map([...places, [value, index]]));
      });
    } else {
      leaves.push({ path: keys.join('.'), value, places });
    }
  };
  visit(event, [], new Map());
  return leaves;
}

/**
 * Tries all leaves for the first path, and for each of them all for the next. Paths are taken in the order of their code units, which
 * shows in one place: `exists: false` holds if the leaves chosen so far leave no leaf of its path.
 */
function canAssign(
  combination: Combination,
  paths: readonly string[],
  leaves: readonly Leaf[],
  places: ReadonlyMap<object, number>,
): boolean {
  const [path, ...rest] = paths;
  if (path === undefined) return true;
  const tests = combination.get(path) ?? [];
  const candidates = leaves.filter((leaf) => leaf.path === path && agree(leaf.places, places));
  if (candidates.length === 0 && tests.some(isAbsence) && canAssign(combination, rest, leaves, places)) return true;
  return candidates.some(
    (leaf) =>
      tests.some((test) => !isAbsence(test) && referenceTest(test, leaf.value)) &&
      canAssign(combination, rest, leaves, new Map([...places, ...leaf.places])),
  );
}

function agree(one: ReadonlyMap<object, number>, other: ReadonlyMap<object, number>): boolean {
  return [...one].every(([array, index]) => (other.get(array) ?? index) === index);
}

function isAbsence(test: PlainJson): boolean {
  if (test.kind !== 'object') return false;
  const [name, operand] = test.entries.at(-1) ?? [];
  return name === 'exists' && operand?.kind === 'literal' && operand.value === false;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
