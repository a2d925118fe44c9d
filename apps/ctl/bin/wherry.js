#!/usr/bin/env node
/**
 * Starts the `wherry` command on a Node that runs TypeScript: this one if it is new enough, else the one among the
 * development dependencies. Plain JavaScript, because it has to work on the Node that it finds.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 12)) {
  startOnOwnNode();
} else {
  if (isLongRunning(process.argv[2])) becomeHardened();
  await import('../src/main.ts');
}

/** The commands that stay up: nobody may open their debugger by sending SIGUSR1. */
function isLongRunning(command) {
  return command === 'poller' || command === 'up';
}

/** Replaces this process (same pid, same terminal) by one that ignores SIGUSR1. Returns where that is done or cannot be done. */
function becomeHardened() {
  const flag = '--disable-sigusr1';
  const canReplace = typeof process.execve === 'function' && process.platform !== 'win32' && process.send === undefined;
  if (!canReplace || process.execArgv.includes(flag)) return;
  process.execve(process.execPath, [process.execPath, flag, ...process.execArgv, ...process.argv.slice(1)], process.env);
}

/** The Node of the development dependencies, if this is a checkout whose packages are installed. */
function findOwnNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Runs the command as a child that is, seen from outside, this process: same output, same signals, same end. */
function startOnOwnNode() {
  const node = findOwnNode();
  if (node === undefined) {
    process.stderr.write(
      `wherry needs Node 24.12 or newer; this is Node ${process.versions.node}. In a checkout, "npm ci" brings its own Node 24.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, ['--disable-sigusr1', main, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, WHERRY_STARTER: String(process.pid) },
  });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => forward(child, signal));
  child.on('error', (error) => {
    process.stderr.write(`wherry could not start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function forward(child, signal) {
  // A terminal sends Ctrl-C to parent and child alike; passing it on would make it the second one, which ends a drain at once.
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  child.kill(signal);
}
