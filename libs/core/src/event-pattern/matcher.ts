import { type Condition, matchesTogether } from './array-match.ts';
import { conjunctionsOf } from './conjunction.ts';
import { type EventObject, isObject, leavesOf } from './event-leaves.ts';
import type { EventPattern, PatternField } from './pattern.ts';
import type { StepCounter } from './step-counter.ts';
import { compileTests, isAbsence } from './value-test.ts';

/** Event patterns compiled together: all filters of a mapping, or a larger set. */
export interface PatternSet {
  /** True if any pattern compares numbers by their text: then events have to be parsed with `parseEventText`, otherwise `JSON.parse` does. */
  readonly needsNumberText: boolean;
  /**
   * True if any pattern matches, or if there is none.
   * @param event parsed; anything but an object matches no pattern
   */
  matches(event: unknown, counter?: StepCounter): boolean;
  /** Indexes of the patterns that match, in ascending order. */
  matching(event: unknown, counter?: StepCounter): number[];
}

/** Compiles patterns for repeated matching. Time and memory are spent here, so compile once. */
export function compilePatterns(patterns: readonly EventPattern[]): PatternSet {
  const compiled = patterns.map((pattern) => conjunctionsOf(pattern).map((fields) => fields.map(compileCondition)));
  return {
    needsNumberText: patterns.some((pattern) => pattern.needsNumberText),
    matches: (event, counter) => compiled.length === 0 || (isObject(event) && compiled.some((one) => matchesAny(event, one, counter))),
    matching: (event, counter) =>
      isObject(event) ? [...compiled.keys()].filter((index) => matchesAny(event, compiled[index] ?? [], counter)) : [],
  };
}

function matchesAny(event: EventObject, conjunctions: readonly (readonly Condition[])[], counter?: StepCounter): boolean {
  return conjunctions.some(
    (conditions) => conditions.every((condition) => mayHold(event, condition, counter)) && matchesTogether(event, conditions, counter),
  );
}

function compileCondition({ path, tests }: PatternField): Condition {
  return { path, test: compileTests(tests), allowsAbsence: tests.some(isAbsence), allowsPresence: !tests.every(isAbsence) };
}

function mayHold(event: EventObject, { path, test, allowsAbsence }: Condition, counter?: StepCounter): boolean {
  const { values, isInElement } = leavesOf(path, { value: event, at: 0 }, counter);
  return (allowsAbsence && (values.length === 0 || isInElement)) || values.some((value) => test(value, counter));
}
