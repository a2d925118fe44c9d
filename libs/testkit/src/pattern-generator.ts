import type { Random } from '@wherry/core/clock';
import { type EventLeaf, eventLeaves, randomEvent, renderEvent } from './pattern-generator-events.ts';
import { type Alphabet, NARROW, pick, quote, WIDE } from './pattern-generator-values.ts';
import { randomTest, testFor } from './pattern-generator-tests.ts';

/** A pattern and an event, both as JSON text. */
export interface PatternPair {
  readonly pattern: string;
  readonly event: string;
}

interface Condition {
  /** What is left of the path below the object that is being written. */
  readonly segments: readonly string[];
  readonly tests: readonly string[];
}

/**
 * A random event and a random pattern that was made with an eye on it, so that both answers are common: most conditions stand on
 * paths the event has and hold for a value there; some do not. Small alphabets make paths and values collide.
 */
export function randomPair(random: Random): PatternPair {
  const alphabet = random() < 0.4 ? NARROW : WIDE;
  const event = randomEvent(random, alphabet);
  const leaves = eventLeaves(event);
  const count = 1 + Math.floor(random() * 5);
  // Conditions on neighbours meet in arrays, where they have to agree on one element.
  const anchor = leaves.length === 0 ? undefined : pick(random, leaves).segments[0];
  const neighbours = leaves.filter(({ segments }) => segments[0] === anchor);
  const conditions = Array.from({ length: count }, () => randomCondition(random, alphabet, random() < 0.7 ? neighbours : leaves, count));
  const paths = conditions.map(({ segments }) => segments.join('.'));
  const kept = conditions.filter((_, index) => paths.indexOf(paths[index] ?? '') === index || random() < 0.15);
  return { pattern: writeObject(random, alphabet, kept, leaves, 0), event: renderEvent(random, event) };
}

/** The more conditions stand beside this one, the likelier it has to hold, so that patterns of many conditions match at times. */
function randomCondition(random: Random, alphabet: Alphabet, leaves: readonly EventLeaf[], neighbours: number): Condition {
  const leaf = leaves.length === 0 ? undefined : pick(random, leaves);
  const isLost = leaf === undefined || random() < 0.12;
  const segments = isLost ? Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, alphabet.keys)) : leaf.segments;
  const tests: string[] = [];
  if (isLost && random() < 0.6) tests.push('{"exists":false}');
  if (!isLost && random() < 1 - 0.5 / neighbours) tests.push(testFor(random, alphabet, leaf.value));
  if (!isLost && neighbours > 1 && random() < 0.12) tests.splice(0, 1, '{"exists":false}');
  while (tests.length === 0 || random() < 0.12) {
    tests.splice(Math.floor(random() * 2), 0, random() < 0.15 ? '{"exists":false}' : randomTest(random, alphabet));
  }
  return { segments: segments.length === 0 ? ['a'] : segments, tests };
}

/** Writes conditions as an object: keys nested, joined by dots, or written twice; some of them moved into an `$or`. */
function writeObject(
  random: Random,
  alphabet: Alphabet,
  conditions: readonly Condition[],
  leaves: readonly EventLeaf[],
  level: number,
): string {
  const entries: string[] = [];
  const rest = [...conditions];
  if (level < 4 && random() < 0.15) {
    const moved = rest.splice(0, 1 + Math.floor(random() * 2));
    entries.push(`"$or":[${alternatives(random, alphabet, moved, leaves, level).join(',')}]`);
  }
  while (rest.length > 0) {
    const first = rest.shift();
    if (first === undefined) break;
    const length = first.segments.length === 1 || random() < 0.7 ? 1 : 1 + Math.floor(random() * first.segments.length);
    const key = first.segments.slice(0, length).join('.');
    if (length === first.segments.length) {
      entries.push(`${quote(random, key)}:[${first.tests.join(',')}]`);
      continue;
    }
    const isBelow = (segments: readonly string[]): boolean => segments.length > length && segments.slice(0, length).join('.') === key;
    const joins = random() < 0.9 ? rest.filter(({ segments }) => isBelow(segments)) : [];
    for (const joined of joins) rest.splice(rest.indexOf(joined), 1);
    const below = [first, ...joins].map(({ segments, tests }) => ({ segments: segments.slice(length), tests }));
    const leavesBelow = leaves
      .filter(({ segments }) => isBelow(segments))
      .map(({ segments, value }) => ({ segments: segments.slice(length), value }));
    entries.push(`${quote(random, key)}:${writeObject(random, alphabet, below, leavesBelow, level + 1)}`);
  }
  if (random() < 0.3) entries.reverse();
  return `{${entries.join(',')}}`;
}

/** The conditions themselves are one alternative; the others are new ones, at times about the same paths. */
function alternatives(
  random: Random,
  alphabet: Alphabet,
  conditions: readonly Condition[],
  leaves: readonly EventLeaf[],
  level: number,
): readonly string[] {
  const all = [writeObject(random, alphabet, conditions, leaves, level + 2)];
  while (all.length < 2 || random() < 0.25) {
    const others = Array.from({ length: 1 + Math.floor(random() * 2) }, () => randomCondition(random, alphabet, leaves, 1));
    all.splice(Math.floor(random() * 2), 0, writeObject(random, alphabet, others, leaves, level + 2));
  }
  return all;
}
