import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { referenceMatches } from '@wherry/testkit/pattern-reference';
import { compiledMatches } from '../../test-data/compiled-match.ts';

/**
 * What AWS's own engine said: Event Ruler 2.0.1 of July 2026 (https://github.com/aws/event-ruler) on Java 17, for pairs of a pattern and
 * an event that are Wherry's own. About 200 were thought up for the corners, the others chosen from a quarter of a million of
 * `randomPair`: short ones of every mix of operators, and those that a matcher without array consistency gets wrong. Each was
 * given to a fresh `Machine`: `addRule`, then `rulesForJSONEvent`, in several runs with one answer. A pattern or an event that
 * is a string here holds the exact text, where writing the value down again would lose something. What Wherry answers otherwise
 * on purpose stands below.
 */
const RECORDED = readFileSync(new URL('../../test-data/event-ruler.ndjson', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly match: boolean; readonly pattern: unknown; readonly event: unknown })
  .map(({ match, pattern, event }) => ({ match, pattern: textOf(pattern), event: textOf(event) }));

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

it('gives the answers of AWS’s engine', () => {
  expect(RECORDED.length).toBeGreaterThan(1_950);
  expect(RECORDED.filter(({ match, pattern, event }) => compiledMatches(pattern, event) !== match)).toEqual([]);
});

it('is judged by a reference that gives the answers of AWS’s engine', () => {
  expect(RECORDED.filter(({ match, pattern, event }) => referenceMatches(pattern, event) !== match)).toEqual([]);
});

/** Where Wherry gives another answer than Event Ruler 2.0.1 on Java 17, on purpose. */
const DIFFERENCES: readonly {
  engine: boolean | 'refused';
  wherry: boolean | 'refused';
  pattern: string;
  event: string;
  because: string;
}[] = [
  {
    because: 'a test that two alternatives share must not cost the second one its others; alone, the engine matches it too',
    engine: false,
    wherry: true,
    pattern: '{"$or":[{"a":[1]},{"a":[1,2]}]}',
    event: '{"a":2}',
  },
  {
    because: 'a path that the event has inside an array and beside it has both values; the engine forgets the one beside it',
    engine: false,
    wherry: true,
    pattern: '{"a":{"b":[1],"c":["x"]}}',
    event: '{"a":[{"b":1,"c":"y"}],"a.c":"x"}',
  },
  {
    because: '`exactly` says the same as the text alone, also where that is an address',
    engine: false,
    wherry: true,
    pattern: '{"a":[{"exactly":"::1"}]}',
    event: '{"a":"0:0:0:0:0:0:0:1"}',
  },
  { because: 'a number is no address', engine: true, wherry: false, pattern: '{"a":[{"cidr":"0.0.0.0/0"}]}', event: '{"a":5}' },
  {
    because: 'a range may have exact bounds',
    engine: 'refused',
    wherry: true,
    pattern: '{"a":[{"numeric":[">",1234567890123456788]}]}',
    event: '{"a":1234567890123456789}',
  },
  {
    because: 'what is excluded may be exact',
    engine: 'refused',
    wherry: false,
    pattern: '{"a":[{"anything-but":[1234567890123456789]}]}',
    event: '{"a":1234567890123456789}',
  },
  {
    because: 'a long number of an event is still greater than 100',
    engine: false,
    wherry: true,
    pattern: '{"a":[{"numeric":[">",100]}]}',
    event: '{"a":1234567890123456789}',
  },
  {
    because: 'exact numbers are equal by value, not by text',
    engine: false,
    wherry: true,
    pattern: '{"a":[12345678901234567.89]}',
    event: '{"a":12345678901234567.890}',
  },
  {
    because: 'of a key that an event has twice, the last counts, as for the function that gets it',
    engine: true,
    wherry: false,
    pattern: '{"a":[2]}',
    event: '{"a":2,"a":1}',
  },
  {
    because: 'no event has a field `$or`: taken for one it would drop every record in silence',
    engine: false,
    wherry: 'refused',
    pattern: '{"$or":["a","b"]}',
    event: '{"a":1}',
  },
  {
    because: 'a text with characters of two UTF-16 units equals itself, whatever case is ignored',
    engine: false,
    wherry: true,
    pattern: '{"a":[{"equals-ignore-case":"hello 😀"}]}',
    event: '{"a":"Hello 😀"}',
  },
  {
    because: 'empty keys join like all others',
    engine: false,
    wherry: true,
    pattern: '{"":{"a":[1]}}',
    event: '{"":{"a":1}}',
  },
];

it.each(DIFFERENCES)('differs from AWS’s engine where $because', ({ wherry, pattern, event }) => {
  if (wherry === 'refused') {
    expect(() => compiledMatches(pattern, event)).toThrow();
    return;
  }
  expect(compiledMatches(pattern, event)).toBe(wherry);
  expect(referenceMatches(pattern, event)).toBe(wherry);
});
