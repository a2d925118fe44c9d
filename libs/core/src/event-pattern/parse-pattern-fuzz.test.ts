import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, test } from 'vitest';
import { parsePattern } from './parse-pattern.ts';

const RUNS = 20_000;

/** Every form there is, so that a mutation is always close to something valid. */
const SEEDS = [
  '{"a":["x",1,-2.5e3,null,true,{"exists":false}],"b.c":{"d":[{"prefix":"p"},{"suffix":{"equals-ignore-case":"S"}}]}}',
  '{"a":[{"numeric":[">",0,"<=",5.5]},{"numeric":["=",12345678901234567890]},{"equals-ignore-case":"é😀"}]}',
  '{"a":[{"anything-but":["x","y"]},{"anything-but":[1,2]},{"anything-but":{"prefix":["a"]}},{"anything-but":{"wildcard":"*a"}}]}',
  '{"a":[{"wildcard":"a*\\\\*\\\\\\\\b*"},{"cidr":"10.0.0.0/8"},{"cidr":"2001:db8::/32"},{"exactly":"\\ud83d\\u0041"}]}',
  '{"x":[1],"$or":[{"a":[1]},{"b":{"$or":[{"c":[2]},{"d":[3],"x":[4]}]}}],"__proto__":{"constructor":[""]}}',
];
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '*',
  '0',
  '-',
  'e',
  '.',
  ' ',
  '\n',
  '\u0000',
  '\uFEFF',
  '\ud800',
  'null',
  '{}',
  '[]',
  '""',
];
const WORDS = [
  '"$or"',
  '"prefix"',
  '"numeric"',
  '"anything-but"',
  '"wildcard"',
  '"cidr"',
  '"exists"',
  '"<"',
  '"="',
  '1e999',
  '[[',
  '{"a":',
  '"**"',
];

test('mutated patterns are read or refused with a reason and an offset within the text, and never crash', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const oneOf = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  let refused = 0;
  for (let run = 0; run < RUNS; run += 1) {
    let text = oneOf(SEEDS);
    for (let count = 1 + below(4); count > 0; count -= 1) {
      const at = below(text.length + 1);
      const end = Math.min(text.length, at + below(12));
      const insert = oneOf([oneOf(PIECES), oneOf(WORDS), '', text.slice(at, end).repeat(2), oneOf(SEEDS).slice(0, below(60))]);
      text = text.slice(0, at) + insert + text.slice(random() < 0.5 ? end : at);
    }
    const result = parsePattern(text);
    const told = `FUZZ_SEED=${seed}, run ${run}: ${JSON.stringify(text)} gave ${JSON.stringify(result)}`;
    if (result.ok) {
      expect(result.pattern.text, told).toBe(text);
      expect(() => void JSON.parse(text), told).not.toThrow();
      continue;
    }
    refused += 1;
    expect(result.reason, told).toMatch(/^\S.{5,}$/su);
    expect(result.offset >= 0 && result.offset <= text.length, told).toBe(true);
    expect(result.reason.startsWith('Not JSON: '), told).toBe(!isJson(text));
  }
  expect(refused, `FUZZ_SEED=${seed}`).toBeGreaterThan(RUNS / 2);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
