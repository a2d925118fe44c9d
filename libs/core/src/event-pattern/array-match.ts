/**
 * Matching where arrays of objects or of arrays lie on the way of several conditions. All values that meet them have to agree: of every
 * array that two of them lie in, they lie in the same element (array consistency, as in AWS's Event Ruler,
 * https://github.com/aws/event-ruler). Scalars directly in an array belong to no element.
 *
 * `exists: false` looks only at values that agree with those chosen for the conditions before it, in the order of their paths: where
 * one of these lies in an element, at that element; where none does, at all elements.
 *
 * Conditions that go different ways do not meet again, so each way is decided by itself and the whole is linear in the event, but for
 * two cases in which something has to be chosen: keys with dots that offer one path several ways, and a path that ends both in an
 * array and in elements of it while another one goes on. Choices are limited.
 */
import { type EventObject, type Place, hasArrived, isObject, isScalar, leavesOf, membersOn } from './event-leaves.ts';
import type { StepCounter } from './step-counter.ts';
import type { ValueTest } from './value-test.ts';

/** One condition of a conjunction. */
export interface Condition {
  readonly path: string;
  readonly test: ValueTest;
  /** `exists: false` is one of its tests. */
  readonly allowsAbsence: boolean;
  /** It has other tests than `exists: false`. */
  readonly allowsPresence: boolean;
}

/**
 * So many ways are tried for one conjunction, and more of them while they are cheap. After that the event counts as a match: one event too
 * many is a lesser harm than one lost. Only events made for it come near. [I]
 */
const CHOICES_MAX = 64;

/** How many steps the ways of one conjunction may take together, once there were many of them: some milliseconds. [I] */
const STEPS_OF_CHOICES_MAX = 200_000;

/** Objects and arrays on the way of the conditions are told apart to this depth; deeper ones count as a match like too many choices. [I] */
const DEPTH_MAX = 500;

/** A condition on its way through the event. */
interface Traveller {
  readonly condition: Condition;
  readonly at: number;
}

interface Search {
  choices: number;
  readonly counter: StepCounter;
  readonly stepsMax: number;
}

/**
 * @param from where the ways of all these conditions still are one: an array, or the event itself
 * @param conditions sorted by path, each path once
 */
export function matchesTogether({ value, at }: Place, conditions: readonly Condition[], counter: StepCounter = { steps: 0 }): boolean {
  const group = conditions.map((condition) => ({ condition, at }));
  return meets(value, group, { choices: 0, counter, stepsMax: counter.steps + STEPS_OF_CHOICES_MAX }, 0);
}

/** To be asked before each further choice. */
function isExhausted(search: Search): boolean {
  search.choices += 1;
  return search.choices > CHOICES_MAX && search.counter.steps > search.stepsMax;
}

function meets(value: unknown, group: readonly Traveller[], search: Search, depth: number): boolean {
  search.counter.steps += group.length;
  if (group.length === 0) return true;
  if (isScalar(value)) return group.every((traveller) => meetsScalar(value, traveller, search));
  if (depth >= DEPTH_MAX) return true;
  if (isObject(value)) return meetsObject(value, group, search, depth);
  return meetsArray(value as readonly unknown[], group, search, depth);
}

function meetsScalar(value: unknown, { condition, at }: Traveller, search: Search): boolean {
  return hasArrived(condition.path, at) ? condition.test(value, search.counter) : condition.allowsAbsence;
}

function meetsObject(object: EventObject, group: readonly Traveller[], search: Search, depth: number): boolean {
  const ways = new Map<unknown, Traveller[]>();
  const forked: { readonly condition: Condition; readonly places: readonly Place[] }[] = [];
  for (const { condition, at } of group) {
    const places = hasArrived(condition.path, at) ? [] : membersOn(condition.path, { value: object, at }, search.counter);
    const [place] = places;
    if (place === undefined) {
      if (!condition.allowsAbsence) return false;
    } else if (places.length === 1) {
      send(ways, condition, place);
    } else {
      forked.push({ condition, places });
    }
  }
  return meetsForks(ways, forked, search, depth);
}

