import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Child, Children } from './children.ts';
import { credentials } from './emulators.ts';
import { freePort } from './free-port.ts';

/** A poller process of the demo. */
export interface Poller {
  readonly name: string;
  readonly child: Child;
  /** Base URL of its admin listener. */
  readonly adminUrl: string;
}

const wherryMain = fileURLToPath(new URL('../../ctl/src/main.ts', import.meta.url));
export const demoConfig = fileURLToPath(new URL('../wherry.yaml', import.meta.url));

/** The Redis that the demo shall use instead of one of its own. */
export function givenRedis(): string | undefined {
  const url = process.env['REDIS_URL'];
  return url === '' ? undefined : url;
}

/**
 * Finds a Redis: `REDIS_URL` if set, else a redis-server or valkey-server on PATH, started on a free port and writing nothing
 * to disk.
 * @throws Error with the ways to get one, when there is none
 */
export async function startRedis(children: Children): Promise<{ url: string; what: string }> {
  const given = givenRedis();
  if (given !== undefined) return { url: given, what: 'Redis from REDIS_URL' };
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

/** Starts one poller exactly as a user would. @param env what the configuration interpolates */
export async function startPoller(children: Children, name: string, env: Readonly<Record<string, string>>): Promise<Poller> {
  const child = children.start(name, process.execPath, [wherryMain, 'poller', '--config', demoConfig], {
    ...process.env,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    WHERRY_POLLER_NAME: name,
    ...env,
  });
  const adminUrl = await child.waitForLine((line) => {
    if (!line.includes('"listening"')) return undefined;
    return (JSON.parse(line) as { url?: string }).url;
  });
  return { name, child, adminUrl };
}

/** Poller slots of queues, and shards of streams. */
export interface Units {
  readonly slots: number;
  readonly shards: number;
}

/** What one poller says of the whole fleet in `/v1/status`. */
export interface FleetView {
  /** Token of the poller that answered. */
  readonly poller: string;
  /** Tokens of the pollers that are alive. */
  readonly alive: readonly string[];
  /** What the fleet wishes to be held by somebody, what is, and what the answering poller holds. */
  readonly wished: Units;
  readonly held: Units;
  readonly here: Units;
}

interface MappingView {
  readonly slots: { readonly desired: number; readonly held: number; readonly here: number };
  readonly shards: { readonly readable: number; readonly held: number; readonly here: readonly unknown[] } | null;
}

/** Asks a poller what the fleet does; `undefined` when it does not answer. */
export async function fleetView(poller: Poller): Promise<FleetView | undefined> {
  try {
    const response = await fetch(`${poller.adminUrl}/v1/status`, { signal: AbortSignal.timeout(1_000) });
    const status = (await response.json()) as { poller: string; pollers: { token: string }[]; mappings: MappingView[] };
    const sum = (count: (mapping: MappingView) => number): number => status.mappings.reduce((total, mapping) => total + count(mapping), 0);
    return {
      poller: status.poller,
      alive: status.pollers.map((member) => member.token),
      wished: { slots: sum(({ slots }) => slots.desired), shards: sum(({ shards }) => shards?.readable ?? 0) },
      held: { slots: sum(({ slots }) => slots.held), shards: sum(({ shards }) => shards?.held ?? 0) },
      here: { slots: sum(({ slots }) => slots.here), shards: sum(({ shards }) => shards?.here.length ?? 0) },
    };
  } catch {
    // Gone, or on its way out.
    return undefined;
  }
}

/** True if everything that the fleet wishes to be held is held by some live poller. */
export function isFullyHeld({ wished, held }: FleetView): boolean {
  return held.slots >= wished.slots && held.shards >= wished.shards;
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
