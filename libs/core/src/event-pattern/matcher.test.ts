import { afterEach, describe, expect, it } from 'vitest';
import { type PatternSet, compilePatterns } from './matcher.ts';
import { parseEventText } from './number-text.ts';
import { parsePattern } from './parse-pattern.ts';

function compile(...texts: readonly string[]): PatternSet {
  return compilePatterns(
    texts.map((text) => {
      const result = parsePattern(text);
      if (!result.ok) throw new Error(`${text}: ${result.reason}`);
      return result.pattern;
    }),
  );
}

type Case = readonly [pattern: string, event: string, matches: boolean];

const KEYS: readonly Case[] = [
  ['{"a":{"b":[1]}}', '{"a":{"b":1}}', true],
  ['{"a":{"b":[1]}}', '{"a.b":1}', true],
  ['{"a.b":[1]}', '{"a":{"b":1}}', true],
  ['{"a":{"b.c":[1]}}', '{"a.b":{"c":1}}', true],
  ['{"a":{"b":{"c":[1]}}}', '{"a.b.c":1,"a":{"b":{"c":2}}}', true],
  ['{"a":{"b":{"c":[1]}}}', '{"a":{"b.c":2},"a.b":{"c":1}}', true],
  ['{"a":{"b":{"c":[{"exists":false}]}}}', '{"a":{"b.c":2}}', false],
  ['{"a":[1]}', '{"a.b":1}', false],
  ['{"a.b":[1],"c.d":[2],"e.f":[3],"g.h":[4]}', '{"a.b":1,"c":{"d":2},"e.f":3,"g":{"h":4}}', true],
  ['{"a.b":[1],"c.d":[2],"e.f":[3],"g.h":[5]}', '{"a.b":1,"c":{"d":2},"e.f":3,"g":{"h":4}}', false],
  ['{"":[1]}', '{"":1}', true],
  ['{"1":{"0":[1]}}', '{"1":{"0":1}}', true],
  ['{"1":{"0":[1]}}', '{"1":[1]}', false],
  ['{"a":{"length":[1]}}', '{"a":[1]}', false],
  ['{"a":{"length":[1]}}', '{"a":"b"}', false],
];

const LEAVES: readonly Case[] = [
  ['{"id":[1234567890123450000]}', '{"id":1234567890123450001}', false],
  ['{"id":[{"anything-but":1234567890123450000}]}', '{"id":1234567890123450001}', true],
  ['{"id":[1e21]}', '{"id":1000000000000000000000}', true],
  ['{"a":[{"exists":true}]}', '{"a":{"b":1}}', false],
  ['{"a":[{"exists":false}]}', '{"a":{"b":1}}', true],
  ['{"a":[{"exists":false}]}', '{"a":[]}', true],
  ['{"a":[{"exists":false}]}', '{"a":[[],{}]}', true],
  ['{"a":[{"exists":false}]}', '{"a":[[],[null]]}', false],
  ['{"a":["x"]}', '{"a":["y","x"]}', true],
  ['{"a":["x"]}', '{"a":[["y"],[["x"]]]}', true],
  ['{"a":[{"anything-but":"x"}]}', '{"a":["y","x"]}', true],
  ['{"a":[{"exists":false}]}', '[1]', false],
  ['{"a":[{"exists":false}]}', '1234567890123456789', false],
  ['{"a":[{"exists":false}]}', 'null', false],
];

const ARRAYS: readonly Case[] = [
  ['{"a":{"x":[1],"y":[2]}}', '{"a":[{"x":1},{"y":2}]}', false],
  ['{"a":{"x":[1],"y":[2]}}', '{"a":[{"x":1},{"y":2,"x":1}]}', true],
  ['{"a":{"x":[1]},"b":{"y":[2]}}', '{"a":[{"x":0},{"x":1}],"b":[{"y":2}]}', true],
  ['{"a":{"b":{"x":[1],"y":[2]}}}', '{"a":[{"b":[{"x":1},{"y":2}]},{"b":{"x":1,"y":2}}]}', true],
  ['{"a":{"b":{"x":[1],"y":[2]}}}', '{"a":[{"b":[{"x":1}]},{"b":[{"y":2}]}]}', false],
  ['{"a":[1],"a.b":[2]}', '{"a":[1,{"b":2}]}', true],
  ['{"a":[1],"a.b":[2]}', '{"a":[[1],{"b":2}]}', false],
  // Absence is judged where the values before it, by path, were found.
  ['{"a":{"b":[{"exists":false}],"x":[1]}}', '{"a":[{"x":1},{"x":2,"b":3}]}', false],
  ['{"a":{"y":[{"exists":false}],"x":[1]}}', '{"a":[{"x":1},{"x":2,"y":3}]}', true],
  ['{"a":{"b":[{"exists":false}]}}', '{"a":[{"b":1},{"c":2}]}', false],
  ['{"a":[1],"a.b":[{"exists":false}]}', '{"a":[1,{"b":2}]}', false],
  ['{"a":[1],"a.b":[{"exists":false}]}', '{"a":[1,[1],{"b":2}]}', true],
  ['{"a":{"x":[1],"y":[{"exists":false},5]}}', '{"a":[{"x":1,"y":4},{"x":1}]}', true],
  ['{"a":{"x":[1],"y":[{"exists":false},5]}}', '{"a":[{"x":1,"y":4},{"x":2}]}', false],
  // Keys with dots: two arrays of one path, each by itself.
  ['{"a":{"b":{"x":[1],"y":[2]}}}', '{"a":{"b":[{"x":1}]},"a.b":[{"y":2}]}', true],
  ['{"a":{"b":{"x":[1],"y":[2]}}}', '{"a":{"b":[{"x":1},{"y":3}]},"a.b":[{"x":3},{"y":4}]}', false],
  ['{"a":{"b":{"x":[1],"y":[{"exists":false}]}}}', '{"a":{"b":[{"x":1},{"y":3}]},"a.b":[{"x":3},{"y":4}]}', false],
  // Alternatives choose their element with what stands beside them.
  ['{"a":{"x":[1],"$or":[{"y":[2]},{"z":[3]}]}}', '{"a":[{"x":1},{"y":2,"z":3}]}', false],
  ['{"a":{"x":[1],"$or":[{"y":[2]},{"z":[3]}]}}', '{"a":[{"x":1,"z":3},{"y":2}]}', true],
];

