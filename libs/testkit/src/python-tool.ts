import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryPath } from './repository.ts';

const run = promisify(execFile);

/** A Python environment with pinned packages, or the reason why there is none; a test prints the reason and skips. */
export type PythonTool =
  | { readonly kind: 'ready'; readonly python: string; readonly sitePackages: string }
  | { readonly kind: 'missing'; readonly reason: string };

/** What to install, and into which Python. */
export interface PythonToolRequest {
  /** Names the folder under `.cache/python/`. */
  readonly name: string;
  /** Absolute path of a pip requirements file in which every package, dependencies included, has one exact version. */
  readonly pinsFile: string;
  /** Acceptable minor versions, best first. */
  readonly versions?: readonly string[];
  /** Last touches to the fresh environment (stub modules, marker files); part of the installation, so it runs once. */
  readonly prepare?: (sitePackages: string) => Promise<void>;
}

/**
 * Makes sure that a virtual environment with exactly the pinned wheels exists, and says where its Python is.
 *
 * Python is looked for as `python3.N` on PATH and among pyenv's versions, because a pyenv shim on PATH fails for every
 * version that is not selected. Only wheels are installed: nothing of a package runs before the test imports it. The
 * environment is built beside its final place and renamed, so an interrupted or a simultaneous installation never leaves
 * half of one; a changed pins file gets a new folder.
 */
export async function ensurePythonTool(request: PythonToolRequest): Promise<PythonTool> {
  const versions = request.versions ?? ['3.13', '3.12', '3.11'];
  const pins = await readFile(request.pinsFile, 'utf8');
  const digest = createHash('sha256')
    .update(JSON.stringify([pins, versions]))
    .digest('hex')
    .slice(0, 12);
  const folder = repositoryPath(`.cache/python/${request.name}-${digest}`);
  const found = await inspect(folder);
  if (found !== undefined) return found;

  const building = `${folder}.${process.pid}`;
  const reasons: string[] = [];
  await mkdir(repositoryPath('.cache/python'), { recursive: true });
  for (const python of await findPythons(versions)) {
    try {
      await build(python, building, request);
      await rename(building, folder);
    } catch (error) {
      reasons.push(`${python}: ${lastLine(error)}`);
      await rm(building, { recursive: true, force: true });
    }
    // Looked at after a failure too: another process may have put its own in place while this one was building.
    const built = await inspect(folder);
    if (built !== undefined) return built;
  }
  const what = `${request.name} needs Python ${versions.join(' or ')} with venv and access to PyPI`;
  return { kind: 'missing', reason: reasons.length === 0 ? `${what}; no such Python was found` : `${what} (${reasons.join('; ')})` };
}

async function build(python: string, folder: string, request: PythonToolRequest): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await run(python, ['-m', 'venv', folder]);
  const flags = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-compile', '--no-deps', '--only-binary', ':all:'];
  await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', ...flags, '-r', request.pinsFile], { maxBuffer: 16 * 1024 * 1024 });
  const sitePackages = await findSitePackages(folder);
  if (sitePackages === undefined) throw new Error('the new environment has no site-packages folder');
  await request.prepare?.(sitePackages);
}

async function inspect(folder: string): Promise<PythonTool | undefined> {
  const sitePackages = await findSitePackages(folder);
  return sitePackages === undefined ? undefined : { kind: 'ready', python: join(folder, 'bin/python'), sitePackages };
}

async function findSitePackages(folder: string): Promise<string | undefined> {
  const names = await list(join(folder, 'lib'));
  const version = names.find((name) => name.startsWith('python3.'));
  return version === undefined ? undefined : join(folder, 'lib', version, 'site-packages');
}

async function findPythons(versions: readonly string[]): Promise<string[]> {
  const pyenv = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const installed = await list(pyenv);
  const candidates = versions.flatMap((version) => [
    `python${version}`,
    ...installed.filter((name) => name.startsWith(`${version}.`)).map((name) => join(pyenv, name, 'bin', `python${version}`)),
  ]);
  const working = await Promise.all(candidates.map(async (candidate) => ((await isVersion(candidate)) ? [candidate] : [])));
  return working.flat();
}

async function isVersion(candidate: string): Promise<boolean> {
  try {
    const { stdout } = await run(candidate, ['-c', 'import sys, venv, ensurepip; print("python%d.%d" % sys.version_info[:2])']);
    return stdout.trim() === basename(candidate);
  } catch {
    // Not installed, a shim of a version that is not selected, or a Debian Python without its venv package.
    return false;
  }
}

async function list(folder: string): Promise<string[]> {
  const exists = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  return exists ? await readdir(folder) : [];
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  const text = stderr === '' ? String(error) : stderr;
  return text.split('\n').at(-1) ?? text;
}
