import { randomPair } from '@wherry/testkit/pattern-generator';
import { referenceMatches } from '@wherry/testkit/pattern-reference';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, it } from 'vitest';
import { parsePattern } from './parse-pattern.ts';
import { type EventRecord, createRecordFilter } from './record-filter.ts';

/** Two JSON objects that share no key as one. */
function joined(one: string, other: string): string {
  const rest = other.slice(other.indexOf('{') + 1);
  return rest.trimStart() === '}' ? one : `${one.slice(0, -1)},${rest}`;
}

interface RandomFilter {
  readonly patterns: readonly string[];
  readonly body: string;
  /** The record's other fields, as JSON text. */
  readonly metadata: string;
  readonly expected: boolean;
}

/** Patterns of which some parts are about the body and some about the rest, in one conjunction or as alternatives. */
function randomFilter(seed: number, isText: boolean): RandomFilter | undefined {
  const random = seededRandom(seed);
  const [inside, around, other] = [randomPair(random), randomPair(random), randomPair(random)];
  const aboutBody = `{"body":${inside.pattern}}`;
  const aboutBoth = joined(aboutBody, around.pattern);
  const patterns = [
    [aboutBoth],
    [`{"$or":[${aboutBody},${around.pattern}]}`],
    [`{"$or":[${aboutBoth},{"body":${other.pattern}}]}`],
    [aboutBoth, `{"body":${other.pattern}}`, other.pattern],
  ][Math.floor(random() * 4)]!;
  if (!patterns.every((text) => parsePattern(text).ok)) return undefined;
  // Records come from JSON.parse, so their own numbers are doubles.
  const metadata = JSON.stringify(JSON.parse(around.event));
  if (isText) {
    // On plain text no condition inside the body holds: what is left are the alternatives without any.
    const free = patterns.flatMap((text) => (text.includes('"body"') ? alternativesOf(text, around.pattern) : [text]));
    return { patterns, body: inside.event.slice(1), metadata, expected: free.some((text) => referenceMatches(text, metadata)) };
  }
  const document = joined(`{"body":${inside.event}}`, metadata);
  return { patterns, body: inside.event, metadata, expected: patterns.some((text) => referenceMatches(text, document)) };
}

function alternativesOf(text: string, around: string): string[] {
  return text.startsWith('{"$or"') && text.endsWith(`,${around}]}`) ? [around] : [];
}

it.each([
  ['bodies in JSON', false],
  ['plain bodies', true],
])('decides like the plain reference about %s and what is around them', { timeout: 60_000 }, (_what, isText) => {
  const wrong: string[] = [];
  let judged = 0;
  let matching = 0;
  for (let seed = 1; seed <= 4_000; seed += 1) {
    const drawn = randomFilter(seed, isText);
    if (drawn === undefined) continue;
    const { patterns, body, metadata, expected } = drawn;
    const compiled = patterns.flatMap((text) => {
      const read = parsePattern(text);
      return read.ok ? [read.pattern] : [];
    });
    const record = { ...(JSON.parse(metadata) as EventRecord), body };
    if (createRecordFilter('sqs', compiled)(record) !== expected)
      wrong.push(`seed ${seed}: ${patterns.join(' ')} on ${body} in ${metadata}`);
    judged += 1;
    if (expected) matching += 1;
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  expect(judged).toBeGreaterThan(3_000);
  expect(matching).toBeGreaterThan(judged / 10);
});