describe.each([
  ['keys', KEYS],
  ['leaves', LEAVES],
  ['arrays', ARRAYS],
])('%s', (_, cases) => {
  it.each(cases)('%s on %s: %s', (pattern, event, matches) => {
    expect(compile(pattern).matches(parseEventText(event))).toBe(matches);
  });
});

describe('an event is what it holds itself', () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, 'polluted');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])('with %s as with any key', (key) => {
    const set = compile(`{"a":{"${key}":[{"exists":true}]}}`, `{"${key}":{"name":["x"]}}`, `{"${key}":["x"]}`);
    expect(set.matching(JSON.parse('{"a":{}}'))).toEqual([]);
    expect(set.matching(JSON.parse(`{"a":{"${key}":null},"${key}":{"name":"x"}}`))).toEqual([0, 1]);
    expect(set.matching(JSON.parse(`{"${key}":["x",{"name":"x"}]}`))).toEqual([1, 2]);
  });

  it('also if somebody gave all objects a property after patterns were compiled', () => {
    const set = compile('{"polluted":["x"]}', '{"a":{"polluted":["x"]}}', '{"polluted":[{"exists":false}]}');
    Object.assign(Object.prototype, { polluted: 'x' });
    expect(set.matching({ a: {} })).toEqual([2]);
    expect(set.matching({ a: [{}, {}], polluted: 'x' })).toEqual([0]);
  });
});

describe('a set', () => {
  it('without patterns matches everything, and names none', () => {
    expect(compile().matches({ a: 1 })).toBe(true);
    expect(compile().matches(null)).toBe(true);
    expect(compile().matching({ a: 1 })).toEqual([]);
  });

  it('matches if any of its patterns does, and names those', () => {
    const set = compile('{"a":[1]}', '{"b":[{"prefix":"x"}]}', '{"a":[1,2]}');
    expect(set.matches({ a: 3, b: 'y' })).toBe(false);
    expect(set.matches({ a: 3, b: 'xy' })).toBe(true);
    expect(set.matching({ a: 1, b: 'xy' })).toEqual([0, 1, 2]);
    expect(set.matching({ a: 2 })).toEqual([2]);
  });

  it('needs number texts if any of its patterns does', () => {
    expect(compile('{"a":[1]}').needsNumberText).toBe(false);
    expect(compile('{"a":[1]}', '{"a":[12345678901234567890]}').needsNumberText).toBe(true);
  });

  it('that is large names the same patterns as each of them alone', () => {
    const tests = [
      '[1]',
      '["a","b"]',
      '["::1"]',
      '[true]',
      '[null]',
      '[{"prefix":"a"}]',
      '[{"exists":false}]',
      '[12345678901234567890]',
      '[2,{"suffix":"a"}]',
    ];
    const texts = ['a', 'b', 'c'].flatMap((one) =>
      tests.flatMap((test, index) => [
        `{"${one}":${test}}`,
        `{"d":{"x":["x"]},"${one}":${test}}`,
        `{"$or":[{"${one}":${test}},{"d":{"y":[${index}]}}]}`,
      ]),
    );
    const set = compile(...texts);
    const events = [
      '{"a":1,"b":"a","c":"0::1"}',
      '{"a":["b",1,{"x":1}],"d":{"x":"x"}}',
      '{"b":12345678901234567890,"c":2.0}',
      '{"d":{"y":[1,2,3]},"a":null,"c":true}',
      '{}',
    ];
    for (const event of events.map(parseEventText)) {
      const alone = texts.flatMap((text, index) => (compile(text).matches(event) ? [index] : []));
      expect(set.matching(event)).toEqual(alone);
      expect(set.matches(event)).toBe(alone.length > 0);
    }
  });

  it('reads events of changing kinds, with and without dotted keys, each as if it were the first', () => {
    const pattern = '{"a":{"b":[1]},"c":{"d":[1]},"e":{"f":[1]},"g":{"h":[{"exists":false}]}}';
    const set = compile(pattern);
    const base = { a: { b: 1 }, c: { d: 1 }, e: { f: 1 } };
    for (let kind = 0; kind < 40; kind += 1) {
      expect(set.matches({ ...base, [`k${kind % 12}`]: kind })).toBe(true);
      expect(set.matches({ ...base, 'g.h': kind })).toBe(false);
      expect(set.matches({ ...base, [`k${kind % 12}`]: kind, g: { h: 1 } })).toBe(false);
      expect(set.matches({ 'a.b': 1, 'c.d': 1, 'e.f': 1 })).toBe(true);
      expect(
        set.matches(Object.fromEntries([...Object.entries(base), ...Array.from({ length: 100 }, (_, index) => [`m${index}`, index])])),
      ).toBe(true);
    }
  });
});
