import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { errorsOf, loadGood, withMappings } from '../test-data/load-text.ts';
import { printConfig } from './print.ts';

const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:orders';

/** A mapping with one pattern: what follows `Pattern:` in line 11, from column 20; further lines are indented by 12. */
const withPattern = (pattern: string) =>
  withMappings(
    [
      'm:',
      `  EventSourceArn: "${QUEUE}"`,
      '  FunctionName: orders',
      '  FilterCriteria:',
      '    Filters:',
      `      - Pattern: ${pattern.replaceAll('\n', '\n          ')}`,
    ].join('\n'),
  );

/** The text of the first pattern of the mapping. */
const patternOf = async (pattern: string) => (await loadGood(withPattern(pattern))).config.mappings.get('m')?.filterPatterns[0];

const faults: readonly (readonly [name: string, pattern: string, place: string])[] = [
  ['in single quotes', `'{"a":[1,{"prefx":"x"}]}'`, '11:30 mappings.m.FilterCriteria.Filters[0].Pattern: '],
  ['in double quotes, before any escape', '"[\\"a\\"]"', '11:21 '],
  ['in double quotes, behind an escape', '"{\\"a\\":1}"', '11:20 '],
  ['in single quotes, behind a doubled one', `'{"it''s":1}'`, '11:20 '],
  ['in a literal block', `|\n{\n  "a": [1],\n  "b": 2\n}`, '14:20 '],
  ['in a literal block that keeps its end', `|+\n{"a": [1],\n "b": []}\n`, '13:19 '],
  ['in a folded block', `>-\n{"a":\n[]}`, '11:20 '],
  ['at the end of half a text', `'{"a":'`, '11:26 '],
  ['in a mapping, at its value', '\na: [x]\nb: 2', '13:16 mappings.m.FilterCriteria.Filters[0].Pattern.b: '],
  ['in a mapping, at its operator', '\na:\n  - prefx: x', '13:17 mappings.m.FilterCriteria.Filters[0].Pattern.a[0].prefx: '],
  [
    'in a mapping, at its operand',
    '{ a: [x, { numeric: [">", 5, "<", 1] }] }',
    '11:54 mappings.m.FilterCriteria.Filters[0].Pattern.a[1].numeric[3]: ',
  ],
  ['in a mapping, where a value is missing', '\na: [x]\nb:', '13:'],
];

test.each(faults)('a fault of a pattern %s is shown where it stands', async (_name, pattern, place) => {
  const errors = await errorsOf(withPattern(pattern));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(new RegExp(`^${place.replaceAll(/[[\]]/g, '\\$&')}`));
  expect(errors[0]).toContain('invalid filter pattern: ');
});

const helps: readonly (readonly [pattern: string, message: string])[] = [
  [`'{"a":{"b":[{"Prefix":"x"}]}}'`, 'Unrecognized match type Prefix (offset 12, field a.b) [did you mean "prefix"?]'],
  [`'{"a":[{"regex":"x"}]}'`, '[operators are anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix, wildcard]'],
  [`'{"a":"x"}'`, '"a" must be an object or an array (offset 5, field a) [write values as a list, such as ["new"]]'],
  ['abc', 'Not JSON: expected a value (offset 0) [such as {"body":{"kind":["new"]}}]'],
  ['{ a: x }', '.Pattern.a: invalid filter pattern: "a" must be an object or an array [write values as a list, such as ["new"]]'],
  [`'{"a":[]}'`, '(offset 5, field a) [try patterns with: wherry filter test --pattern P --event FILE]'],
  [`'{"a":["${'x'.repeat(4087)}"]}'`, 'Pattern is longer than 4096 characters, got 4097 (offset 4096)'],
  [`{ a: ["${'x'.repeat(4087)}"] }`, 'Pattern is longer than 4096 characters, got 4097'],
];

test.each(helps)('the pattern %s is refused in words that help', async (pattern, message) => {
  expect(await errorsOf(withPattern(pattern))).toEqual([expect.stringContaining(message)]);
});

