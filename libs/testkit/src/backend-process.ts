import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** An emulator that runs as a process of its own. It ends with the test process, however that ends. */
export interface Backend {
  readonly url: string;
  /** Process id, for measuring. */
  readonly pid: number;
  /** Sends a signal at once: SIGSTOP to freeze it, SIGKILL to crash it. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Ends it in an orderly way, by force after five seconds, and waits until it is gone. Safe to call twice. */
  readonly stop: () => Promise<void>;
}

/** A backend, or why this machine cannot run it; a test prints the reason and skips. */
export type BackendStart = { readonly kind: 'started'; readonly backend: Backend } | { readonly kind: 'missing'; readonly reason: string };

/** How a backend is started and how it shows that it is up. */
export interface BackendCommand {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process; that of the test unless given. */
  readonly env?: NodeJS.ProcessEnv;
  /** Resolves to the base URL as soon as the process can be called. Looks at what it prints or asks it over HTTP. */
  readonly ready: (output: BackendOutput) => Promise<string>;
}

/** What a starting process has said so far. */
export interface BackendOutput {
  /** Resolves to the first line of standard output. */
  firstLine(): Promise<string>;
  /** Resolves to `baseUrl` when a GET of `baseUrl + path` answers 2xx; gives up when `signal` aborts. */
  answers(baseUrl: string, path: string): Promise<string>;
  /** Resolves to `baseUrl` when a GET of it is answered at all, as by a server that refuses what is not signed. */
  responds(baseUrl: string): Promise<string>;
}

/** How long a backend may take to start on a busy machine. */
const START_TIMEOUT_MS = 60_000;

const STOP_TIMEOUT_MS = 5_000;
const ASK_AGAIN_MS = 50;
const OUTPUT_KEPT = 8_000;

/** Starts a backend and waits until it can be called. Throws with what it printed when it ends or hangs before that. */
export async function startBackend(command: BackendCommand): Promise<Backend> {
  const [file, ...args] = [...diesWithParent(), command.command, ...command.args];
  const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'pipe'], env: command.env ?? process.env });
  const endNow = (): void => void child.kill('SIGKILL');
  process.once('exit', endNow);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', endNow);
      resolve();
    });
    child.once('error', () => resolve());
  });

  const starting = new AbortController();
  const printed = collectOutput(child);
  const failed = ended.then(() => Promise.reject(new Error(`${command.name} ended before it was ready:\n${printed.text()}`)));
  const timedOut = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command.name} was not ready in time:\n${printed.text()}`)), START_TIMEOUT_MS);
    starting.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    const output: BackendOutput = {
      firstLine: printed.firstLine,
      answers: (baseUrl, path) => answers(baseUrl, path, (response) => response.ok, starting.signal),
      responds: (baseUrl) => answers(baseUrl, '/', () => true, starting.signal),
    };
    const url = await Promise.race([command.ready(output), failed, timedOut]);
    return runningBackend(child, url, ended);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    failed.catch(() => {});
    starting.abort();
  }
}

/** The environment of the test without what would lead an emulator astray, and with `changes`. */
export function backendEnvironment(changes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  const misleading = ['PYTHONDONTWRITEBYTECODE', 'PYTHONPATH', 'PYTHONHOME', 'AWS_PROFILE', 'AWS_ENDPOINT_URL', 'DEBUG', 'PERSISTENCE'];
  for (const name of [...misleading, 'LOCALSTACK_AUTH_TOKEN']) delete env[name];
  return { ...env, NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost', ...changes };
}

/**
 * On Linux the kernel kills the backend when the thread that started it is gone, which also covers a test process that was
 * itself killed. Elsewhere the exit hook has to do.
 */
function diesWithParent(): string[] {
  const hasSetpriv = process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
  return hasSetpriv ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
}

function runningBackend(child: ChildProcess, url: string, ended: Promise<void>): Backend {
  return {
    url,
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      // A frozen process would keep the signal for later.
      child.kill('SIGCONT');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function collectOutput(child: ChildProcess): { text: () => string; firstLine: () => Promise<string> } {
  let text = '';
  let line = '';
  const firstLine = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-OUTPUT_KEPT);
      if (line.includes('\n')) return;
      line += chunk.toString();
      if (line.includes('\n')) resolve(line.slice(0, line.indexOf('\n')));
    });
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-OUTPUT_KEPT);
  });
  return { text: () => text, firstLine: () => firstLine };
}

async function answers(baseUrl: string, path: string, isGood: (response: Response) => boolean, signal: AbortSignal): Promise<string> {
  while (!signal.aborted) {
    const isUp = await fetch(`${baseUrl}${path}`, { signal }).then(isGood, () => false);
    if (isUp) return baseUrl;
    await once(AbortSignal.any([signal, AbortSignal.timeout(ASK_AGAIN_MS)]), 'abort');
  }
  return baseUrl;
}
