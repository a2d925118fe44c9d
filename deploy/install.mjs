#!/usr/bin/env node
/**
 * Installs what is missing before `npm start` and `npm test`: the npm packages of the lock file, and the programs named as
 * arguments. Prints one line for each thing that it does and nothing when there is nothing to do.
 *
 *   node deploy/install.mjs [PROGRAM…] [--try PROGRAM…]
 *
 * PROGRAM is a command and, unless `packageNames` says otherwise, the Debian package that holds it; `redis-server/valkey-server`
 * accepts either command and installs the first. A program behind --try that cannot be installed is left to whoever needs it.
 *
 * It runs before any dependency exists, on whatever Node is there, so it is plain JavaScript and uses nothing but Node itself.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.installed-lock');

/** The packages of programs, where their names differ from the command's. */
const packageNames = {
  java: { apt: 'default-jre-headless', dnf: 'java-21-openjdk-headless', brew: 'openjdk' },
  'redis-server': { apt: 'redis-server', dnf: 'redis', brew: 'redis' },
};

function fail(message) {
  process.stderr.write(message + '\n');
  process.exit(1);
}

function say(message) {
  process.stderr.write(message + '\n');
}

/** Path of an executable on PATH, or undefined. */
function findCommand(name) {
  for (const folder of (process.env.PATH || '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Identifies what `npm ci` would install: the lock file, and the platform whose binaries it picks. */
function wantedStamp() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(lock).digest('hex') + ' ' + process.platform + '-' + process.arch + '\n';
}

function isInstalled(stamp) {
  try {
    return readFileSync(stampFile, 'utf8') === stamp;
  } catch {
    return false;
  }
}

/**
 * The environment for a child npm. npm must run on the Node that it came with: started on the Node of node_modules/.bin it
 * would look for its global settings (a company's CA file, for one) beside the wrong Node, and `npm ci` deletes that folder.
 */
function npmEnvironment() {
  const own = sep + join('node_modules', '.bin');
  const path = (process.env.PATH || '').split(delimiter).filter((folder) => !folder.endsWith(own) && !folder.includes('node-gyp-bin'));
  return { ...process.env, PATH: path.join(delimiter) };
}

/** Runs `work` while no other copy of this script does. A lock whose owner has died is taken over. */
function alone(work) {
  const folder = join(root, '.cache');
  const lockFile = join(folder, 'install.pid');
  mkdirSync(folder, { recursive: true });
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!isAlive(lockFile)) rmSync(lockFile, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function isAlive(lockFile) {
  try {
    const pid = Number(readFileSync(lockFile, 'utf8'));
    // Between the creation of the file and its content there is a moment in which it is empty: its owner is alive.
    if (pid === 0) return Date.now() - statSync(lockFile).mtimeMs < 2000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function installPackages() {
  const stamp = wantedStamp();
  if (isInstalled(stamp)) return;
  alone(() => {
    if (isInstalled(stamp)) return;
    say('installing npm packages (npm ci) …');
    const startedAt = Date.now();
    // The lock file was made for Node 24, which is itself one of the packages: an older Node's engine warnings mean nothing here.
    const result = spawnSync('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
      cwd: root,
      env: npmEnvironment(),
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (result.error) fail('npm could not be started: ' + result.error.message + '. Install npm 10 or newer, or put it on PATH.');
    if (result.status !== 0) fail('npm ci failed (exit code ' + result.status + '); its own message is above. Nothing else was done.');
    writeFileSync(stampFile, stamp);
    say('installed npm packages in ' + ((Date.now() - startedAt) / 1000).toFixed(1) + ' s');
  });
}

function installProgram(wish, isTry) {
  const commands = wish.split('/');
  const name = commands[0];
  const isThere = () => commands.some((command) => findCommand(command) !== undefined);
  if (isThere()) return;
  const packages = packageNames[name] || { apt: name, dnf: name, brew: name };
  const isRoot = typeof process.getuid === 'function' && process.getuid() === 0;
  if (isRoot && findCommand('apt-get') !== undefined) {
    say('installing ' + packages.apt + ' (apt-get) …');
    alone(() => {
      if (!isThere()) apt(packages.apt);
    });
    if (isThere()) return;
  }
  if (isTry) return;
  fail(
    [
      name + ' is needed and was not found on PATH. To get it:',
      '  Debian, Ubuntu   sudo apt-get install --no-install-recommends ' + packages.apt,
      '  Fedora           sudo dnf install ' + packages.dnf,
      '  macOS            brew install ' + packages.brew,
    ].join('\n'),
  );
}

function apt(name) {
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
  };
  spawnSync('apt-get', ['update', '-q'], options);
  const result = spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], options);
  if (result.status !== 0) say('apt-get install ' + name + ' failed (exit code ' + result.status + '); its own message is above');
}

function main(args) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    fail('Wherry needs Node 20 or newer to install itself (it then brings its own Node 24); this is Node ' + process.versions.node + '.');
  installPackages();
  const tryAt = args.includes('--try') ? args.indexOf('--try') : args.length;
  for (const wish of args.slice(0, tryAt)) installProgram(wish, false);
  for (const wish of args.slice(tryAt + 1)) installProgram(wish, true);
}

main(process.argv.slice(2));
