import { describe, expect, it } from 'vitest';
import { compilePatterns } from './matcher.ts';
import { parsePattern } from './parse-pattern.ts';

/** Steps per field of the pattern and character of the event. Without arrays whose elements have to agree, this is enough. */
const STEPS_MAX = 2;

/** Where a choice between elements has to be made, each try may look at all of them. */
const STEPS_WITH_CHOICES_MAX = 64 * STEPS_MAX;

interface Case {
  readonly name: string;
  readonly pattern: string;
  readonly event: string;
  readonly matches: boolean;
  readonly withChoices?: true;
}

const WIDE = Array.from({ length: 20_000 }, (_, index) => ({ x: 1, y: index % 2, z: 3 }));
const MANY_FIELDS = Array.from({ length: 50 }, (_, index) => `"k${index}":[{"exists":false}]`).join(',');
const LONG = 'ab'.repeat(524_288);
const PATH = Array.from({ length: 1000 }, () => 'a').join('.');

const CASES: readonly Case[] = [
  {
    name: 'objects nested 100,000 deep',
    pattern: '{"a":{"a":{"b":[1]}}}',
    event: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    matches: false,
  },
  {
    name: 'arrays nested 100,000 deep',
    pattern: '{"a":["x"]}',
    event: `{"a":${'['.repeat(100_000)}1${']'.repeat(100_000)}}`,
    matches: false,
  },
  {
    name: 'objects in arrays nested 100,000 deep',
    pattern: '{"a":{"x":[1],"y":[1]}}',
    event: `{"a":${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}}`,
    matches: false,
  },
  {
    name: 'a wide array whose elements almost match',
    pattern: '{"a":{"x":[1],"y":[5,1],"z":[4]}}',
    event: JSON.stringify({ a: WIDE }),
    matches: false,
  },
  {
    name: 'a wide array with an agreement to be found',
    pattern: '{"a":{"x":[1],"y":[2,0],"z":[3]}}',
    event: JSON.stringify({ a: WIDE.with(0, { x: 2, y: 0, z: 3 }) }),
    matches: true,
  },
  {
    name: 'two wide arrays that do not depend on each other',
    pattern: '{"a":{"x":[1],"y":[1]},"b":{"x":[1],"y":[9]}}',
    event: JSON.stringify({ a: WIDE, b: WIDE }),
    matches: false,
  },
  {
    name: 'absence of many fields from a wide array',
    pattern: `{"a":{"x":[1],${MANY_FIELDS}}}`,
    event: JSON.stringify({ a: WIDE.slice(0, 2000) }),
    matches: true,
  },
  {
    name: 'a wildcard of many stars on 1 MiB',
    pattern: `{"a":[{"wildcard":"*aab*aab*aab*x"}]}`,
    event: JSON.stringify({ a: LONG }),
    matches: false,
  },
  { name: 'a path of 1,000 keys', pattern: `{"${PATH}":[1]}`, event: `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`, matches: true },
  {
    name: 'a path of 1,000 keys that are joined in the event',
    pattern: `{"${PATH}":[1],"b":[1]}`,
    event: `{"${PATH}":1,"b":1}`,
    matches: true,
  },
  {
    name: 'paths of 1,000 keys through arrays',
    pattern: `{"${PATH}":{"x":[1],"y":[2]}}`,
    event: `${'{"a":['.repeat(1000)}{"x":1,"y":2}${']}'.repeat(1000)}`,
    matches: true,
  },
  {
    name: 'arrays nested 100,000 deep around an agreement',
    pattern: '{"a":{"x":[1],"y":[2]}}',
    event: `{"a":${'['.repeat(100_000)}{"x":1,"y":2}${']'.repeat(100_000)}}`,
    matches: true,
  },
  {
    name: 'keys joined in every way',
    pattern: '{"a":{"b":{"c":{"d":[9]}}}}',
    event: '{"a":{"b":{"c":{"d":1},"c.d":1},"b.c":{"d":1},"b.c.d":1},"a.b":{"c":{"d":1},"c.d":1},"a.b.c":{"d":1},"a.b.c.d":1}',
    matches: false,
  },
  {
    name: 'arrays inside arrays where a value ends at every level',
    pattern: '{"a":[1],"a.b":[{"exists":false}],"a.c":[1]}',
    event: `{"a":${'[1,{"b":1},'.repeat(300)}1${']'.repeat(300)}}`,
    matches: false,
    withChoices: true,
  },
  {
    name: 'elements that no choice of ways brings together',
    pattern: `{"a":{"b":{${Array.from({ length: 12 }, (_, index) => `"k${index}":[1]`).join(',')}}}}`,
    event: JSON.stringify(Object.fromEntries(['a', 'a.b'].map((key) => [key, key === 'a' ? { b: elements(12) } : elements(12)]))),
    // More ways than are tried: rather one event too many than one lost.
    matches: true,
    withChoices: true,
  },
];

function elements(count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({ [`k${index}`]: 1 }));
}

describe('matching takes a number of steps that is linear in the event', () => {
  it.each(CASES)('$name', ({ pattern, event, matches, withChoices }) => {
    const parsed = parsePattern(pattern);
    if (!parsed.ok) throw new Error(parsed.reason);
    const set = compilePatterns([parsed.pattern]);
    const counter = { steps: 0 };
    expect(set.matches(JSON.parse(event), counter)).toBe(matches);
    const fields = parsed.pattern.root.fields.length;
    expect(counter.steps).toBeGreaterThan(0);
    expect(counter.steps).toBeLessThanOrEqual((withChoices ? STEPS_WITH_CHOICES_MAX : STEPS_MAX) * event.length * fields);
  });

  it('and hardly grows with the number of patterns, if those want one of many literals', () => {
    const count = 1000;
    const set = compilePatterns(
      Array.from({ length: count }, (_, index) => parsePattern(`{"type":["a"],"customer":{"id":["c-${index}"]}}`)).flatMap((result) =>
        result.ok ? [result.pattern] : [],
      ),
    );
    const counter = { steps: 0 };
    expect(set.matching({ type: 'a', customer: { id: 'c-77' } }, counter)).toEqual([77]);
    expect(counter.steps).toBeLessThan(20);
  });
});
