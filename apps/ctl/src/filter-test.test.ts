import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from './program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-filter-'));
  await writeFile(join(folder, 'event.json'), '{"detail":{"state":"stopped","items":[{"k":1,"s":3},{"k":2,"s":9}]}}\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `wherry filter test`; file names are those of the test's folder. */
async function filterTest(args: readonly string[], input = ''): Promise<Result> {
  let stdout = '';
  let stderr = '';
  async function* stdin(): AsyncGenerator<string> {
    yield input;
  }
  const inFolder = args.map((arg) =>
    arg.replace(/^(@?)([\w-]+\.(?:json|txt))$/, (_all, at: string, file: string) => at + join(folder, file)),
  );
  const code = await runProgram(['filter', 'test', ...inFolder], {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: stdin(),
    env: {},
  });
  return { code, stdout, stderr };
}

function onEvent(pattern: string, ...more: readonly string[]): Promise<Result> {
  return filterTest(['--pattern', pattern, '--event', 'event.json', ...more]);
}

test('a match is one line and exit code 0', async () => {
  expect(await onEvent('{"detail":{"state":["stopped"]}}')).toEqual({ code: 0, stdout: 'match\n', stderr: '' });
});

test('no match exits 1 and names the first condition that failed', async () => {
  expect(await onEvent('{"detail":{"items":{"k":[1]},"state":[{"prefix":"run"}, "x"]}}')).toEqual({
    code: 1,
    stdout: `no match
the first condition that failed:
  path      detail.state
  expected  [{"prefix":"run"}, "x"]
  actual    "stopped"
`,
    stderr: '',
  });
});

test.each([
  ['{"detail":{"kind":["x"]}}', '  actual    missing\n'],
  ['{"detail":{"State":["x"]}}', '  actual    missing; there is "detail.state", but keys are case-sensitive\n'],
  ['{"detail":{"state":{"name":["x"]}}}', '  actual    missing: "detail.state" is "stopped"\n'],
  ['{"detail":["x"]}', '  actual    an object; conditions look at single values only\n'],
  ['{"detail":{"items":{"k":[5]}}}', '  actual    1, 2\n'],
  ['{"$or":[{"a":[1]},{"detail":{"state":["stopped"]},"b":[1]}]}', '  path      b  (the nearest in $or: alternative 2 of 2)\n'],
])('%s: %j', async (pattern, text) => {
  const { code, stdout } = await onEvent(pattern);
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining(text) });
});

test('conditions that no one element of an array meets are shown together', async () => {
  const { stdout } = await onEvent('{"detail":{"items":{"k":[1],"s":[9]}}}');
  expect(stdout).toBe(`no match
no one element of "detail.items" meets all of these conditions:
  path      detail.items.k
  expected  [1]
  actual    1, 2
  path      detail.items.s
  expected  [9]
  actual    3, 9
`);
});

test('what could steer a terminal is shown as its escape', async () => {
  const { stdout } = await filterTest(['--pattern', '{"a":["x"]}', '--event', '-'], '{"a":"\u009b31m\u202eevil"}');
  expect(stdout).toContain(String.raw`actual    "\u009b31m\u202eevil"`);
});

test('long values and long lists are cut short', async () => {
  const event = JSON.stringify({ a: ['y'.repeat(1_000), ...Array.from({ length: 20 }, (_, index) => index)] });
  const { stdout } = await filterTest(['--pattern', '{"a":["x"]}', '--event', '-'], event);
  expect(stdout).toContain(`  actual    "${'y'.repeat(119)}… (1002 characters), 0, 1, 2, 3, and 16 more\n`);
});

