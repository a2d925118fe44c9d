import { expect, test } from 'vitest';
import type { Io } from './io.ts';
import { runProgram } from './program.ts';

/** Runs a command without a terminal. */
async function wherry(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const io: Io = { stdout: { write: (text) => (stdout += text) }, stderr: { write: (text) => (stderr += text) }, stdin: {}, env: {} };
  const code = await runProgram(['failed', ...args], io);
  return { code, stdout, stderr };
}

test.each([
  [['redrive'], 'failed redrive needs to know which batches'],
  [['discard'], 'failed discard needs to know which batches'],
  [['redrive', '--all'], 'failed redrive asks before it changes anything, and there is no terminal to ask on: add --yes'],
  [['discard', 'clicks'], 'failed discard asks before it changes anything, and there is no terminal to ask on: add --yes'],
  [['redrive', 'clicks', '--mapping', 'audit', '--yes'], 'two mappings are named, clicks and audit: name one'],
  [['redrive', 'clicks', '--id', 'a', '--yes'], '--id names the batches; a mapping cannot stand beside it'],
  [['discard', '--all', '--name', 'orders', '--yes'], '--all means every batch; leave it out, or --name'],
  [['redrive', '--id'], "option '--id <id...>' argument missing"],
  [['list', '--limit', '0'], "argument '0' is invalid. Expected a whole number above 0."],
  [['list', '--limit', 'many'], "argument 'many' is invalid. Expected a whole number above 0."],
  [['show'], "missing required argument 'id'"],
  [['lst'], '(Did you mean list?)'],
])('failed %j is bad usage', async (args, message) => {
  const { code, stdout, stderr } = await wherry(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
});

test.each([[['list']], [['show', 'a']], [['redrive', '--all', '--yes']], [['discard', '--all', '--yes']]])(
  'failed %j without a configuration is an error',
  async (args) => {
    const { code, stdout, stderr } = await wherry(...args, '--config', 'no-such-file.yaml');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('no-such-file.yaml');
  },
);
