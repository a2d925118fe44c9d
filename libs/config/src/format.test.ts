import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { folderWith } from '../test-data/load-text.ts';
import { formatProblems } from './format.ts';
import { loadConfig } from './load.ts';
import type { Problem } from './problem.ts';

/** The faulty file of the examples; not called .yaml, because formatters would change the columns. */
const bad = readFileSync(new URL('../test-data/bad.yaml.txt', import.meta.url), 'utf8');

async function badFile(): Promise<Problem[]> {
  const folder = folderWith({ 'bad.yaml': bad });
  const result = await loadConfig({ file: `${folder}/bad.yaml`, env: {} });
  if (result.ok) throw new Error('the file is valid');
  return result.problems.map((problem) => ({ ...problem, file: problem.file.replace(`${folder}/`, '') }));
}

test('text shows message, place, line, caret and help of every error at once', async () => {
  const text = formatProblems(await badFile(), 'text');
  expect(text).toContain(
    [
      'error: environment variable ORDERS_URL is not set',
      ' --> bad.yaml:5:15',
      '  |',
      '5 |     endpoint: ${ORDERS_URL}',
      '  |               ^^^^^^^^^^^^^ export ORDERS_URL=…, or give a default: ${ORDERS_URL:-value}',
      '',
      'error: BatchSize above 10 on SQS needs MaximumBatchingWindowInSeconds of at least 1',
      '  --> bad.yaml:11:16  (mappings.orders-queue.BatchSize)',
      '   |',
      '11 |     BatchSize: 100',
      '   |                ^^^ add MaximumBatchingWindowInSeconds: 1, or lower BatchSize to 10 (Lambda has the same rule)',
      '',
      'error: unknown field "StartingPositon"',
      '  --> bad.yaml:18:5  (mappings.clicks.StartingPositon)',
      '   |',
      '18 |     StartingPositon: LATEST',
      '   |     ^^^^^^^^^^^^^^^ did you mean "StartingPosition"?',
      '',
      'error: expected an integer from 1 to 10, got 20',
      '  --> bad.yaml:19:28  (mappings.clicks.ParallelizationFactor)',
      '   |',
      '19 |     ParallelizationFactor: 20',
      '   |                            ^^',
      '',
      'error: expected boolean, got string "yes"',
      '  --> bad.yaml:20:33  (mappings.clicks.BisectBatchOnFunctionError)',
      '   |',
      '20 |     BisectBatchOnFunctionError: "yes"',
      '   |                                 ^^^^^',
      '',
      'error: expected one of SQS, Kinesis, DynamoDB; got "DynamoDb"',
      '  --> bad.yaml:22:11  (mappings.audit.Type)',
      '   |',
      '22 |     Type: DynamoDb',
      '   |           ^^^^^^^^ did you mean "DynamoDB"?',
      '',
    ].join('\n'),
  );
  expect(text.endsWith('\n\nbad.yaml: 9 errors, nothing was applied')).toBe(true);
});

test('json carries place, path, code, help and the text of Lambda', async () => {
  const parsed: unknown = JSON.parse(formatProblems(await badFile(), 'json'));
  expect(parsed).toHaveLength(9);
  expect(parsed).toContainEqual({
    severity: 'error',
    file: 'bad.yaml',
    line: 11,
    column: 16,
    endColumn: 19,
    path: 'mappings.orders-queue.BatchSize',
    code: 'batch-window',
    message: 'BatchSize above 10 on SQS needs MaximumBatchingWindowInSeconds of at least 1',
    help: 'add MaximumBatchingWindowInSeconds: 1, or lower BatchSize to 10 (Lambda has the same rule)',
    awsMessage: 'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
  });
  expect(JSON.parse(formatProblems([], 'json'))).toEqual([]);
});

const problem: Problem = {
  severity: 'error',
  file: 'a,b:c.yaml',
  line: 1,
  column: 2,
  endColumn: 3,
  path: '',
  code: 'x',
  message: '100% wrong\nin two lines',
  sourceLine: '',
};

test('github escapes what would end a command or a property', () => {
  expect(formatProblems([problem], 'github')).toBe('::error file=a%2Cb%3Ac.yaml,line=1,col=2,endColumn=3::100%25 wrong%0Ain two lines');
  expect(formatProblems([{ ...problem, severity: 'warning', line: 0 }], 'github')).toMatch(/^::warning file=a%2Cb%3Ac\.yaml::/);
});

test.each([
  ['nothing for no problems', [], ''],
  ['warnings alone apply', [{ ...problem, severity: 'warning' }], 'f: 1 warning'],
  ['one error is one error', [problem, { ...problem, severity: 'notice' }], 'f: 1 error, 1 notice, nothing was applied'],
] as [string, Problem[], string][])('the summary counts by severity: %s', (_name, problems, last) => {
  expect(formatProblems(problems, 'text', 'f').split('\n').at(-1)).toBe(last);
});

test('trouble with a file as such has no line to show', () => {
  const text = formatProblems([{ ...problem, file: 'a.yaml', line: 0, message: 'cannot read a.yaml', help: 'check the path' }], 'text');
  expect(text).toBe('error: cannot read a.yaml\n --> a.yaml\n  = check the path\n\na.yaml: 1 error, nothing was applied');
});

test('tabs keep the caret in place, and a line of megabytes is cut around it', () => {
  const tab = formatProblems([{ ...problem, sourceLine: '\ta: b', column: 5, endColumn: 6 }], 'text');
  expect(tab).toContain('1 | \ta: b\n  | \t   ^');
  const long = formatProblems(
    [{ ...problem, sourceLine: `${'x'.repeat(5000)}HERE${'y'.repeat(5000)}`, column: 5001, endColumn: 5005 }],
    'text',
  );
  const [shown = '', caret = ''] = long.split('\n').slice(3, 5);
  expect(shown.length).toBeLessThan(200);
  expect(shown.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('HERE');
});
