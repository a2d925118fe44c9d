import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { root, run, type CommandResult } from './wherry-command.ts';

/** A checkout with nothing in it but a lock file and the script, and a PATH that holds only what a test puts there. */
let folder: string;
let bin: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-install-'));
  bin = join(folder, 'bin');
  await Promise.all([mkdir(bin), mkdir(join(folder, 'deploy'))]);
  await cp(join(root, 'deploy/install.mjs'), join(folder, 'deploy/install.mjs'));
  await writeFile(join(folder, 'package-lock.json'), '{"one":1}');
  await program('npm', 'echo "npm $*" >> "$CALLS"; /bin/mkdir -p node_modules; ${NPM_FAILS:+exit 9}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

function install(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  const own = { PATH: bin, CALLS: join(folder, 'calls'), ...env };
  return run(process.execPath, [join(folder, 'deploy/install.mjs'), ...args], { cwd: folder, env: own });
}

async function calls(): Promise<string[]> {
  const text = await readFile(join(folder, 'calls'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

const npmCi = 'npm ci --loglevel=error --no-audit --no-fund';

describe('npm packages', () => {
  test('are installed once, and again only when the lock file has changed', async () => {
    expect((await install()).stderr).toMatch(/^installing npm packages .*\ninstalled npm packages in [\d.]+ s\n$/);
    expect(await install()).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await calls()).toEqual([npmCi]);
    await writeFile(join(folder, 'package-lock.json'), '{"two":2}');
    await install();
    expect(await calls()).toEqual([npmCi, npmCi]);
  });

  test('are installed again when node_modules is gone', async () => {
    await install();
    await rm(join(folder, 'node_modules'), { recursive: true });
    await install();
    expect(await calls()).toHaveLength(2);
  });

  test('are installed by one of two that start at the same time', async () => {
    const both = await Promise.all([install(), install()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await calls()).toEqual([npmCi]);
  });

  test('a copy that died while it installed stands in nobody’s way', async () => {
    await mkdir(join(folder, '.cache'));
    await writeFile(join(folder, '.cache/install.pid'), '4194305');
    expect((await install()).code).toBe(0);
  });

  test('a failed install is told, leaves no stamp, and is tried again', async () => {
    const failed = await install([], { NPM_FAILS: 'yes' });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('npm ci failed (exit code 9)');
    expect((await install()).code).toBe(0);
    expect(await calls()).toHaveLength(2);
  });

  test('npm runs on the Node of the machine, not on the one it is about to replace', async () => {
    await program('npm', 'echo "$PATH" > "$CALLS"; /bin/mkdir -p node_modules');
    await install([], { PATH: `${join(folder, 'node_modules/.bin')}:${bin}` });
    expect(await calls()).toEqual([bin]);
  });
});

describe('programs', () => {
  beforeEach(() => install());

  test('nothing is done for one that is there', async () => {
    await program('redis-server', '');
    expect(await install(['redis-server'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('another program that does the same will do', async () => {
    await program('valkey-server', '');
    expect(await install(['redis-server/valkey-server'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('one that is missing is named with the commands that install it', async () => {
    const { code, stderr } = await install(['redis-server']);
    expect(code).toBe(1);
    expect(stderr).toContain('redis-server is needed and was not found on PATH');
    for (const command of ['sudo apt-get install --no-install-recommends redis-server', 'sudo dnf install redis', 'brew install redis']) {
      expect(stderr).toContain(command);
    }
  });

  test('with --try one that is missing is left to whoever needs it', async () => {
    expect(await install(['--try', 'redis-server'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('one that is named before --try is needed all the same', async () => {
    expect(await install(['redis-server', '--try', 'java'])).toMatchObject({ code: 1 });
  });

  test('root with apt-get installs it', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('not root');
    await program('apt-get', `echo "apt-get $*" >> "$CALLS"; if [ "$1" = install ]; then /bin/cp "${bin}/npm" "${bin}/redis-server"; fi`);
    const { code, stderr } = await install(['redis-server']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'installing redis-server (apt-get) …\n' });
    expect(await calls()).toEqual([npmCi, 'apt-get update -q', 'apt-get install -y -q --no-install-recommends redis-server']);
  });

  test('one whose package has another name is installed by that, and only tried where so asked', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('not root');
    await program('apt-get', 'echo "apt-get $*" >> "$CALLS"; if [ "$1" = install ]; then exit 100; fi');
    const { code, stderr } = await install(['--try', 'java']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^installing default-jre-headless \(apt-get\) …\napt-get install default-jre-headless failed \(exit code 100\)/);
    expect(await calls()).toContain('apt-get install -y -q --no-install-recommends default-jre-headless');
  });
});
