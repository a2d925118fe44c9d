import { type Condition, matchesTogether } from './array-match.ts';
import { type EventObject, type Leaves, isObject } from './event-leaves.ts';
import { EventReader, type PathNode } from './event-reader.ts';
import { LiteralIndex } from './literal-index.ts';
import { NumberText } from './number-text.ts';
import type { EventPattern, PatternField, PatternGroup, PatternTest } from './pattern.ts';
import type { StepCounter } from './step-counter.ts';
import { compileTests, isAbsence, plainLiteral } from './value-test.ts';

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

/** Larger sets are looked up by the literals they want; for a few patterns that costs more than it saves. */
const LOOKED_UP_FROM = 16;

/** Compiles patterns for repeated matching. Time and memory are spent here, so compile once. */
export function compilePatterns(patterns: readonly EventPattern[]): PatternSet {
  return new CompiledSet(patterns);
}

/** A field of a pattern, ready to be asked. */
interface FieldCondition extends Condition {
  readonly node: PathNode;
  /** Its one test, if that is for a text and so needs no call. */
  readonly onlyText: string | undefined;
}

interface Group {
  /** The least deep first: they cost least, and the first that fails spares the others. */
  readonly conditions: readonly FieldCondition[];
  readonly alternatives: readonly (readonly Group[])[];
  readonly first: FieldCondition | undefined;
  /** How many conditions it has, alternatives included. */
  readonly size: number;
}

/**
 * Asks each pattern its conditions one by one, as if there were no arrays: exact where there are none, too generous where elements of arrays
 * have to agree. Only if such elements were met and all conditions hold, the exact and slower question is asked.
 */
class CompiledSet implements PatternSet {
  readonly needsNumberText: boolean;
  readonly #reader = new EventReader();
  readonly #groups: readonly Group[];
  readonly #index: LiteralIndex | undefined;
  #metElements = false;

  constructor(patterns: readonly EventPattern[]) {
    this.needsNumberText = patterns.some((pattern) => pattern.needsNumberText);
    this.#groups = patterns.map((pattern) => compileGroup(pattern.root, this.#reader));
    if (patterns.length >= LOOKED_UP_FROM) this.#index = new LiteralIndex(patterns, this.#reader);
  }

