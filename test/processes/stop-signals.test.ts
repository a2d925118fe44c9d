import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '@wherry/testkit/backend-process';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launcher, machineCommand, machinePath, root, run, type CommandResult } from './wherry-command.ts';

let folder: string;
let config: string;
let redis: RedisServer;
let sqs: Backend;

beforeAll(async () => {
  [folder, redis, sqs] = await Promise.all([mkdtemp(join(tmpdir(), 'wherry-stop-')), startRedisServer(), startFauxqs()]);
  config = join(folder, 'wherry.yaml');
  await writeFile(
    config,
    `version: 1
fleet: { id: stop, accountId: "000000000000", region: us-east-1 }
redis: { url: "${redis.url}" }
aws: { region: us-east-1, endpoint: "${sqs.url}" }
admin: { listen: 127.0.0.1:0 }
`,
  );
});
afterAll(async () => {
  await Promise.all([redis.kill(), sqs.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** Starts a poller through the given command, and signals it once its admin listener is up. `group` is its process group. */
async function stopped(
  command: string,
  args: readonly string[],
  signal: (pid: number) => void,
  env = {},
): Promise<CommandResult & { readonly group: number }> {
  let group = 0;
  let output = '';
  const result = await run(command, [...args, '--config', config], {
    cwd: root,
    env: { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', ...env },
    detached: true,
    onOutput: (text, child) => {
      output += text;
      if (group !== 0 || child.pid === undefined || !output.includes('"listening"')) return;
      group = child.pid;
      signal(child.pid);
    },
  });
  return { ...result, group };
}

const alone = (signal: NodeJS.Signals) => (pid: number) => void process.kill(pid, signal);
const wholeGroup = (signal: NodeJS.Signals) => (pid: number) => void process.kill(-pid, signal);

describe.each(['poller', 'up'])('wherry %s', (command) => {
  test.each(['SIGTERM', 'SIGINT'] as const)('drains and exits 0 on %s', async (signal) => {
    const result = await stopped(process.execPath, [launcher, command], alone(signal));
    expect(result).toMatchObject({ code: 0, signal: null });
  });
});

describe('npx wherry poller, on the Node and npm of this machine', () => {
  test.for([
    ['npx alone gets SIGTERM, as from a process manager', alone('SIGTERM')],
    ['the whole process group gets SIGINT, as from Ctrl-C in a terminal', wholeGroup('SIGINT')],
    ['the whole process group gets SIGTERM', wholeGroup('SIGTERM')],
  ] as const)('when %s, it drains, exits 0 and leaves nothing behind', async ([, signal], context) => {
    const npx = machineCommand('npx');
    if (npx === undefined) return context.skip('no npx on PATH');
    const result = await stopped(npx, ['wherry', 'poller'], signal, { PATH: machinePath() });
    expect(result).toMatchObject({ code: 0, signal: null });
    expect(result.group).toBeGreaterThan(0);
    expect(() => process.kill(-result.group, 0)).toThrow(/ESRCH/);
  });
});

test.for([
  ['npx', ['wherry', 'poller']],
  ['node', [launcher, 'poller']],
] as const)('a poller whose %s is killed drains, because nobody could stop it any more', async ([name, args], context) => {
  const command = machineCommand(name);
  if (command === undefined) return context.skip(`no ${name} on PATH`);
  let poller = 0;
  const kill = (pid: number): void => {
    poller = pid;
    process.kill(pid, 'SIGKILL');
  };
  // The command has ended only when nobody holds its output any more, the poller included.
  const result = await stopped(command, args, kill, { PATH: machinePath() });
  expect(poller).toBeGreaterThan(0);
  expect(result.signal).toBe('SIGKILL');
  expect(result.stdout).toContain('"msg":"poller stopped"');
});

test('up says that there is no gateway yet', async () => {
  const result = await stopped(process.execPath, [launcher, 'up'], alone('SIGTERM'));
  expect(result.stdout + result.stderr).toContain('this version has no gateway');
});

describe('a configuration that cannot run', () => {
  test.each([
    ['is wrong', 'version: 2\n', /error: .*\n --> .*:1:10/],
    ['asks for what is not offered yet', 'version: 1\napi: { listen: 127.0.0.1:0 }\n', /api/],
    ['is not there', undefined, /no such file/],
  ])('%s: the poller exits 1 and says where', async (_what, text, message) => {
    const file = join(folder, 'refused.yaml');
    await rm(file, { force: true });
    if (text !== undefined) await writeFile(file, text);
    const result = await run(process.execPath, [launcher, 'poller', '--config', file]);
    expect(result.code).toBe(1);
    expect(result.stderr + result.stdout).toMatch(message);
  });
});
