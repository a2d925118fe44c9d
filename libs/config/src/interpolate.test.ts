import { expect, test } from 'vitest';
import { errorsOf, folderWith, loadGood } from '../test-data/load-text.ts';

const env = { SET: 'value', EMPTY: '', NUMBER: '7', LIST: '[a, b]\nversion: 2', YES: 'true' };
const named = (value: string) => `version: 1\nfunctions:\n  f:\n    description: ${value}\n    target: { http: { url: "http://f" } }\n`;

const withTimeout = (value: string) => named('x').replace('description: x', `Timeout: ${value}`);

/** What stands in the file, and what the value becomes. */
const forms: readonly (readonly [written: string, value: string])[] = [
  ['${SET}', 'value'],
  ['a-${SET}-b-${SET}', 'a-value-b-value'],
  ['"${SET}"', 'value'],
  ['${UNSET:-x}', 'x'],
  ['${EMPTY:-x}', 'x'],
  ['${UNSET-x}', 'x'],
  ['"${EMPTY-x}"', ''],
  ['${SET:-x}', 'value'],
  ['${UNSET:-http://localhost:4566}', 'http://localhost:4566'],
  ['${SET:?must be set}', 'value'],
  ['a$$b', 'a$b'],
  ['$$${SET}', '$value'],
  ['$${SET}', '${SET}'],
  ['costs $5', 'costs $5'],
  ['${LIST}', '[a, b]\nversion: 2'],
  ['${NUMBER}', '7'],
];

test.each(forms)('%s becomes %s', async (written, value) => {
  const { values } = await loadGood(named(written), { env });
  expect(values.functions['f']?.description ?? '').toBe(value);
});

test('an unquoted value gets its type after replacement, a quoted one stays text', async () => {
  const { config } = await loadGood(withTimeout('${NUMBER}'), { env });
  expect(config.functions.get('f')?.timeoutSeconds).toBe(7);
  expect(await errorsOf(withTimeout('"${NUMBER}"'), { env })).toEqual([
    '4:14 functions.f.Timeout: expected an integer from 1 to 5400, got string "7" [write it without quotes]',
  ]);
});

test('an unquoted value that becomes empty counts as absent', async () => {
  const { config } = await loadGood(`${named('x')}aws: { region: eu-west-1 }\nredis:\n  password: \${UNSET:-}\n`, { env });
  expect(config.redis).not.toHaveProperty('password');
});

test('keys are left alone', async () => {
  expect(await errorsOf(`${named('x')}metrics: { labels: { "\${SET}": x } }\n`, { env })).toEqual([
    expect.stringContaining('expected a Prometheus label name ([a-zA-Z_][a-zA-Z0-9_]*), got "${SET}"'),
  ]);
});

/** What stands in the file, and the error with its exact place in line 4. */
const faults: readonly (readonly [written: string, error: string])[] = [
  ['${NO}', '4:18 : environment variable NO is not set [export NO=…, or give a default: ${NO:-value}]'],
  ['"ab ${NO} c"', '4:22 : environment variable NO is not set [export NO=…, or give a default: ${NO:-value}]'],
  ["'it''s ${NO}'", '4:25 : environment variable NO is not set [export NO=…, or give a default: ${NO:-value}]'],
  ['${SET}-${NO}', '4:25 : environment variable NO is not set [export NO=…, or give a default: ${NO:-value}]'],
  ['${EMPTY:?give me a name}', '4:18 : give me a name [export EMPTY=…]'],
  ['"x ${SET"', '4:21 : this ${ has no closing } [for a dollar sign write $$]'],
];

test.each(faults)('%s is an error at its very place', async (written, error) => {
  expect(await errorsOf(named(written), { env })).toEqual([error]);
});

test('an unknown form names the known ones', async () => {
  expect(await errorsOf(named('${1X}'), { env })).toEqual([
    expect.stringMatching(/^4:18 : "\$\{1X\}" is no known form \[write \$\{VAR\}, /),
  ]);
});

test('a faulty value causes no further errors', async () => {
  expect(await errorsOf('version: ${NO}\nfunctions: { f: { target: { http: { url: "${NO}" } } } }\n')).toHaveLength(2);
});

test('${file:…} is the content of a file without its last line break', async () => {
  const folder = folderWith({ secret: 'hunter2\n' });
  const { values } = await loadGood(named(`\${file:${folder}/secret}`));
  expect(values.functions['f']?.description).toBe('hunter2');
  const beside = await loadGood(named('${file:secrets/a}'), { files: { 'secrets/a': 'beside\r\n' } });
  expect(beside.values.functions['f']?.description).toBe('beside');
  expect(await errorsOf(named('${file:no}'))).toEqual(['4:18 : cannot read the file no: no such file (ENOENT)']);
});