const numbers: readonly (readonly [yaml: string, json: string])[] = [
  ['1234567890123456789', '1234567890123456789'],
  ['-0.1', '-0.1'],
  ['1.10', '1.10'],
  ['1e3', '1e3'],
  ['1E+400', '1E+400'],
  ['0x1F', '31'],
  ['0x1fffffffffffff9', '144115188075855865'],
  ['0o17', '15'],
  ['.5', '0.5'],
  ['-.5', '-0.5'],
  ['+5', '5'],
  ['5.', '5'],
  ['+.5e3', '0.5e3'],
  ['1_000', '"1_000"'],
  ['2026-11-24', '"2026-11-24"'],
  ['"0x10"', '"0x10"'],
  ['!!str 5', '"5"'],
  ['yes', '"yes"'],
  ['True', 'true'],
  ['~', 'null'],
];

test.each(numbers)('the YAML value %s is %s in a pattern', async (yaml, json) => {
  expect(await patternOf(`{ a: [${yaml}] }`)).toBe(`{"a":[${json}]}`);
});

test.each(['012345678901', '-007', '00.5', '.inf', '-.INF', '.nan'])('the YAML number %s is refused in a pattern', async (yaml) => {
  expect(await errorsOf(withPattern(`{ a: [${yaml}] }`))).toEqual([
    expect.stringMatching(
      /^11:26 mappings\.m\.FilterCriteria\.Filters\[0\]\.Pattern\.a\[0\]: .*no number of JSON.* \[quote it to match text\]$/,
    ),
  ]);
});

test('a pattern from a variable is read as what it holds, and its faults are shown at the variable', async () => {
  const { config } = await loadGood(withPattern('"${P}"'), { env: { P: '{"a":[1]}' } });
  expect(config.mappings.get('m')?.filterPatterns).toEqual(['{"a":[1]}']);
  expect(await errorsOf(withPattern('"${P}"'), { env: { P: '{"a":[1,[]]}' } })).toEqual([
    expect.stringMatching(/^11:20 .*\(offset 8, field a\)/),
  ]);
});

test('a pattern of keys that every object inherits is taken as JSON text', async () => {
  const text = '{"constructor":["x"],"__proto__":{"toString":[{"exists":false}]}}';
  expect(await patternOf(`'${text}'`)).toBe(text);
});

test('a pattern written as YAML may have fields called constructor and prototype, but not __proto__', async () => {
  expect(await patternOf('{ constructor: { prototype: [x] } }')).toBe('{"constructor":{"prototype":["x"]}}');
  expect(await errorsOf(withPattern('{ a: [x], __proto__: [x] }'))).toEqual([
    expect.stringContaining('reserved key "__proto__" [write the pattern as JSON text]'),
  ]);
});

test('config print shows patterns that mean the same, with all their digits', async () => {
  const patterns = ['{ a: [1234567890123456789, 0x10] }', `'{"b":[0.10]}'`, '{ c: [x] }', '|\n{"d":\n [1]}'];
  const filters = patterns
    .map((pattern) => `- Pattern: ${pattern.replaceAll('\n', '\n    ')}`)
    .join('\n')
    .replaceAll('\n', '\n      ');
  const text = withMappings(`m:\n  EventSourceArn: "${QUEUE}"\n  FunctionName: orders\n  FilterCriteria:\n    Filters:\n      ${filters}`);
  const before = await loadGood(text);
  const printed = printConfig(before);
  expect(parse(printed)).toMatchObject({
    mappings: { m: { FilterCriteria: { Filters: [{ Pattern: '{"a":[1234567890123456789,16]}' }, {}, { Pattern: { c: ['x'] } }, {}] } } },
  });
  const after = await loadGood(printed);
  expect(after.config.mappings.get('m')?.filterPatterns).toEqual(before.config.mappings.get('m')?.filterPatterns);
});

const filters = (count: number) => Array.from({ length: count }, (_, index) => `{ Pattern: { a: [${index}] } }`).join(', ');
const mappingOf = (count: number) =>
  withMappings(`m: { EventSourceArn: "${QUEUE}", FunctionName: orders, FilterCriteria: { Filters: [${filters(count)}] } }`);

test('a mapping may have five filters, and up to ten where limits.filtersPerMapping says so', async () => {
  expect((await loadGood(mappingOf(5))).config.mappings.get('m')?.filterPatterns).toHaveLength(5);
  expect(await errorsOf(mappingOf(6))).toEqual([
    expect.stringContaining('Filters: expected at most 5 filters, got 6 [raise limits.filtersPerMapping (10 at most), or join patterns]'),
  ]);
  const raised = `${mappingOf(10)}limits: { filtersPerMapping: 10 }\n`;
  expect((await loadGood(raised)).config.mappings.get('m')?.filterPatterns).toHaveLength(10);
});
