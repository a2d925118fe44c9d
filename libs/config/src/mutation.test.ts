import { readFileSync, writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { folderWith } from '../test-data/load-text.ts';
import { formatProblems } from './format.ts';
import { loadConfig } from './load.ts';

const reference = readFileSync(new URL('../test-data/reference.yaml', import.meta.url), 'utf8');
const lines = reference.split('\n');
const tokens = [
  '{',
  '}',
  '[',
  ']',
  ':',
  '- ',
  '#',
  '"',
  "'",
  '|',
  '>',
  '&a ',
  '*a',
  '!Ref ',
  '!!x ',
  '${',
  '}',
  '$$',
  '\t',
  '\u0000',
  '\uFEFF',
  '\n',
  '---\n',
  'null',
  '~',
  '-1',
  '1e9',
  '.inf',
  '9'.repeat(30),
  '__proto__: 1',
  'Ref',
  '???',
  '%YAML 1.1',
  '\uD800',
  '🙂',
];

/** One change to the text of a valid file. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(reference.length), text: fc.constantFrom(...tokens) }),
  fc.record({ kind: fc.constant('delete' as const), at: fc.nat(reference.length), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('swapLines' as const), at: fc.nat(lines.length - 1), to: fc.nat(lines.length - 1) }),
  fc.record({
    kind: fc.constant('replaceValue' as const),
    at: fc.nat(lines.length - 1),
    text: fc.oneof(fc.constantFrom(...tokens), fc.string()),
  }),
);

function apply(text: string, change: typeof mutation extends fc.Arbitrary<infer T> ? T : never): string {
  if (change.kind === 'insert') return text.slice(0, change.at) + change.text + text.slice(change.at);
  if (change.kind === 'delete') return text.slice(0, change.at) + text.slice(change.at + change.length);
  const rows = text.split('\n');
  if (change.kind === 'swapLines') [rows[change.at], rows[change.to]] = [rows[change.to] ?? '', rows[change.at] ?? ''];
  else rows[change.at] = (rows[change.at] ?? '').replace(/: .*$/, `: ${change.text}`);
  return rows.join('\n');
}

test('whatever is done to a file, the answer is a configuration or problems with places, never a throw', async () => {
  const folder = folderWith({});
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (changes) => {
      const text = changes.reduce(apply, reference);
      writeFileSync(`${folder}/a.yaml`, text);
      const result = await loadConfig({ file: `${folder}/a.yaml`, env: { ADMIN_TOKEN: 'x' }, nowMs: Date.UTC(2026, 10, 20) });
      const problems = result.ok ? [...result.warnings, ...result.notOffered] : result.problems;
      if (!result.ok) expect(problems.some((problem) => problem.severity === 'error')).toBe(true);
      for (const problem of problems) {
        expect(problem.message).not.toBe('');
        if (problem.line === 0) continue;
        expect(problem.line).toBeLessThanOrEqual(text.split('\n').length);
        expect(problem.column).toBeGreaterThan(0);
        expect(problem.endColumn).toBeGreaterThan(problem.column);
      }
      for (const format of ['text', 'json', 'github'] as const) formatProblems(problems, format);
    }),
    { numRuns: 150 },
  );
});
