import { randomPair } from '@wherry/testkit/pattern-generator';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, test } from 'vitest';
import { explainMismatch, type FailedCondition, type Mismatch } from './explain-match.ts';
import { compilePatterns } from './matcher.ts';
import { parseEventText } from './number-text.ts';
import { parsePattern } from './parse-pattern.ts';

function explain(patternText: string, eventText: string, cannotHold?: (path: string) => boolean): Mismatch {
  const result = parsePattern(patternText);
  if (!result.ok) throw new Error(result.reason);
  return explainMismatch(result.pattern, eventText, cannotHold);
}

/** Path, expected tests, and what the event has there, as texts. */
function conditionOf(mismatch: Mismatch): readonly unknown[] {
  if (mismatch.kind !== 'condition') throw new Error('several conditions');
  const { path, expected, actual } = mismatch.condition;
  return [path, expected, ...actual.leaves.map(({ text }) => text)];
}

describe('the first condition that fails', () => {
  test.each([
    ['{"a":["x"],"b":[ 1, 2 ],"c":["y"]}', '{"a":"x","b":3.0,"c":"z"}', ['b', '[ 1, 2 ]', '3.0']],
    ['{"z":[1],"a":[1]}', '{"z":2,"a":2}', ['z', '[1]', '2']],
    ['{"a":{"b":[{"prefix":"x]\\""}]}}', '{"a":{"b":"y"}}', ['a.b', '[{"prefix":"x]\\""}]', '"y"']],
    ['{"a.b":["x"]}', '{"a":{"b":"y"},"a.b":"z"}', ['a.b', '["x"]', '"y"', '"z"']],
    ['{"a":["x"]}', '{"a":["y",["z"],{"b":"x"}]}', ['a', '["x"]', '"y"', '"z"']],
    ['{"a":[9007199254740993]}', '{"a":9007199254740992}', ['a', '[9007199254740993]', '9007199254740992']],
    ['{"a":[{"exists":false}]}', '{"a":null}', ['a', '[{"exists":false}]', 'null']],
    ['{"a":{"b":[{"exists":false}]}}', '{"a":[{"b":1},{"c":2}]}', ['a.b', '[{"exists":false}]', '1']],
    ['{"a":["x"]}', '{"a":"x","a":"y"}', ['a', '["x"]', '"y"']],
    ['{"constructor":[{"exists":true}]}', '{}', ['constructor', '[{"exists":true}]']],
  ])('%s for %s', (pattern, event, expected) => {
    expect(conditionOf(explain(pattern, event))).toEqual(expected);
  });

  test('says where its list of tests begins', () => {
    expect(explain('{"a":[1], "b" : ["x"]}', '{"a":1}')).toMatchObject({ condition: { path: 'b', offset: 16 } });
  });

  test.each([
    ['an object where a single value is needed', '{"a":["x"]}', '{"a":{"b":1}}', { container: 'object' }],
    ['an empty array', '{"a":[{"exists":true}]}', '{"a":[]}', { container: 'empty array' }],
    ['the same path in other letter case', '{"a":{"State":["x"]}}', '{"a":{"state":"x"}}', { similar: 'a.state' }],
    ['a single value on the way', '{"a":{"b":["x"]}}', '{"a":"{\\"b\\":\\"x\\"}"}', { cutOff: { path: 'a', text: '"{\\"b\\":\\"x\\"}"' } }],
  ])('tells what is there instead of a value: %s', (_name, pattern, event, actual) => {
    expect(explain(pattern, event)).toMatchObject({ kind: 'condition', condition: { actual: { leaves: [], ...actual } } });
  });

  test('of $or is that of the alternative of which the fewest conditions fail', () => {
    const pattern = '{"$or":[{"a":[1],"b":[1]},{"a":[2],"b":[1],"c":[1]},{"d":[1]}],"e":[1]}';
    const mismatch = explain(pattern, '{"a":2,"b":1,"c":0,"e":1}');
    expect(conditionOf(mismatch)).toEqual(['c', '[1]', '0']);
    expect(mismatch).toMatchObject({ condition: { alternatives: [{ number: 2, of: 3 }] } });
  });

  test('in nested $or names the alternative of each', () => {
    const mismatch = explain('{"$or":[{"a":[1]},{"b":[1],"$or":[{"c":[1]},{"d":[1]}]}]}', '{"b":1,"d":2}');
    expect(mismatch).toMatchObject({
      condition: {
        path: 'c',
        alternatives: [
          { number: 2, of: 2 },
          { number: 1, of: 2 },
        ],
      },
    });
  });

  test('a condition that cannot hold fails, even where the event has nothing there', () => {
    const mismatch = explain('{"body":{"k":[{"exists":false}]}}', '{"body":"text"}', (path) => path.startsWith('body.'));
    expect(conditionOf(mismatch)).toEqual(['body.k', '[{"exists":false}]']);
  });
});

