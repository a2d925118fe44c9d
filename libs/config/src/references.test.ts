import { expect, test } from 'vitest';
import { errorsOf, loadGood } from '../test-data/load-text.ts';

const described = (value: string, more = '') =>
  `version: 1\nfunctions:\n  f:\n    description: ${value}\n    target: { http: { url: "http://f" } }\n${more}`;
const resources = 'resources: { Name: orders }\n';

/** What stands in the file, and what it becomes; in `!Sub` all of it as in CloudFormation. */
const values: readonly (readonly [written: string, value: string])[] = [
  ['!Sub "a-${Name}-b"', 'a-orders-b'],
  ['!Sub "${!Literal}"', '${Literal}'],
  ['!Sub "${!Name}-${Name}"', '${Name}-orders'],
  ['!Sub "a$$b"', 'a$$b'],
  ['!Sub "$${Name}"', '$orders'],
  ['!Sub "costs $5"', 'costs $5'],
  ['{ "Fn::Sub": "$$-${!Literal}-${Name}" }', '$$-${Literal}-orders'],
  ['"$${Name}"', '${Name}'],
  ['"a$$b"', 'a$b'],
];

test.each(values)('%s becomes %s', async (written, value) => {
  expect((await loadGood(described(written, resources))).values.functions['f']?.description).toBe(value);
});

test('the two kinds of dollar signs are explained where resources are', async () => {
  const { explain } = await import('./explain.ts');
  expect(explain('resources')).toMatchObject({ text: expect.stringMatching(/\$\{!Literal\} becomes \$\{Literal\}, and \$\$ stays/) });
});

test('a name that nobody gave is an error in !Sub too', async () => {
  expect(await errorsOf(described('!Sub "${Nam}"', resources))).toEqual([expect.stringContaining('did you mean "Name"?')]);
});
