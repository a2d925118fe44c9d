import { execFileSync } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Child, Children } from './children.ts';

/** A poller process of the demo. */
export interface Poller {
  readonly name: string;
  readonly child: Child;
  /** Base URL of its admin listener. */
  readonly adminUrl: string;
}

const wherryMain = fileURLToPath(new URL('../../ctl/src/main.ts', import.meta.url));
const emulatorMain = fileURLToPath(new URL('./sqs-emulator.ts', import.meta.url));
export const demoConfig = fileURLToPath(new URL('../wherry.yaml', import.meta.url));

/**
 * Finds a Redis: `REDIS_URL` if set, else a redis-server or valkey-server on PATH, started on a free port and writing nothing
 * to disk.
 * @throws Error with the ways to get one, when there is none
 */
export async function startRedis(children: Children): Promise<{ url: string; what: string }> {
  const given = process.env['REDIS_URL'];
  if (given !== undefined && given !== '') return { url: given, what: 'Redis from REDIS_URL' };
  for (const program of ['redis-server', 'valkey-server']) {
    const version = versionOf(program);
    if (version === undefined) continue;
    const port = await freePort();
    const child = children.start(
      program,
      program,
      [
        `--port ${port} --bind 127.0.0.1 --appendonly no --maxmemory-policy noeviction --daemonize no`.split(' '),
        ['--dir', tmpdir(), '--save', ''],
      ].flat(),
    );
    await child.waitForLine((line) => (line.includes('Ready to accept connections') ? true : undefined));
    return { url: `redis://127.0.0.1:${port}`, what: `${program} ${version} on 127.0.0.1:${port}` };
  }
  throw new Error(
    'no Redis found. Any one of these is enough:\n' +
      '    install it:          apt-get install redis-server   (or: brew install redis, dnf install redis)\n' +
      '    run it in Docker:    docker run --rm -p 6379:6379 redis:7, then REDIS_URL=redis://127.0.0.1:6379 npm start\n' +
      '    use one you have:    REDIS_URL=redis://host:6379 npm start',
  );
}

/** Starts the SQS emulator in a process of its own. @returns its endpoint */
export async function startEmulator(children: Children): Promise<string> {
  const child = children.start('sqs-emulator', process.execPath, [emulatorMain, '--port', '0']);
  return child.waitForLine((line) => /(http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]);
}

/** Starts one poller exactly as a user would. @param env what the configuration interpolates */
export async function startPoller(children: Children, name: string, env: Readonly<Record<string, string>>): Promise<Poller> {
  const child = children.start(name, process.execPath, [wherryMain, 'poller', '--config', demoConfig], {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'demo',
    AWS_SECRET_ACCESS_KEY: 'demo',
    WHERRY_POLLER_NAME: name,
    ...env,
  });
  const adminUrl = await child.waitForLine((line) => {
    if (!line.includes('"listening"')) return undefined;
    return (JSON.parse(line) as { url?: string }).url;
  });
  return { name, child, adminUrl };
}

/** How many leases a poller says it holds, from its metrics; 0 when it does not answer. */
export async function leasesHeld(poller: Poller): Promise<number> {
  try {
    const response = await fetch(`${poller.adminUrl}/metrics`, { signal: AbortSignal.timeout(1_000) });
    const line = /^wherry_leases_held(?:\{[^}]*\})? (\d+)/m.exec(await response.text());
    return Number(line?.[1] ?? 0);
  } catch {
    // A poller that was just killed cannot answer; that is what the caller wants to know.
    return 0;
  }
}

/** What one poller says of the whole fleet in `/v1/status`; `undefined` when it does not answer. */
export interface FleetView {
  /** Token of the poller that answered. */
  readonly poller: string;
  /** Tokens of the pollers that are alive. */
  readonly alive: readonly string[];
  /** Every slot that the fleet wishes for is held by some live poller. */
  readonly isFullyHeld: boolean;
}

export async function fleetView(poller: Poller): Promise<FleetView | undefined> {
  try {
    const response = await fetch(`${poller.adminUrl}/v1/status`, { signal: AbortSignal.timeout(1_000) });
    const status = (await response.json()) as {
      poller: string;
      pollers: { token: string }[];
      mappings: { slots: { desired: number; held: number } }[];
    };
    return {
      poller: status.poller,
      alive: status.pollers.map((member) => member.token),
      isFullyHeld: status.mappings.every(({ slots }) => slots.held >= slots.desired),
    };
  } catch {
    // Gone, or on its way out.
    return undefined;
  }
}

/** True once the poller says that it polls. */
export async function isReady(poller: Poller): Promise<boolean> {
  try {
    return (await fetch(`${poller.adminUrl}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    // Not listening yet, or gone.
    return false;
  }
}

function versionOf(program: string): string | undefined {
  try {
    const text = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /v=([\d.]+)/.exec(text)?.[1] ?? 'found';
  } catch {
    // Not on PATH.
    return undefined;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