describe('conditions that no one array element meets together', () => {
  test.each([
    ['{"a":{"x":[1],"y":[2],"z":[3]}}', '{"a":[{"x":1,"z":3},{"y":2,"z":3}]}', 'a', ['a.x', 'a.y']],
    ['{"a":{"x":[1],"y":[{"exists":false}]}}', '{"a":[{"x":1,"y":3},{"x":2}]}', 'a', ['a.x', 'a.y']],
    ['{"l":["x"],"a":{"b":{"x":[1],"y":[2]}}}', '{"l":["x"],"a":[{"b":[{"x":1},{"y":2}]}]}', 'a.b', ['a.b.x', 'a.b.y']],
    ['{"$or":[{"a":{"y":[2]}},{"q":[1]}],"a":{"x":[1]}}', '{"a":[{"x":1},{"y":2}]}', 'a', ['a.y', 'a.x']],
  ])('%s for %s', (pattern, event, array, paths) => {
    const mismatch = explain(pattern, event);
    expect(mismatch).toMatchObject({ kind: 'together', array });
    expect(mismatch.kind === 'together' && mismatch.conditions.map(({ path }) => path)).toEqual(paths);
  });

  test('a condition that fails by itself is told first', () => {
    expect(conditionOf(explain('{"a":{"x":[1],"y":[2]},"b":[1]}', '{"a":[{"x":1},{"y":2}],"b":2}'))).toEqual(['b', '[1]', '2']);
  });
});

test('deep and wide events are explained', () => {
  const deep = `{"a":${'['.repeat(100_000)}1${']'.repeat(100_000)}}`;
  expect(conditionOf(explain('{"a":[2]}', deep))).toEqual(['a', '[2]', '1']);
  const wide = `{"a":[${'{"x":1},'.repeat(20_000)}{"y":2}]}`;
  expect(explain('{"a":{"x":[1],"y":[2]}}', wide)).toMatchObject({ kind: 'together', array: 'a' });
});

/** Whether a pattern of these conditions alone matches. */
function holdTogether(conditions: readonly FailedCondition[], eventText: string): boolean {
  const result = parsePattern(`{${conditions.map(({ path, expected }) => `${JSON.stringify(path)}:${expected}`).join(',')}}`);
  if (!result.ok) throw new Error(result.reason);
  return compilePatterns([result.pattern]).matches(parseEventText(eventText));
}

test('what is named as the reason is enough for the event not to match, in 1,000 random pairs', () => {
  const random = seededRandom(4);
  let explained = 0;
  for (let pair = 0; pair < 1_000; pair++) {
    const { pattern, event } = randomPair(random);
    const result = parsePattern(pattern);
    if (!result.ok || compilePatterns([result.pattern]).matches(parseEventText(event))) continue;
    const mismatch = explainMismatch(result.pattern, event);
    const conditions = mismatch.kind === 'condition' ? [mismatch.condition] : mismatch.conditions;
    expect(conditions.length, `${pattern} for ${event}`).toBeGreaterThan(0);
    expect(holdTogether(conditions, event), `${pattern} for ${event}: ${conditions.map(({ path }) => path).join(' ')}`).toBe(false);
    explained += 1;
  }
  expect(explained).toBeGreaterThan(200);
});
