import { expect, test } from 'vitest';
import { loadText } from '../test-data/load-text.ts';
import { formatProblems } from './format.ts';

/** A file with a mistake in the neighbourhood of a secret, or in the secret itself. */
const mistaken: readonly (readonly [what: string, text: string, secret: string])[] = [
  ['a number where a map belongs', 'admin: { auth: { bearer: 8675309 } }', '8675309'],
  ['a number where a list belongs', 'admin: { auth: { bearer: { tokens: 8675309 } } }', '8675309'],
  ['a number of too many digits', 'redis: { password: 867530986753098675309, passwort: 1 }', '867530986753098675309'],
  ['a number of too many digits that is wrong there', 'admin: { auth: { bearer: 867530986753098675309 } }', '867530986753098675309'],
  ['a map in the place of a password', 'redis: { password: { value: hunter2 } }', 'hunter2'],
  ['a list in the place of a password', 'redis: { password: [hunter2] }', 'hunter2'],
  ['a password that begins like an alias', 'redis:\n  password: *hunter2', 'hunter2'],
  ['a password that begins like a tag', 'redis:\n  password: !hunter2', 'hunter2'],
  ['a misspelt key', 'redis: { pasword: hunter2 }', 'hunter2'],
  ['a key in another case', 'redis: { Password: hunter2 }', 'hunter2'],
  ['a secret that is partly a variable', 'redis: { password: "hunter2${NO}" }', 'hunter2'],
  ['a URL without its scheme', 'redis: { url: "user:hunter2@redis:6379" }', 'hunter2'],
  ['a sentinel with a password', 'redis: { sentinel: { name: m, nodes: ["user:hunter2@redis:1"] } }', 'hunter2'],
  ['a quote that is never closed', 'redis:\n  password: "hunter2\n', 'hunter2'],
  ['a file that is not YAML near a list', 'admin: { auth: { bearer: { tokens: [hunter2 }', 'hunter2'],
  ['a file that is not YAML near a URL', 'redis: { url: redis://:hunter2@redis:6379 ]', 'hunter2'],
];

test.each(mistaken)('%s keeps the secret out of every error', async (_what, text, secret) => {
  const result = await loadText(`version: 1\n${text}\n`);
  expect(result.ok).toBe(false);
  const problems = result.ok ? [] : result.problems;
  for (const format of ['text', 'json', 'github'] as const) expect(formatProblems(problems, format)).not.toContain(secret);
});

test('names of functions and mappings make no secrets of their settings', async () => {
  const result = await loadText('version: 1\nfunctions: { refresh-token: { target: { http: { url: 5 } }, Timeout: 9999 } }\n');
  expect(formatProblems(result.ok ? [] : result.problems, 'text')).toContain('Timeout: 9999');
});
