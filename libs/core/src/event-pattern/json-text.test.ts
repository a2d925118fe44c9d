import { expect, test } from 'vitest';
import { type JsonNode, JsonTextError, parseJsonText } from './json-text.ts';

/** The value as `JSON.parse` gives it. */
function valueOf(node: JsonNode): unknown {
  if (node.kind === 'list') return node.items.map(valueOf);
  if (node.kind === 'number') return Number(node.text);
  return node.kind === 'object' ? Object.fromEntries(node.members.map(({ key, value }) => [key, valueOf(value)])) : node.value;
}

const texts = [
  '{"a":[1,-2.5e-3,"x",true,false,null],"b":{"c":[]}}',
  ' \t\r\n[ 1 , { } , [ ] ] \n',
  '"\\u00e9\\uD83D\\uDE00\\ud800 \\"\\\\\\/\\b\\f\\n\\r\\t é😀"',
  '"\u2028\u2029\u007f"',
  '{"a":1,"a":2,"__proto__":{"x":1}}',
  '-0',
  '1E+10',
  '""',
  'null',
];

test.each(texts)('%s is read as JSON.parse reads it', (text) => {
  expect(valueOf(parseJsonText(text))).toEqual(JSON.parse(text));
});

/** `▸` marks the offset. */
const faults: readonly (readonly [text: string, reason: string])[] = [
  ['▸', 'expected a value, but the text ends'],
  ['  ▸', 'expected a value, but the text ends'],
  ['▸\uFEFF{}', 'expected a value'],
  ['▸\u00a0{}', 'expected a value'],
  ['{▸', 'expected a key in double quotes, but the text ends'],
  ['{"a"▸', "expected ':', but the text ends"],
  ['{"a":▸', 'expected a value, but the text ends'],
  ['{"a":1▸', "expected ',' or '}', but the text ends"],
  ['{"a":1 ▸"b":2}', "expected ',' or '}'"],
  ['{"a":1,▸}', 'expected a key in double quotes'],
  ["{▸'a':1}", 'expected a key in double quotes'],
  ['{▸a:1}', 'expected a key in double quotes'],
  ['[1,▸]', 'expected a value'],
  ['[1 ▸2]', "expected ',' or ']'"],
  ['[1▸', "expected ',' or ']', but the text ends"],
  ['[0▸1]', "expected ',' or ']'"],
  ['[▸.5]', 'expected a value'],
  ['[▸+5]', 'expected a value'],
  ['[5▸.]', "expected ',' or ']'"],
  ['[5▸e]', "expected ',' or ']'"],
  ['[▸-]', 'expected a value'],
  ['[▸NaN]', 'expected a value'],
  ['[▸True]', 'expected a value'],
  ['[true▸x]', "expected ',' or ']'"],
  ['["a▸', "expected '\"', but the text ends"],
  ['["a▸\n"]', 'control characters have to be escaped in a string'],
  ['["▸\\x"]', 'bad escape in a string'],
  ['["▸\\u12G4"]', 'bad escape in a string'],
  ['["▸\\u12', 'bad escape in a string'],
  ['["a▸\\', 'bad escape in a string'],
  ['{} ▸x', 'expected the end of the text'],
  ['{}▸{}', 'expected the end of the text'],
  ['1▸]', 'expected the end of the text'],
  ['▸// x', 'expected a value'],
];

test.each(faults)('%s is refused at the mark: %s', (marked, reason) => {
  const text = marked.replace('▸', '');
  const error = faultOf(text);
  expect(error).toMatchObject({ message: reason, offset: marked.indexOf('▸') });
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
});

test('nodes know their offsets, members those of their keys, and numbers their text', () => {
  const text = ' {"a" : [ 10.0, "x" ]} ';
  const list: JsonNode = {
    kind: 'list',
    items: [
      { kind: 'number', text: '10.0', offset: 10, end: 14 },
      { kind: 'string', value: 'x', offset: 16, end: 19 },
    ],
    offset: 8,
    end: 21,
  };
  expect(parseJsonText(text)).toEqual({ kind: 'object', members: [{ key: 'a', keyOffset: 2, value: list }], offset: 1, end: 22 });
});

test('a depth of 100,000 is read without overflow, and so is its end missing', () => {
  const depth = 100_000;
  let node = parseJsonText('['.repeat(depth) + ']'.repeat(depth));
  let levels = 1;
  for (; node.kind === 'list' && node.items[0] !== undefined; levels += 1) node = node.items[0];
  expect(levels).toBe(depth);
  expect(faultOf('{"a":'.repeat(depth)).offset).toBe(5 * depth);
});

function faultOf(text: string): JsonTextError {
  try {
    parseJsonText(text);
  } catch (error) {
    if (error instanceof JsonTextError) return error;
    throw error;
  }
  throw new Error(`not refused: ${text}`);
}
