import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Io } from './io.ts';
import { runProgram } from './program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-ctl-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs one command without a terminal. */
function wherry(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return wherryIn({}, ...args);
}

async function wherryIn(env: Io['env'], ...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const io: Io = { stdout: { write: (text) => (stdout += text) }, stderr: { write: (text) => (stderr += text) }, stdin: {}, env };
  const code = await runProgram(args, io);
  return { code, stdout, stderr };
}

describe('usage', () => {
  test('help lists every command and the exit codes', async () => {
    const { code, stdout } = await wherry('--help');
    expect(code).toBe(0);
    for (const name of [
      'poller',
      'up',
      'validate',
      'config',
      'schema',
      'explain',
      'init',
      'version',
      'status',
      'health',
      'filter',
      'pause',
      'resume',
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
    expect(stdout).toContain('Exit codes: 0 good, 1 errors, 2 bad usage.');
  });

  test.each([
    [['validat'], "unknown command 'validat'", '(Did you mean validate?)'],
    [['poller', '--confg', 'x.yaml'], "unknown option '--confg'", '(Did you mean --config?)'],
    [['validate', '--format', 'xml'], "argument 'xml' is invalid", 'Allowed choices are text, json, github.'],
    [['explain'], "missing required argument 'field'", ''],
    [['filter', 'tset'], "unknown command 'tset'", '(Did you mean test?)'],
    [['config', 'prnt'], "unknown command 'prnt'", '(Did you mean print?)'],
    [['version', 'extra'], 'too many arguments', ''],
    [['health', '--url', 'nowhere'], '--url nowhere: expected a URL', ''],
    [['validate', '--config', ''], "'-c, --config <file>' argument '' is invalid.", 'name a file'],
    [['validate', ''], 'has an empty name', 'name a file'],
    [['status', '--url', 'http://user:hunter2@host'], '--url takes no user and password', 'WHERRY_ADMIN_TOKEN'],
  ])('%j is bad usage', async (args, message, suggestion) => {
    const { code, stdout, stderr } = await wherry(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toContain(suggestion);
  });

  test.each([[[]], [['config']], [['filter']]])('no command at all (%j) shows the help and is bad usage', async (args) => {
    const { code, stderr } = await wherry(...args);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: wherry');
  });
});

test('WHERRY_CONFIG names the file where no option does; empty is as good as absent', async () => {
  const file = join(folder, 'named.yaml');
  await writeFile(file, 'version: 1\n');
  expect((await wherryIn({ WHERRY_CONFIG: file }, 'validate')).stdout).toContain(`${file}: ok`);
  expect((await wherryIn({ WHERRY_CONFIG: '' }, 'validate')).stderr).toContain('cannot read wherry.yaml: no such file');
  expect((await wherryIn({ WHERRY_CONFIG: 'other.yaml' }, 'validate', '-c', file)).code).toBe(0);
});

test('version tells what a bug report needs', async () => {
  expect((await wherry('version')).stdout).toMatch(/^wherry \d+\.\d+\.\d+ \(Node 24\.[\d.]+, \w+ \w+\)\n$/);
  for (const flag of ['--version', '-V']) expect(await wherry(flag)).toEqual(await wherry('version'));
  expect(JSON.parse((await wherry('version', '--json')).stdout)).toMatchObject({
    version: expect.any(String),
    node: process.versions.node,
  });
});

test('schema is a draft-07 JSON Schema of the file', async () => {
  const { code, stdout } = await wherry('schema');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    properties: { mappings: expect.anything(), functions: expect.anything() },
  });
});

test.each([
  [['explain', 'mappings.BatchSize'], 0, 'LIMITS: 1 to 10000'],
  [['explain', 'mappings.BatchSiz'], 2, '(Did you mean mappings.BatchSize?)'],
])('%j exits %i', async (args, code, text) => {
  const result = await wherry(...args);
  expect(result.code).toBe(code);
  expect(result.stdout + result.stderr).toContain(text);
});

describe('config print', () => {
  test('prints the effective configuration, with origins, secrets starred', async () => {
    const file = join(folder, 'wherry.yaml');
    await writeFile(file, 'version: 1\nadmin: { auth: { bearer: { tokens: [hush] } } }\n');
    const { code, stdout } = await wherry('config', 'print', '--origin', '--config', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/version: 1 +# .*wherry\.yaml:1\n/);
    expect(stdout).toMatch(/listen: 127\.0\.0\.1:9401 +# default\n/);
    expect(stdout).not.toContain('hush');
  });

  test('of a bad file prints its errors and exits 1', async () => {
    const file = join(folder, 'wherry.yaml');
    await writeFile(file, 'version: 1\nfleeet: {}\n');
    const { code, stdout, stderr } = await wherry('config', 'print', '--config', file);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('did you mean "fleet"?');
  });
});

describe('init', () => {
  const queue = 'arn:aws:sqs:eu-west-1:123456789012:orders.fifo';

  test.each([
    ['http', ['--target-url', 'https://shop.internal/orders?a=$b']],
    ['rie', ['--rie', 'http://127.0.0.1:8080']],
    ['lambda', ['--lambda', 'orders:live']],
  ])('writes a file for a function behind %s that validates', async (kind, target) => {
    const file = join(folder, 'wherry.yaml');
    const made = await wherry('init', '--source-arn', queue, ...target, '--redis', 'redis://:p$w@redis:6379', '--out', file);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain(`wrote ${file}`);
    const text = await readFile(file, 'utf8');
    expect(text).toContain(`EventSourceArn: ${queue}`);
    expect(text).toContain(`${kind}: {`);
    const checked = await wherry('validate', file);
    expect(checked.stdout).toMatch(/: ok \(1 function, 1 mapping/);
    expect(checked.code).toBe(0);
  });

  test('with --yes it takes examples for what is not given', async () => {
    const file = join(folder, 'wherry.yaml');
    expect((await wherry('init', '--yes', '--out', file)).code).toBe(0);
    expect(await readFile(file, 'utf8')).toContain('arn:aws:sqs:us-east-1:000000000000:orders');
    expect((await wherry('validate', file)).code).toBe(0);
  });

  test.each([
    ['arn:aws:kinesis:eu-west-1:123456789012:stream/clicks.v1', 'clicks-v1'],
    ['arn:aws:kinesis:eu-west-1:123456789012:stream/clicks/consumer/c:1700000000', 'clicks'],
    ['arn:aws:dynamodb:eu-west-1:123456789012:table/Customers/stream/2026-01-01T00:00:00.000', 'Customers'],
  ])('writes a file for the stream %s that validates without a word', async (stream, name) => {
    const file = join(folder, 'wherry.yaml');
    expect((await wherry('init', '--source-arn', stream, '--yes', '--out', file)).code).toBe(0);
    expect(await readFile(file, 'utf8')).toContain(`\n  ${name}:\n    EventSourceArn: ${stream}\n`);
    expect(await wherry('validate', file)).toEqual({ code: 0, stdout: `${file}: ok (1 function, 1 mapping)\n`, stderr: '' });
  });

  test('never overwrites a file', async () => {
    const file = join(folder, 'wherry.yaml');
    await writeFile(file, 'mine');
    const { code, stderr } = await wherry('init', '--yes', '--out', file);
    expect(code).toBe(1);
    expect(stderr).toContain('exists and stays as it is');
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  test.each([
    [['--source-arn', 'https://sqs.eu-west-1.amazonaws.com/123456789012/orders', '--yes'], 'use arn:aws:sqs:eu-west-1:123456789012:orders'],
    [['--source-arn', 'arn:aws:dynamodb:eu-west-1:123456789012:table/t', '--yes'], "use the table's LatestStreamArn"],
    [['--source-arn', 'orders', '--yes'], 'expected an ARN, got "orders"'],
    [['--target-url', 'ftp://host/', '--yes'], 'expected a URL that starts with http:// or https://'],
    [['--redis', 'redis.internal:6379', '--yes'], 'expected a URL that starts with redis:// or rediss://'],
    [['--lambda', 'a b', '--yes'], 'expected the name of a function'],
    [['--rie', 'http://a:1', '--lambda', 'b', '--yes'], 'cannot be used with option'],
    [['--source-arn', queue], 'without a terminal init needs'],
  ])('%j is bad usage, and nothing is written', async (args, message) => {
    const file = join(folder, 'wherry.yaml');
    const { code, stderr } = await wherry('init', ...args, '--out', file);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    await expect(readFile(file)).rejects.toThrow(/ENOENT/);
  });
});