/** Tries, for each condition that has several ways, each of them. */
function meetsForks(
  ways: ReadonlyMap<unknown, readonly Traveller[]>,
  forked: readonly { readonly condition: Condition; readonly places: readonly Place[] }[],
  search: Search,
  depth: number,
): boolean {
  const [fork, ...others] = forked;
  if (fork === undefined) {
    for (const [value, group] of ways) if (!meets(value, inOrder(group), search, depth + 1)) return false;
    return true;
  }
  const { condition, places } = fork;
  if (condition.allowsPresence) {
    for (const place of places) {
      if (isExhausted(search)) return true;
      const tried = copyOf(ways);
      send(tried, { ...condition, allowsAbsence: false }, place);
      if (meetsForks(tried, others, search, depth)) return true;
    }
  }
  if (!condition.allowsAbsence) return false;
  const tried = copyOf(ways);
  for (const place of places) send(tried, { ...condition, allowsPresence: false, test: () => false }, place);
  return meetsForks(tried, others, search, depth);
}

function meetsArray(array: readonly unknown[], group: readonly Traveller[], search: Search, depth: number): boolean {
  // Paths that end here come first, since all others in the group begin with theirs; and it can be only one.
  const [first, ...rest] = group;
  if (first === undefined || !hasArrived(first.condition.path, first.at)) return meetsElement(array, group, search, depth);
  const { condition } = first;
  const scalars = array.filter(isScalar);
  search.counter.steps += array.length;
  if (condition.allowsPresence && scalars.some((scalar) => condition.test(scalar, search.counter))) {
    if (meetsElement(array, rest, search, depth)) return true;
    // A value inside an element ties the others to it, which only helps those that want something absent.
    if (!rest.some((traveller) => traveller.condition.allowsAbsence)) return false;
    if (isExhausted(search)) return true;
  } else if (scalars.length > 0 && !condition.allowsPresence) {
    return false;
  }
  const isMissing = condition.allowsAbsence && scalars.length === 0 && !hasLeaf(array, first, search);
  if (isMissing) return meetsElement(array, rest, search, depth);
  if (!condition.allowsPresence) return false;
  return meetsElement(array, [{ at: first.at, condition: { ...condition, allowsAbsence: false } }, ...rest], search, depth);
}

/** True if one element meets all that have to be met in an element. */
function meetsElement(array: readonly unknown[], group: readonly Traveller[], search: Search, depth: number): boolean {
  const bound: Traveller[] = [];
  for (const traveller of group) {
    const { condition, at } = traveller;
    // Until a condition before it is bound to an element, absence means absence from all of them.
    if (bound.length > 0 || !condition.allowsAbsence) bound.push(traveller);
    else if (!hasLeaf(array, traveller, search)) continue;
    else if (condition.allowsPresence) bound.push({ at, condition: { ...condition, allowsAbsence: false } });
    else return false;
  }
  if (bound.length === 0) return true;
  return array.some((element) => !isScalar(element) && meets(element, bound, search, depth + 1));
}

function hasLeaf(array: readonly unknown[], { condition, at }: Traveller, search: Search): boolean {
  return leavesOf(condition.path, { value: array, at }, search.counter).values.length > 0;
}

function send(ways: Map<unknown, Traveller[]>, condition: Condition, { value, at }: Place): void {
  // Scalars are values, not places: equal ones are told apart by nothing, which is no harm, for they hold no arrays.
  const group = ways.get(value);
  if (group === undefined) ways.set(value, [{ condition, at }]);
  else group.push({ condition, at });
}

function copyOf(ways: ReadonlyMap<unknown, readonly Traveller[]>): Map<unknown, Traveller[]> {
  return new Map([...ways].map(([value, group]) => [value, [...group]]));
}

function inOrder(group: readonly Traveller[]): readonly Traveller[] {
  return group.toSorted((a, b) => (a.condition.path < b.condition.path ? -1 : 1));
}
