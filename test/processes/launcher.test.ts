import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { launcher, machineCommand, root, run, type CommandResult } from './wherry-command.ts';

/**
 * The launcher beside a main program that only tells what reaches it: its Node, its arguments, and a signal, which it answers
 * by exiting with 7 (or by letting SIGHUP kill it).
 */
const telltale = `
const { execArgv, argv, pid, ppid, versions } = process;
process.on('SIGTERM', () => process.exit(7)).on('SIGINT', () => process.exit(8));
if (argv.includes('stay')) setInterval(() => {}, 60_000);
console.log(JSON.stringify({ execArgv, args: argv.slice(2), pid, node: versions.node }));
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-launcher-'));
  await Promise.all([mkdir(join(folder, 'bin')), mkdir(join(folder, 'src'))]);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await cp(launcher, join(folder, 'bin/wherry.js'));
  await writeFile(join(folder, 'src/main.ts'), telltale);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

interface Told {
  readonly execArgv: readonly string[];
  readonly args: readonly string[];
  readonly pid: number;
  readonly node: string;
}

function told(result: CommandResult): Told {
  return JSON.parse(result.stdout) as Told;
}

/** Starts the launcher with `stay`, and once the program is up sends the signal to the process that was started. */
function signalled(
  node: string,
  args: readonly string[],
  signal: NodeJS.Signals,
): Promise<CommandResult & { readonly startedPid?: number }> {
  let startedPid: number | undefined;
  return run(node, [join(folder, 'bin/wherry.js'), ...args, 'stay'], {
    onOutput: (_text, child) => {
      startedPid = child.pid;
      child.kill(signal);
    },
  }).then((result) => ({ ...result, ...(startedPid === undefined ? {} : { startedPid }) }));
}

/** The machine's own Node, if it is one that cannot run the program itself. */
async function olderNode(): Promise<string | undefined> {
  const node = machineCommand('node');
  if (node === undefined) return undefined;
  const { stdout } = await run(node, ['-p', 'process.versions.node']);
  const [major = 0, minor = 0] = stdout.split('.').map(Number);
  return major < 24 || (major === 24 && minor < 12) ? node : undefined;
}

describe('on a Node that runs TypeScript', () => {
  test('a short command runs in the same process, arguments untouched', async () => {
    const result = await run(process.execPath, [join(folder, 'bin/wherry.js'), 'validate', '--format', 'json']);
    expect(told(result)).toMatchObject({ execArgv: [], args: ['validate', '--format', 'json'] });
  });

  test.each(['poller', 'up'])('%s cannot be made to open its debugger, and keeps its process id', async (command) => {
    const result = await signalled(process.execPath, [command], 'SIGTERM');
    expect(result.code).toBe(7);
    expect(told(result)).toMatchObject({ execArgv: ['--disable-sigusr1'], args: [command, 'stay'], pid: result.startedPid });
  });
});

describe('on an older Node', () => {
  test('without the development dependencies it says what is needed', async (context) => {
    const node = await olderNode();
    if (node === undefined) return context.skip('no Node older than 24.12 on PATH');
    const result = await run(node, [join(folder, 'bin/wherry.js'), 'version']);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(/^wherry needs Node 24\.12 or newer; this is Node [\d.]+\./);
  });

  test.for([
    ['SIGTERM', 7],
    ['SIGINT', 8],
    ['SIGHUP', 129],
  ] as const)('the program runs on the Node of the checkout; %s reaches it and its end comes back', async ([signal, code], context) => {
    const node = await olderNode();
    if (node === undefined) return context.skip('no Node older than 24.12 on PATH');
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const result = await signalled(node, ['poller'], signal);
    expect(result.code).toBe(code);
    expect(told(result)).toMatchObject({ execArgv: ['--disable-sigusr1'], args: ['poller', 'stay'], node: process.versions.node });
  });
});
