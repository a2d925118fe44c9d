/**
 * The one HTTP client of every target. It sends a POST once: it follows no redirect, repeats nothing and decompresses
 * nothing, and it has one deadline for everything from connecting to the last byte of the answer.
 *
 * What is undici's part was read in version 8.12: a request is written to a socket at most once as long as pipelining is 1
 * and HTTP/2 is off (there, requests of a closed session go back to the queue); the tests cut sockets to hold it to that.
 */
import { Agent } from 'undici';
import { urlRefusal, type NetworkPolicy } from '@wherry/core/address';
import type { Clock } from '@wherry/core/clock';
import { headerProblem } from '@wherry/core/header';
import { guardedLookup, type ResolveName } from './address-guard.ts';
import { HttpExchange, type HttpOutcome } from './http-exchange.ts';

/** Node servers close idle connections after 5 s; leaving a second earlier keeps a request from meeting the close. */
const IDLE_SOCKET_MS = 4_000;

/** How much earlier than a server's own `Keep-Alive: timeout=` an idle connection is dropped. */
const IDLE_SOCKET_LEAD_MS = 1_000;

/** Long enough for a distant region, short enough to tell a dead host from a slow function [I]. */
const CONNECT_TIMEOUT_MS = 5_000;

/** All response headers together, in bytes; Node's own default. */
const MAX_RESPONSE_HEADER_BYTES = 16_384;

/** Given to `abort` because without a reason it makes an error with a stack, for every request. */
const ANSWERED = 'answered';

/** What a client works with: time, the addresses it may call, and how names are resolved. */
export interface HttpClientOptions {
  readonly clock: Clock;
  readonly network: NetworkPolicy;
  /** Replaces `dns.lookup`. */
  readonly resolve?: ResolveName;
}

/** One POST. */
export interface HttpRequest {
  /** Not to be changed after the first call. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** For the whole exchange, from the moment of the call. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Keeps a pool of connections per origin. Never throws: what goes wrong is an `HttpOutcome`. */
export class HttpClient {
  readonly #clock: Clock;
  readonly #network: NetworkPolicy;
  readonly #agent: Agent;
  /** Answers of `urlRefusal`; targets call the same few URL objects again and again. */
  readonly #refusals = new WeakMap<URL, string | undefined>();
  readonly #running = new Set<Promise<HttpOutcome>>();
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#clock = options.clock;
    this.#network = options.network;
    this.#agent = new Agent({
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: IDLE_SOCKET_MS,
      keepAliveMaxTimeout: IDLE_SOCKET_MS,
      keepAliveTimeoutThreshold: IDLE_SOCKET_LEAD_MS,
      // 0 turns undici's own 300 s off: a function may run for 90 minutes, and the deadline below covers everything.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      connect: { lookup: guardedLookup(options.network, options.resolve), timeout: CONNECT_TIMEOUT_MS },
    });
  }

  async post(request: HttpRequest): Promise<HttpOutcome> {
    const refusal = this.#urlRefusal(request.url) ?? headersProblem(request.headers);
    if (refusal !== undefined) return { kind: 'refused', reason: refusal };
    if (this.#closed) return { kind: 'failed', reason: 'the invoker is closed', sent: false };
    if (request.signal.aborted) return { kind: 'aborted', sent: false };

    const exchange = new HttpExchange(request.url.host, request.deadlineMs);
    const answered = new AbortController();
    void this.#clock.sleep(request.deadlineMs, answered.signal).then(() => {
      exchange.expire();
    });
    const onAbort = (): void => {
      exchange.abort();
    };
    request.signal.addEventListener('abort', onAbort, { once: true });
    this.#running.add(exchange.outcome);
    try {
      this.#agent.dispatch(
        {
          origin: request.url.origin,
          path: `${request.url.pathname}${request.url.search}`,
          method: 'POST',
          headers: { ...request.headers, 'accept-encoding': 'identity' },
          body: request.body,
        },
        exchange,
      );
      return await exchange.outcome;
    } finally {
      answered.abort(ANSWERED);
      this.#running.delete(exchange.outcome);
      request.signal.removeEventListener('abort', onAbort);
    }
  }

  #urlRefusal(url: URL): string | undefined {
    if (!this.#refusals.has(url)) this.#refusals.set(url, urlRefusal(url.href, this.#network));
    return this.#refusals.get(url);
  }

  /** Waits for running exchanges and drops all connections; later calls fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running);
    // Not `Agent.close()`, which also waits for connections that are still being made for exchanges long given up.
    await this.#agent.destroy();
  }
}

function headersProblem(headers: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(headers)) {
    const problem = headerProblem(name, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
