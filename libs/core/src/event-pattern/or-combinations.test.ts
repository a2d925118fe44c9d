import { expect, test } from 'vitest';
import { parsePattern } from './parse-pattern.ts';
import type { PatternGroup } from './pattern.ts';

/** A group as text: fields and their values joined by `&`, each `$or` in parentheses with `|`. */
function shown(group: PatternGroup): string {
  const fields = group.fields.map(
    ({ path, tests }) => `${path}=${tests.map((each) => (each.kind === 'number' ? each.number.value : '?')).join()}`,
  );
  return [...fields, ...group.alternatives.map((groups) => `(${groups.map(shown).join(' | ')})`)].join(' & ');
}

function readGroup(text: string): string {
  const result = parsePattern(text);
  return result.ok ? shown(result.pattern.root) : `${result.reason} at ${result.offset} in ${result.path}`;
}

/** What replaces what was tried out on Event Ruler. */
const groups: readonly (readonly [pattern: string, expected: string])[] = [
  ['{"a":[1],"b":{"c":[2]}}', 'a=1 & b.c=2'],
  ['{"$or":[{"a":[1]},{"b":[2],"c":[3]}]}', '(a=1 | b=2 & c=3)'],
  ['{"a":{"$or":[{"b":[1]},{"$or":[{"c":[2]},{"d":[3]}]}]},"e":[4]}', 'e=4 & (a.b=1 | (a.c=2 | a.d=3))'],
  ['{"$or":[{"a":[1]},{"a":[2]}]}', '(a=1 | a=2)'],
  ['{"$or":[{"a":[1]},{"b":[1]}],"x":{"$or":[{"a":[1]},{"b":[1]}]}}', '(a=1 | b=1) & (x.a=1 | x.b=1)'],
  ['{"$or":[{"a":[1]},{"b":[1]}],"$or":[{"c":[1]},{"d":[1]}]}', '(a=1 | b=1) & (c=1 | d=1)'],
  // The last of equal paths counts, however they are written.
  ['{"a":[1],"a":[2]}', 'a=2'],
  ['{"a":{"b":[1]},"a":{"c":[2]}}', 'a.b=1 & a.c=2'],
  ['{"a":{"b":[1]},"a.b":[2]}', 'a.b=2'],
  ['{"a.b":[1],"a":{"b":[2],"b":[3]}}', 'a.b=3'],
  ['{"a":{"__proto__":[1]},"a":{"__proto__":[2]}}', 'a.__proto__=2'],
  ['{"a":[1],"$or":[{"a":[2]},{"b":[3]}]}', '(a=2 | a=1 & b=3)'],
  ['{"$or":[{"a":[2]},{"b":[3]}],"a":[1]}', '(a=1 | b=3 & a=1)'],
  ['{"$or":[{"a":[1]},{"b":[1]}],"$or":[{"a":[2]},{"d":[1]}]}', '(a=2 | b=1 & a=2 | a=1 & d=1 | b=1 & d=1)'],
  ['{"$or":[{"a":[1],"$or":[{"a":[2]},{"b":[3]}]},{"c":[4]}]}', '(a=2 | a=1 & b=3 | c=4)'],
];

test.each(groups)('%s asks for %s', (pattern, expected) => {
  expect(readGroup(pattern)).toBe(expected);
});

const refused: readonly (readonly [pattern: string, expected: string])[] = [
  ['{"$or":[]}', '"$or" must be an array of at least 2 objects at 7 in $or'],
  ['{"$or":[1,2]}', '"$or" must be an array of at least 2 objects at 8 in $or'],
  ['{"$or":{"a":[1]}}', '"$or" must be an array of at least 2 objects at 7 in $or'],
  ['{"$or":[{"prefix":"a"},{"suffix":"b"}]}', 'prefix is reserved and no field name inside $or at 9 in prefix'],
  ['{"a":{"$or":[{"exists":true}]},"b":[1]}', '"$or" must be an array of at least 2 objects at 12 in a.$or'],
  ['{"$or":"a"}', '"$or" must be an array of at least 2 objects at 7 in $or'],
  ['{"a":{"$or":[{"b":[1]}]}}', '"$or" must be an array of at least 2 objects at 12 in a.$or'],
  ['{"$or":[{"b":[1]},"c"]}', '"$or" must be an array of at least 2 objects at 18 in $or'],
  ['{"$or":[{"b":[1]},{}]}', 'Empty objects are not allowed at 18 in '],
  ['{"$or":[{"b":[1]},{"c":[]}]}', 'Empty arrays are not allowed at 23 in c'],
  ['{"$or":[{"b":[1]},{"prefix":["c"]}]}', 'prefix is reserved and no field name inside $or at 19 in prefix'],
  ['{"$or":[{"b":[1]},{"c":{"<":[1]}}]}', '< is reserved and no field name inside $or at 24 in c.<'],
];

test.each(refused)('%s is refused: %s', (pattern, expected) => {
  expect(readGroup(pattern)).toBe(expected);
});

test('reserved words are field names outside of $or', () => {
  expect(readGroup('{"prefix":[1],"a":{"<":[2]}}')).toBe('prefix=1 & a.<=2');
});

const alternatives = (name: string, count: number) =>
  `"$or":[${Array.from({ length: count }, (_, index) => `{"${name}${index}":[1]}`).join()}]`;

test('a pattern may have 1,000 combinations of alternatives', () => {
  expect(readGroup(`{${alternatives('a', 10)},${alternatives('b', 10)},${alternatives('c', 10)}}`)).toContain('(a0=1 | a1=1');
  const past = `{${alternatives('a', 10)},${alternatives('b', 10)},${alternatives('c', 11)}}`;
  expect(readGroup(past)).toBe(`More than 1000 combinations of $or at ${past.lastIndexOf('"$or"')} in `);
});

test('alternatives within alternatives are added, not multiplied', () => {
  const nested = Array.from({ length: 40 }, (_, index) => index).reduce(
    (inner, index) => `{"$or":[{"a${index}":[1]},${inner}]}`,
    '{"b":[1]}',
  );
  expect(readGroup(nested)).toContain('(a39=1 | (a38=1');
});

test('combinations of many fields and alternatives that replace each other are few enough to make', () => {
  const fields = Array.from({ length: 300 }, (_, index) => `"f${index}":[1]`).join();
  const result = parsePattern(`{"a0":[0],${alternatives('a', 10)},${alternatives('b', 10)},${alternatives('c', 10)},${fields}}`);
  expect(result.ok && result.pattern.root.alternatives[0]).toHaveLength(1000);
});
