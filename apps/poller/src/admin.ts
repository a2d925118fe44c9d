import { createHash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { parseListen, reachableUrl, urlOf } from './admin-address.ts';
import type { StatusReport } from './status.ts';

/** Nothing that is sent here has a body worth more. */
const BODY_BYTES_MAX = 65_536;
const HEADERS_MS_MAX = 10_000;
const REQUEST_MS_MAX = 30_000;
const IDLE_MS_MAX = 5_000;
const REQUESTS_PER_SOCKET_MAX = 1_000;
const CONNECTIONS_MAX = 256;

/** One thing that has to be true before a poller is ready. */
export interface ReadinessCheck {
  readonly name: string;
  readonly isOk: boolean;
}

/** What a reload came to, as `POST /-/reload` answers it. */
export type ReloadAnswer =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'applied'; readonly needsRestart: readonly string[] }
  /** The errors in the text layout. */
  | { readonly outcome: 'refused'; readonly problems: string };

export interface AdminOptions {
  /** Tokens that may ask `/v1` and change state; read at each request, because a reload may change them. */
  readonly bearerTokens: () => readonly string[];
  readonly checks: () => readonly ReadinessCheck[];
  readonly metrics: { render(): Promise<string>; readonly contentType: string };
  /** Undefined before the fleet exists. */
  readonly status: () => StatusReport | undefined;
  readonly reload: () => Promise<ReloadAnswer>;
  readonly logger: Logger;
}

/**
 * The admin listener's routes.
 *
 * - `GET /livez`, `GET /healthz`: 200 while the event loop turns. Never asks Redis, or a blip of it would restart the whole fleet.
 * - `GET /readyz`: 200 or 503; `?verbose` lists the checks.
 * - `GET /metrics`: Prometheus text.
 * - `GET /v1/status`: JSON.
 * - `POST /-/reload`: looks at the configuration now.
 *
 * With `admin.auth.bearer.tokens`, `/v1` and `/-` want one of them. Without, `/v1` is open to whoever reaches the listener and `/-`
 * only to this machine. Health and metrics are always open: orchestrators and Prometheus ask them, and they hold no secrets.
 */
export function createAdmin(options: AdminOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    connectionTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: IDLE_MS_MAX,
    maxRequestsPerSocket: REQUESTS_PER_SOCKET_MAX,
    http: { headersTimeout: HEADERS_MS_MAX },
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  // Whatever is posted is read (up to the limit) and ignored: what is not parsed cannot be parsed wrongly.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null));

  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not found' }));
  app.setErrorHandler((error: { readonly statusCode?: number; readonly message?: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) options.logger.error({ err: error }, 'admin request failed');
    return reply.code(status).send({ error: status >= 500 ? 'internal error' : (error.message ?? 'bad request') });
  });

  for (const path of ['/livez', '/healthz']) app.get(path, (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', (request, reply) => sendReadiness(options.checks(), request, reply));
  app.get('/metrics', async (_request, reply) => reply.type(options.metrics.contentType).send(await options.metrics.render()));
  app.get('/v1/status', { onRequest: (request, reply) => requireToken(request, reply, options) }, (_request, reply) => {
    const report = options.status();
    return report === undefined ? reply.code(503).send({ error: 'the poller is starting' }) : reply.send(report);
  });
  app.post('/-/reload', { onRequest: (request, reply) => requireOperator(request, reply, options) }, async (_request, reply) => {
    const answer = await options.reload();
    return reply.code(answer.outcome === 'refused' ? 422 : 200).send(answer);
  });
  return app;
}

/** A running admin listener. */
export interface AdminListener {
  /** Where others reach it. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts to listen and logs the one line that names the real port.
 *
 * @param listen `admin.listen`; port 0 takes any free one
 * @throws Error that names `admin.listen` and what to do when the address cannot be taken
 */
export async function listenAdmin(app: FastifyInstance, listen: string, logger: Logger): Promise<AdminListener> {
  const wanted = parseListen(listen);
  try {
    await app.listen(wanted);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'the port is taken; choose another one, or 0 for any free one' : message;
    throw new Error(`admin.listen: cannot listen on ${listen}: ${why}`, { cause: error });
  }
  const { address, port } = app.server.address() as AddressInfo;
  const url = reachableUrl({ host: address, port });
  logger.info({ listener: 'admin', address, port, url: urlOf({ host: address, port }) }, 'listening');
  return { url, close: () => app.close() };
}

function sendReadiness(checks: readonly ReadinessCheck[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failed = checks.filter((check) => !check.isOk);
  const summary = failed.length === 0 ? 'ready' : `not ready: ${failed.map((check) => check.name).join(', ')}`;
  const isVerbose = Object.hasOwn(request.query as object, 'verbose');
  const lines = isVerbose ? checks.map((check) => `[${check.isOk ? '+' : '-'}] ${check.name}`) : [];
  return reply
    .code(failed.length === 0 ? 200 : 503)
    .type('text/plain')
    .send(`${[...lines, summary].join('\n')}\n`);
}

async function requireToken(request: FastifyRequest, reply: FastifyReply, options: AdminOptions): Promise<void> {
  const tokens = options.bearerTokens();
  if (tokens.length === 0 || hasToken(request, tokens)) return;
  await reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'a bearer token of admin.auth is needed' });
}

async function requireOperator(request: FastifyRequest, reply: FastifyReply, options: AdminOptions): Promise<void> {
  if (options.bearerTokens().length > 0) {
    await requireToken(request, reply, options);
    return;
  }
  // A page in a browser on this machine could post here too; browsers then send their origin.
  if (isLoopback(request.socket.remoteAddress ?? '') && request.headers.origin === undefined) return;
  await reply.code(403).send({ error: 'without admin.auth.bearer.tokens this is only allowed from the same machine' });
}

/** Compares digests, so that the time taken tells nothing about the token. */
function hasToken(request: FastifyRequest, tokens: readonly string[]): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) return false;
  // No early return: every token is compared.
  return tokens.filter((token) => timingSafeEqual(digest(token), digest(given))).length > 0;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
