import { array, assert, constantFrom, json, property, stringMatching } from 'fast-check';
import { expect, test } from 'vitest';
import { splitPair } from './line-pair.ts';

test.each([
  ['{"pattern":{"a":[1.0]},"event":{"a":1e0}}', '{"a":[1.0]}', '{"a":1e0}'],
  [' {\t"event" : "{\\"a\\": \\"}\\"}" , "pattern" : { "a" : [ "]" ] } } ', '{ "a" : [ "]" ] }', '"{\\"a\\": \\"}\\"}"'],
  ['{"id":7,"event":{"pattern":1},"pattern":{}}', '{}', '{"pattern":1}'],
  ['{"\\u0065vent":[],"pattern":null}', 'null', '[]'],
  ['{"event":1,"event":2}', undefined, '2'],
  ['{"pattern":-12.5e3 }', '-12.5e3', undefined],
])('%s: the values come out as they are written', (line, pattern, event) => {
  expect(splitPair(line)).toEqual({ pattern, event });
});

test.each([
  '',
  '[]',
  '{}',
  '{"event":1',
  '{"event" 1}',
  '{"event":1} x',
  '{"event":1,}',
  '{"x":tru,"event":1}',
  '{"event":x,"event":1}',
  '{"eve\nnt":1}',
])('%j has no members that could be told apart', (line) => {
  expect(splitPair(line)).toBeUndefined();
});

test('of any JSON it finds the very texts', () => {
  const space = stringMatching(/^[ \t\r\n]{0,2}$/);
  assert(
    property(json(), json(), json(), space, (pattern, event, other, gap) => {
      const line = `${gap}{${gap}"event"${gap}:${gap}${event}${gap},"x":${other},"pattern":${pattern}${gap}}${gap}`;
      expect(splitPair(line)).toEqual({ pattern, event });
    }),
  );
});

test('whatever is found in anything, the line is JSON exactly if both texts are', () => {
  const pieces = constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"pattern"',
    '"event"',
    '"pattern":',
    ',"event":',
    '1',
    'a',
    '\\',
    ' ',
    '"b":',
  );
  assert(
    property(array(pieces, { maxLength: 9 }), (list) => {
      const line = `{"pattern":${list.join('')}}`;
      const pair = splitPair(line);
      const found = [pair?.pattern, pair?.event].filter((text) => text !== undefined);
      expect(pair !== undefined && found.every(isJson)).toBe(isJson(line));
    }),
    { numRuns: 2_000 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
