import { expect, it } from 'vitest';
import { randomPair } from '@wherry/testkit/pattern-generator';
import { referenceMatches } from '@wherry/testkit/pattern-reference';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { parsedEvent, validPattern } from '../../test-data/compiled-match.ts';
import { compilePatterns } from './matcher.ts';
import type { EventPattern, PatternField, PatternGroup, PatternNumber, PatternTest } from './pattern.ts';

/** A fault, planted by changing what the matcher gets. Faults that change one side alone leave the other as it is. */
interface Fault {
  readonly pattern?: (pattern: EventPattern) => readonly EventPattern[];
  readonly event?: (event: unknown) => unknown;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'each condition may hold in another element of an array': { pattern: eachFieldAlone },
  'exists: false looks at the whole event': { pattern: absencesAlone },
  'anything-but holds where there is no value': {
    pattern: onTests((tests) => (tests.some(({ kind }) => kind === 'anything-but') ? [...tests, { kind: 'exists', value: false }] : tests)),
  },
  'anything-but looks at the first of its values only': {
    pattern: onTest((test) => (test.kind === 'anything-but' ? { ...test, tests: test.tests.slice(0, 1) } : test)),
  },
  'only the first entry of a list counts': { pattern: onTests((tests) => tests.slice(0, 1)) },
  'only the first alternative of $or counts': {
    pattern: onGroup((group) => ({ ...group, alternatives: group.alternatives.map((groups) => groups.slice(0, 1)) })),
  },
  'all alternatives of $or have to hold': {
    pattern: onGroup((group) => ({ ...group, alternatives: group.alternatives.flat().map((one) => [one]) })),
  },
  'bounds of ranges are included, or not, the wrong way round': {
    pattern: onTest((test) =>
      test.kind === 'numeric'
        ? {
            kind: 'numeric',
            ...(test.lower && { lower: { ...test.lower, isInclusive: !test.lower.isInclusive } }),
            ...(test.upper && { upper: { ...test.upper, isInclusive: !test.upper.isInclusive } }),
          }
        : test,
    ),
  },
  'long numbers are compared as doubles': {
    pattern: onTest((test) => (test.kind === 'number' ? { kind: 'number', number: rounded(test.number) } : test)),
  },
  'prefixes and suffixes never ignore case': {
    pattern: onTest((test) => (test.kind === 'prefix' || test.kind === 'suffix' ? { ...test, ignoreCase: false } : test)),
  },
  'a wildcard may end anywhere': { pattern: onTest((test) => (test.kind === 'wildcard' ? { ...test, parts: [...test.parts, ''] } : test)) },
  'text operators work on numbers': { event: onScalars((value) => (typeof value === 'number' ? String(value) : value)) },
  'null is no value': { event: onMembers((value) => value !== null) },
  'an empty array is a value': { event: onArrays((items) => (items.length === 0 ? [null] : items)) },
  'arrays in arrays are not traversed': { event: onArrays((items) => items.filter((item) => !Array.isArray(item))) },
  'only the first element of an array is looked at': { event: onArrays((items) => items.slice(0, 1)) },
  'keys with dots are not joined': { event: onMembers((_, key) => !key.includes('.')) },
  'members that every object inherits are never found': { event: onMembers((_, key) => !(key in {})) },
};

it('agrees with the reference as long as no fault is planted', () => {
  expect(firstDisagreement({})).toBeUndefined();
});

it.each(Object.keys(FAULTS))('is caught if %s', { timeout: 60_000 }, (name) => {
  expect(firstDisagreement(FAULTS[name] ?? {})).toBeDefined();
});

/** The first seed that shows the fault. */
function firstDisagreement({ pattern = (same) => [same], event = (same) => same }: Fault): number | undefined {
  for (let seed = 1; seed <= 4_000; seed += 1) {
    const pair = randomPair(seededRandom(seed));
    const patterns = pattern(validPattern(pair.pattern));
    const parsed = event(parsedEvent(patterns, pair.event));
    if (patterns.every((one) => compilePatterns([one]).matches(parsed)) !== referenceMatches(pair.pattern, pair.event)) return seed;
  }
  return undefined;
}

function onGroup(change: (group: PatternGroup) => PatternGroup): (pattern: EventPattern) => readonly EventPattern[] {
  const visit = (group: PatternGroup): PatternGroup => {
    const changed = change(group);
    return { ...changed, alternatives: changed.alternatives.map((groups) => groups.map(visit)) };
  };
  return (pattern) => [{ ...pattern, root: visit(pattern.root) }];
}

function onTests(change: (tests: readonly PatternTest[]) => readonly PatternTest[]): (pattern: EventPattern) => readonly EventPattern[] {
  return onGroup((group) => ({ ...group, fields: group.fields.map((field) => ({ ...field, tests: change(field.tests) })) }));
}

function onTest(change: (test: PatternTest) => PatternTest): (pattern: EventPattern) => readonly EventPattern[] {
  return onTests((tests) => tests.map(change));
}

/** One pattern for each field, all of which have to match. Patterns with `$or` stay whole. */
function eachFieldAlone(pattern: EventPattern): readonly EventPattern[] {
  const { fields, alternatives } = pattern.root;
  return alternatives.length > 0 ? [pattern] : fields.map((field) => only(pattern, [field]));
}

/** The fields that ask for absence each in a pattern of its own, the others together. */
function absencesAlone(pattern: EventPattern): readonly EventPattern[] {
  const { fields, alternatives } = pattern.root;
  const others = fields.filter((field) => !isAbsence(field));
  if (alternatives.length > 0 || others.length === 0) return [pattern];
  return [only(pattern, others), ...fields.filter(isAbsence).map((field) => only(pattern, [field]))];
}

function isAbsence({ tests }: PatternField): boolean {
  return tests.every((test) => test.kind === 'exists' && !test.value);
}

function only(pattern: EventPattern, fields: readonly PatternField[]): EventPattern {
  return { ...pattern, root: { fields, alternatives: [] } };
}

function rounded({ value }: PatternNumber): PatternNumber {
  return { value };
}

function onScalars(change: (value: unknown) => unknown): (event: unknown) => unknown {
  return (event) => rebuilt(event, { scalar: change });
}

function onArrays(change: (items: readonly unknown[]) => readonly unknown[]): (event: unknown) => unknown {
  return (event) => rebuilt(event, { items: change });
}

function onMembers(isKept: (value: unknown, key: string) => boolean): (event: unknown) => unknown {
  return (event) => rebuilt(event, { isKept });
}

interface Changes {
  readonly scalar?: (value: unknown) => unknown;
  readonly items?: (items: readonly unknown[]) => readonly unknown[];
  readonly isKept?: (value: unknown, key: string) => boolean;
}

function rebuilt(value: unknown, changes: Changes): unknown {
  if (Array.isArray(value)) return (changes.items?.(value) ?? value).map((item) => rebuilt(item, changes));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return changes.scalar === undefined ? value : changes.scalar(value);
  }
  const kept = Object.entries(value).filter(([key, member]) => changes.isKept?.(member, key) ?? true);
  return Object.fromEntries(kept.map(([key, member]) => [key, rebuilt(member, changes)]));
}
