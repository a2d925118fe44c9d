import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** How a test wants its Redis. Without options nothing touches the disk and any free port is taken. */
export interface RedisServerOptions {
  /** An existing folder: turns the append-only file on, so that data survives `kill` followed by a new start on the same folder. */
  readonly appendDir?: string;
  /** Only with `appendDir`; `everysec` unless given. */
  readonly appendfsync?: 'always' | 'everysec' | 'no';
  /** A fixed port, to come back where a killed server was. */
  readonly port?: number;
  /** Further arguments for redis-server, such as `['--requirepass', 'secret']` or `['--cluster-enabled', 'yes']`. */
  readonly args?: readonly string[];
}

/** A redis-server process of one test. It dies with the test process at the latest. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Process id, for measuring. */
  readonly pid: number;
  /** Sends a signal: SIGSTOP and SIGCONT to freeze and thaw it, SIGKILL to crash it. */
  signal(name: NodeJS.Signals): void;
  /** Ends it without ceremony and waits until it is gone. Safe to call twice. */
  kill(): Promise<void>;
}

const MISSING = [
  'redis-server was not found, and this test needs a real Redis (7.0 or newer).',
  'Install it: `apt-get install redis-server` (Debian, Ubuntu), `apk add redis` (Alpine) or `brew install redis` (macOS);',
  'it only has to be on the PATH, no service has to run.',
].join('\n');

/** Starts a redis-server of its own for a test and waits until it answers. Throws, naming what to install, when there is none. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  // Somebody may take the free port between our look and Redis's bind; then another one is tried.
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const child = spawn('redis-server', serverArguments(port, options), { stdio: ['ignore', 'pipe', 'pipe'] });
    const failure = await ready(child);
    if (failure === undefined) return running(child, port);
    if (attempt >= 5 || !failure.includes('Address already in use')) throw new Error(failure);
  }
}

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has no port');
  server.close();
  await once(server, 'close');
  return address.port;
}

function serverArguments(port: number, options: RedisServerOptions): string[] {
  const persistence =
    options.appendDir === undefined
      ? ['--appendonly', 'no']
      : ['--appendonly', 'yes', '--appendfsync', options.appendfsync ?? 'everysec', '--dir', options.appendDir];
  const base = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'];
  return [...base, ...persistence, ...(options.args ?? [])];
}

/** Resolves to undefined when the server takes connections, else to what it said before it died. */
function ready(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new Error(MISSING) : error);
    });
    child.once('exit', (code, signal) => resolve(`redis-server ended (${code ?? signal}) before it was ready:\n${said}`));
    const listen = (chunk: Buffer): void => {
      if (said.length < 20_000) said += chunk.toString();
      if (said.includes('Ready to accept connections')) resolve(undefined);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
  });
}

function running(child: ChildProcess, port: number): RedisServer {
  const gone = once(child, 'exit');
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    kill: async () => {
      process.off('exit', killNow);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await gone;
    },
  };
}