test('--json prints an object, values as JSON text', async () => {
  expect(JSON.parse((await onEvent('{"detail":{"state":["stopped"]}}', '--json')).stdout)).toEqual({ match: true });
  expect(JSON.parse((await onEvent('{"detail":{"state":["x"]}}', '--json')).stdout)).toEqual({
    match: false,
    failed: { path: 'detail.state', expected: '["x"]', offset: 19, actual: ['"stopped"'] },
  });
  expect(JSON.parse((await onEvent('{"detail":{"items":{"k":[1],"s":[9]}}}', '--json')).stdout)).toMatchObject({
    failed: { array: 'detail.items', conditions: [{ path: 'detail.items.k' }, { path: 'detail.items.s', actual: ['3', '9'] }] },
  });
});

test('the pattern may come from a file, the event from standard input', async () => {
  await writeFile(join(folder, 'pattern.json'), '\uFEFF{"a":["é"]}\r\n');
  expect(await filterTest(['--pattern', '@pattern.json', '--event', '-'], '\uFEFF{"a":"é"}')).toMatchObject({ code: 0, stdout: 'match\n' });
});

describe('bad input exits 2 and says where', () => {
  test('an invalid pattern', async () => {
    const { code, stdout, stderr } = await onEvent('{"detail":{"state":"stopped"}}');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`error: the pattern is not valid: "state" must be an object or an array
 --> --pattern:1:20  (offset 19)
  |
1 | {"detail":{"state":"stopped"}}
  |                    ^
`);
  });

  test('an event that is not JSON', async () => {
    const { code, stderr } = await filterTest(['--pattern', '{"a":[1]}', '--event', '-'], '{\n  "a": 1,\n}\n');
    expect(code).toBe(2);
    expect(stderr).toContain('error: the event is not JSON');
    expect(stderr).toContain(' --> standard input:3:1  (offset 12)\n  |\n3 | }\n  | ^\n');
  });

  test.each([
    [['--pattern', 'pattern.txt', '--event', 'event.json'], '--pattern @FILE reads a file'],
    [['--pattern', '', '--event', 'event.json'], 'the pattern is not valid'],
    [['--pattern', '@absent.json', '--event', 'event.json'], 'no such file'],
    [['--pattern', '@', '--event', 'event.json'], '--pattern @FILE needs the name of a file'],
    [['--pattern', '{"a":[1]}', '--event', 'absent.json'], 'no such file'],
    [['--pattern', '{"a":[1]}', '--event', '/'], 'it is a directory'],
    [['--pattern', '{"a":[1]}', '--event', '-'], 'the event is not JSON'],
    [['--pattern', '{"a":[1]}'], 'name the file with the event'],
    [['--pattern', '{"a":[1]}', '--event', ''], 'name the file with the event'],
    [['--pattern'], "option '--pattern <json>' argument missing"],
    [['--event', 'event.json'], 'name a mapping, or give --pattern or --ndjson'],
    [['orders', '--pattern', '{"a":[1]}', '--event', 'event.json'], 'name a mapping or give --pattern, not both'],
    [['--ndjson', '--event', 'event.json'], '--ndjson takes patterns and events from standard input'],
    [['--ndjson', 'orders'], '--ndjson takes patterns and events from standard input'],
    [['--patern', 'x'], '(Did you mean --pattern?)'],
    [['orders', '--event', 'event.json', '--config', 'absent.json'], 'no such file'],
  ])('%j: %s', async (args, message) => {
    const { code, stdout, stderr } = await filterTest(args);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  test('an event that is not UTF-8', async () => {
    await writeFile(join(folder, 'latin.json'), Buffer.from('{"a":"\u00e9"}', 'latin1'));
    expect((await filterTest(['--pattern', '{"a":[1]}', '--event', 'latin.json'])).stderr).toMatch(/latin\.json is not UTF-8\n$/);
  });
});

test('--ndjson answers standard input', async () => {
  const { code, stdout } = await filterTest(['--ndjson'], '{"pattern":{"a":[1]},"event":{"a":1}}\n{"pattern":{"a":1},"event":{}}\n');
  expect(code).toBe(0);
  expect(stdout).toBe('{"match":true}\n{"error":"\\"a\\" must be an object or an array","offset":5}\n');
});
