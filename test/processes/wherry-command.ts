import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Root of the repository. */
export const root = new URL('../..', import.meta.url).pathname;

/** The launcher that `npx wherry` runs. */
export const launcher = join(root, 'apps/ctl/bin/wherry.js');

/** What a finished command left behind. */
export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is started. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Puts the command into a process group of its own, so that the whole group can be signalled. */
  readonly detached?: boolean;
  /** Called with each piece of standard output, for tests that wait for a line. */
  readonly onOutput?: (text: string, child: ChildProcess) => void;
}

/** Runs a command to its end, without a terminal. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, WHERRY_CONFIG: undefined, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.detached === true,
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onOutput?.(text, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs `wherry` as the launcher does on this Node. */
export function wherry(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return run(process.execPath, [launcher, ...args], options);
}

function isOfNpm(folder: string): boolean {
  return folder.endsWith(join('node_modules', '.bin')) || folder.includes('node-gyp-bin');
}

/** PATH as it was before npm put its own folders first: where the machine's own node and npm are. */
export function machinePath(): string {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !isOfNpm(folder))
    .join(delimiter);
}

/** The first executable of that name on the machine's own PATH. */
export function machineCommand(name: string): string | undefined {
  const paths = machinePath()
    .split(delimiter)
    .map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