  matches(event: unknown, counter?: StepCounter): boolean {
    if (this.#groups.length === 0) return true;
    if (!isObject(event)) return false;
    this.#reader.begin(event, counter);
    const isMatch = this.#index === undefined ? this.#anyOf(this.#groups, event) : this.#anyAt(this.#index.candidates(this.#reader), event);
    this.#reader.end();
    return isMatch;
  }

  matching(event: unknown, counter?: StepCounter): number[] {
    if (!isObject(event)) return [];
    this.#reader.begin(event, counter);
    const candidates = this.#index?.candidates(this.#reader) ?? this.#groups.keys();
    const indexes: number[] = [];
    for (const index of candidates) if (this.#matchesAt(index, event)) indexes.push(index);
    this.#reader.end();
    return indexes;
  }

  #anyOf(groups: readonly Group[], event: EventObject): boolean {
    for (let index = 0; index < groups.length; index += 1) {
      const group = groups[index];
      if (group !== undefined && this.#matchesOne(group, event)) return true;
    }
    return false;
  }

  #anyAt(indexes: readonly number[], event: EventObject): boolean {
    for (const index of indexes) if (this.#matchesAt(index, event)) return true;
    return false;
  }

  #matchesAt(index: number, event: EventObject): boolean {
    const group = this.#groups[index];
    return group !== undefined && this.#matchesOne(group, event);
  }

  #matchesOne(group: Group, event: EventObject): boolean {
    // Most patterns of a set fail at once, which is to take as little as it can.
    if (group.first !== undefined && !this.#holds(group.first)) return false;
    const { counter } = this.#reader;
    if (counter !== undefined) counter.steps += group.size;
    this.#metElements = false;
    if (!this.#groupHolds(group)) return false;
    if (!this.#metElements) return true;
    return this.#matchesExactly(group, [], event);
  }

  #groupHolds(group: Group): boolean {
    const { conditions, alternatives } = group;
    for (let index = 0; index < conditions.length; index += 1) {
      const condition = conditions[index];
      if (condition !== undefined && !this.#holds(condition)) return false;
    }
    for (let index = 0; index < alternatives.length; index += 1) {
      if (!this.#anyGroupHolds(alternatives[index] ?? [])) return false;
    }
    return true;
  }

  #anyGroupHolds(either: readonly Group[]): boolean {
    for (const group of either) if (this.#groupHolds(group)) return true;
    return false;
  }

  #holds(condition: FieldCondition): boolean {
    const value = this.#reader.value(condition.node);
    // Texts first, and little code for them: the engine then makes one piece of all this, which is half the cost.
    if (typeof value === 'string' && condition.onlyText !== undefined) return value === condition.onlyText;
    return this.#holdsFor(condition, value);
  }

  #holdsFor(condition: FieldCondition, value: unknown): boolean {
    const { counter } = this.#reader;
    if (value === undefined) return condition.allowsAbsence;
    if (typeof value !== 'object' || value === null || value instanceof NumberText) return condition.test(value, counter);
    return this.#holdsForAny(condition, this.#reader.leaves(condition.node));
  }

  #holdsForAny(condition: FieldCondition, { values, isInElement }: Leaves): boolean {
    if (values.length === 0) return condition.allowsAbsence;
    if (isInElement) {
      this.#metElements = true;
      // Whether the absence is one from the right element is for later.
      if (condition.allowsAbsence) return true;
    }
    for (const leaf of values) if (condition.test(leaf, this.#reader.counter)) return true;
    return false;
  }

  /** Multiplies the alternatives out, for each combination of them is to be met by elements of its own choice. */
  #matchesExactly({ conditions, alternatives }: Group, chosen: readonly FieldCondition[], event: EventObject): boolean {
    const all = [...chosen, ...conditions];
    if (!conditions.every((condition) => this.#holds(condition))) return false;
    const [either, ...others] = alternatives;
    if (either === undefined) return this.#meetTogether(all, event);
    return either.some((group) => this.#matchesExactly({ ...group, alternatives: [...group.alternatives, ...others] }, all, event));
  }

  /** Conditions without values in elements stay out of it: they hold, whichever elements the others choose. */
  #meetTogether(conditions: readonly FieldCondition[], event: EventObject): boolean {
    const bound = conditions.filter(({ node }) => this.#reader.isInElement(node));
    const [only] = bound;
    if (only === undefined || (bound.length === 1 && !only.allowsAbsence)) return true;
    const [from, ...others] = bound.map(({ node }) => this.#reader.start(node));
    const isShared = others.every(({ value }) => value === from?.value);
    return matchesTogether(
      isShared && from !== undefined ? from : { value: event, at: 0 },
      bound.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      this.#reader.counter,
    );
  }
}

function compileGroup(group: PatternGroup, reader: EventReader): Group {
  const alternatives = group.alternatives.map((either) => either.map((one) => compileGroup(one, reader)));
  const conditions = group.fields.toSorted((a, b) => a.keys.length - b.keys.length).map((field) => compileCondition(field, reader));
  return {
    conditions,
    alternatives,
    first: conditions[0],
    size: group.fields.length + alternatives.flat().reduce((sum, { size }) => sum + size, 0),
  };
}

function compileCondition({ path, tests }: PatternField, reader: EventReader): FieldCondition {
  return {
    path,
    node: reader.node(path),
    test: compileTests(tests),
    onlyText: onlyTextOf(tests),
    allowsAbsence: tests.some(isAbsence),
    allowsPresence: !tests.every(isAbsence),
  };
}

function onlyTextOf(tests: readonly PatternTest[]): string | undefined {
  const [first] = tests;
  const literal = first === undefined || tests.length > 1 ? undefined : plainLiteral(first);
  return typeof literal === 'string' ? literal : undefined;
}
