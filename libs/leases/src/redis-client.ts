import { readFileSync } from 'node:fs';
import type { Random } from '@wherry/core/clock';
import type { RedisSettings } from '@wherry/core/mapping';
import { Cluster, Redis } from 'ioredis';

/** One connection (or one per node of a cluster) that mends itself for as long as the process lives. */
export type RedisClient = Redis | Cluster;

/** What a client is given by the process that opens it. */
export interface RedisClientOptions {
  /** Spreads the reconnects of a fleet. */
  readonly random: Random;
  /** Called once each time Redis becomes usable. */
  readonly onUp: () => void;
  /** Called once each time it stops being so, and once when it is absent at start; the reason names no password. */
  readonly onDown: (reason: string) => void;
  /** Shown by `CLIENT LIST`. */
  readonly connectionName?: string;
}

/** A lease has to be renewed well within its ttl of 10 s, so an answer that takes longer than this is worth nothing. */
const COMMAND_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A connection on which nothing at all was heard for so long while commands wait is dead, whatever TCP says. */
const SILENT_SOCKET_MS = 6_000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 2_000;

/**
 * Opens Redis as the settings say: one server, a cluster or a sentinel group. Returns at once and never throws for an absent
 * Redis: the client keeps trying, and every call fails fast meanwhile. Nothing is queued or sent twice by the client, because a
 * command that arrives late speaks for a moment that has passed; callers repeat what is still true.
 *
 * The caller closes it with `disconnect()`.
 *
 * @throws Error when none or several of url, cluster and sentinel are given, or the CA file cannot be read
 */
export function createRedis(settings: RedisSettings, options: RedisClientOptions): RedisClient {
  const client = connect(settings, options);
  let state: 'unknown' | 'up' | 'down' = 'unknown';
  let lastError = 'the connection was closed';
  // Without a listener ioredis writes errors to the console.
  client.on('error', (error: Error) => (lastError = error.message));
  client.on('ready', () => {
    lastError = 'the connection was closed';
    if (state === 'up') return;
    state = 'up';
    options.onUp();
  });
  client.on('close', () => {
    if (state === 'down') return;
    state = 'down';
    options.onDown(lastError);
  });
  return client;
}

function connect(settings: RedisSettings, options: RedisClientOptions): RedisClient {
  const { url, cluster, sentinel } = settings;
  if ([url, cluster, sentinel].filter((way) => way !== undefined).length !== 1) {
    throw new Error('redis: exactly one of url, cluster and sentinel is needed');
  }
  const retry = (times: number): number => reconnectDelayMs(times, options.random);
  const common = commonOptions(settings, options);
  if (cluster !== undefined) {
    return new Cluster(cluster.map(hostAndPort), {
      clusterRetryStrategy: retry,
      enableOfflineQueue: false,
      slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
      redisOptions: common,
    });
  }
  const single = { ...common, retryStrategy: retry, enableOfflineQueue: false };
  if (sentinel !== undefined) {
    return new Redis({ ...single, name: sentinel.name, sentinels: sentinel.nodes.map(hostAndPort), sentinelRetryStrategy: retry });
  }
  return new Redis(url ?? '', single);
}

/** The options that one server, every node of a cluster and a sentinel's master share. The return type stays inferred: ioredis types the three differently. */
function commonOptions(settings: RedisSettings, options: RedisClientOptions) {
  const { password, tls } = settings;
  return {
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENT_SOCKET_MS,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
    // A failover behind one address leaves us on what is now a replica: connect again to find the master.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
    connectionName: options.connectionName ?? 'wherry',
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
  };
}

function tlsOptions(tls: NonNullable<RedisSettings['tls']>): { ca?: string; servername?: string } {
  return {
    ...(tls.ca === undefined ? {} : { ca: certificate(tls.ca) }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}

/** Full jitter over a doubling span: a fleet that lost its Redis does not come back in step. */
export function reconnectDelayMs(times: number, random: Random): number {
  const spanMs = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(times, 10));
  return Math.round(RECONNECT_MIN_MS + random() * (spanMs - RECONNECT_MIN_MS));
}

/** @param node `host`, `host:port` or a redis URL; the port is 6379 unless given */
function hostAndPort(node: string): { host: string; port: number } {
  const url = new URL(node.includes('://') ? node : `redis://${node}`);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 6379 : Number(url.port) };
}

/** @param ca PEM text, or the path of a file that holds it */
function certificate(ca: string): string {
  return ca.includes('-----BEGIN') ? ca : readFileSync(ca, 'utf8');
}
