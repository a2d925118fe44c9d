import { parseJsonText } from './json-text.ts';
import { compilePatterns } from './matcher.ts';
import { parseEventText } from './number-text.ts';
import type { EventPattern, PatternField, PatternGroup } from './pattern.ts';
import { compileTests, isAbsence } from './value-test.ts';
import { type PathValues, valuesAtPaths } from './values-at-paths.ts';

/** Why an event does not match a pattern. */
export type Mismatch =
  /** The first condition, in the order of the pattern's text, that fails whatever the others say. */
  | { readonly kind: 'condition'; readonly condition: FailedCondition }
  /** Each condition is met somewhere, but not all of them by one element of the array. */
  | { readonly kind: 'together'; readonly array: string | undefined; readonly conditions: readonly FailedCondition[] };

/** A condition of a pattern beside what the event has there. */
export interface FailedCondition {
  readonly path: string;
  /** The list of tests as the pattern has it. */
  readonly expected: string;
  /** Where that list begins in the pattern's text, in UTF-16 units. */
  readonly offset: number;
  readonly actual: PathValues;
  /** Where the condition stands in alternatives of `$or`, outermost first: the alternatives that came nearest. */
  readonly alternatives: readonly Alternative[];
}

/** One alternative of an `$or`, counted from 1. */
export interface Alternative {
  readonly number: number;
  readonly of: number;
}

interface Condition {
  readonly field: PatternField;
  readonly alternatives: readonly Alternative[];
}

/** Most conditions that are looked at for what does not fit together: each costs a match of the event. */
const CONFLICT_CONDITIONS_MAX = 50;

/**
 * Says why an event does not match: the first condition of the pattern, in the order of its text, that fails; or, if each is met
 * somewhere, which of them no one element of an array meets together. Of the alternatives of `$or` those are taken of which the fewest
 * conditions fail and, among equals, the most hold.
 *
 * @param pattern a pattern that does not match the event; for one that does, there is nothing to explain and the answer means nothing
 * @param eventText the event as JSON text
 * @param cannotHold paths whose conditions fail whatever the event has there, not even `exists: false` can hold
 * @throws {JsonTextError} if the event is not JSON
 */
export function explainMismatch(pattern: EventPattern, eventText: string, cannotHold: (path: string) => boolean = never): Mismatch {
  const combinations = combine([[]], pattern.root, []);
  const fields = new Set(combinations.flatMap((conditions) => conditions.map(({ field }) => field)));
  const values = valuesAtPaths(parseJsonText(eventText), eventText, new Set([...fields].map(({ path }) => path)));
  const valuesOf = ({ path }: PatternField): PathValues => values.get(path) ?? NOTHING;
  const verdicts = new Map([...fields].map((field) => [field, cannotHold(field.path) ? 'fails' : verdictOf(field, valuesOf(field))]));
  const failing = (conditions: readonly Condition[]): Condition[] => {
    return conditions.filter(({ field }) => verdicts.get(field) === 'fails');
  };
  const [nearest] = combinations
    .map((conditions) => ({ conditions, failed: failing(conditions).length }))
    .toSorted((a, b) => a.failed - b.failed || b.conditions.length - a.conditions.length);
  const inOrder = (nearest?.conditions ?? []).toSorted((a, b) => a.field.offset - b.field.offset);
  const describe = ({ field, alternatives }: Condition): FailedCondition => {
    const expected = listAt(pattern.text, field.offset);
    return { path: field.path, expected, offset: field.offset, actual: valuesOf(field), alternatives };
  };
  const [first] = failing(inOrder);
  if (first !== undefined) return { kind: 'condition', condition: describe(first) };
  const inArrays = inOrder.filter(({ field }) => valuesOf(field).leaves.some(({ arrays }) => arrays.length > 0));
  const conflict = findConflict(inArrays.slice(0, CONFLICT_CONDITIONS_MAX), matcherOf(pattern, eventText));
  const [only, ...others] = conflict;
  if (only !== undefined && others.length === 0) return { kind: 'condition', condition: describe(only) };
  return { kind: 'together', array: sharedArray(conflict.map(({ field }) => valuesOf(field))), conditions: conflict.map(describe) };
}

const NOTHING: PathValues = { leaves: [], container: undefined, similar: undefined, cutOff: undefined };

function never(): boolean {
  return false;
}

/** Every choice of alternatives, as the conditions that it consists of. */
function combine(
  combinations: readonly (readonly Condition[])[],
  group: PatternGroup,
  alternatives: readonly Alternative[],
): readonly (readonly Condition[])[] {
  const own = group.fields.map((field) => ({ field, alternatives }));
  let current: readonly (readonly Condition[])[] = combinations.map((conditions) => [...conditions, ...own]);
  for (const either of group.alternatives) {
    const before = current;
    current = either.flatMap((alternative, index) => [
      ...combine(before, alternative, [...alternatives, { number: index + 1, of: either.length }]),
    ]);
  }
  return current;
}

/** `open`: `exists: false` beside values that all lie in arrays depends on the element that the other conditions choose. */
function verdictOf(field: PatternField, { leaves }: PathValues): 'holds' | 'fails' | 'open' {
  const isAbsenceFine = field.tests.some(isAbsence);
  if (leaves.length === 0) return isAbsenceFine ? 'holds' : 'fails';
  const test = compileTests(field.tests);
  if (leaves.some(({ text }) => test(parseEventText(text)))) return 'holds';
  return isAbsenceFine && leaves.every(({ arrays }) => arrays.length > 0) ? 'open' : 'fails';
}

type Matches = (conditions: readonly Condition[]) => boolean;

/** Whether some of the pattern's conditions alone match the event. */
function matcherOf(pattern: EventPattern, eventText: string): Matches {
  const event = parseEventText(eventText);
  return (conditions) => {
    if (conditions.length === 0) return true;
    const root = { fields: conditions.map(({ field }) => field), alternatives: [] };
    return compilePatterns([{ ...pattern, root }]).matches(event);
  };
}

/**
 * Conditions out of these that do not hold together, as few as leaving out one after the other gives, the later ones first.
 * Conditions on what must not be there come last: which element they are about, the others say.
 */
function findConflict(conditions: readonly Condition[], matches: Matches): readonly Condition[] {
  const absent = conditions.filter(({ field }) => field.tests.some(isAbsence));
  let present = conditions.filter((condition) => !absent.includes(condition));
  if (!matches(present)) {
    for (const condition of present.toReversed()) {
      const fewer = present.filter((each) => each !== condition);
      if (!matches(fewer)) present = fewer;
    }
    return present;
  }
  const culprit = absent.findIndex((_, index) => !matches([...present, ...absent.slice(0, index + 1)]));
  return culprit === -1
    ? conditions
    : [...present, ...absent.slice(culprit, culprit + 1)].toSorted((a, b) => a.field.offset - b.field.offset);
}

/** The innermost array that values of all these conditions lie in. */
function sharedArray(values: readonly PathValues[]): string | undefined {
  const [first, ...others] = values.map(({ leaves }) => new Set(leaves.flatMap(({ arrays }) => arrays)));
  const shared = [...(first ?? [])].filter((array) => others.every((arrays) => arrays.has(array)));
  return shared.toSorted((a, b) => a.length - b.length).at(-1);
}

/** The list that begins at the offset of a valid JSON text. */
function listAt(text: string, offset: number): string {
  let depth = 0;
  for (let at = offset; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[') depth++;
    else if (character === ']' && --depth === 0) return text.slice(offset, at + 1);
  }
  return text.slice(offset);
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  for (; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
  return at;
}
