import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/**
 * What happens to a call instead of passing through.
 *
 * - `delay`: forwarded after `ms`.
 * - `reset`: the connection is cut before anything reaches the backend.
 * - `blackHole`: never forwarded, never answered.
 * - `lostResponse`: forwarded and done, but the connection is cut instead of the answer.
 * - `error`: answered with an error of AWS, such as `{ code: 'ThrottlingException', status: 400 }`, in JSON where the call names its
 *   operation in a header, else in XML as S3 and SNS write it.
 */
export type HttpFault =
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'blackHole' }
  | { readonly kind: 'lostResponse' }
  | { readonly kind: 'error'; readonly code: string; readonly status: number; readonly message?: string };

/** A fault for calls of one operation: the part of `X-Amz-Target` behind the dot, or the path where there is none; `*` is all. */
export interface FaultRule {
  readonly operation: string;
  readonly fault: HttpFault;
  /** How many calls it hits before it is used up; without it, all of them. */
  readonly times?: number;
}

/** An HTTP proxy in the test process, in front of one backend. */
export interface FaultProxy {
  readonly url: string;
  /** Adds a rule; the oldest that fits decides. Returns a function that takes it away. */
  inject(rule: FaultRule): () => void;
  /** Takes all rules away. */
  clear(): void;
  /** Calls of an operation that arrived so far, faulty ones included. */
  count(operation: string): number;
  /** Resolves as soon as `count(operation)` has reached `calls`. */
  arrived(operation: string, calls: number): Promise<void>;
  close(): Promise<void>;
}

interface LiveRule {
  readonly operation: string;
  readonly fault: HttpFault;
  left: number;
}

interface Waiter {
  readonly operation: string;
  readonly calls: number;
  readonly wake: () => void;
}

/** Starts a proxy on a free loopback port that passes every call to `backendUrl` until a fault is injected. */
export async function startFaultProxy(backendUrl: string): Promise<FaultProxy> {
  const rules = new Set<LiveRule>();
  const counts = new Map<string, number>();
  const waiters = new Set<Waiter>();
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const count = (operation: string): number => counts.get(operation) ?? 0;

  const arrive = (operation: string): void => {
    counts.set(operation, count(operation) + 1);
    for (const waiter of waiters) {
      if (waiter.operation !== operation || count(operation) < waiter.calls) continue;
      waiters.delete(waiter);
      waiter.wake();
    }
  };
  const takeFault = (operation: string): HttpFault | undefined => {
    for (const rule of rules) {
      if (rule.operation !== '*' && rule.operation !== operation) continue;
      rule.left -= 1;
      if (rule.left <= 0) rules.delete(rule);
      return rule.fault;
    }
    return undefined;
  };

  const server = createServer((incoming, answer) => {
    const operation = operationOf(incoming);
    const fault = takeFault(operation);
    arrive(operation);
    if (fault?.kind === 'delay') {
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (!answer.destroyed) forward(backendUrl, incoming, answer, false);
      }, fault.ms);
      timers.add(timer);
    } else if (fault === undefined || fault.kind === 'lostResponse') {
      forward(backendUrl, incoming, answer, fault !== undefined);
    } else {
      refuse(fault, incoming, answer);
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    inject: ({ operation, fault, times = Infinity }) => {
      const rule = { operation, fault, left: times };
      rules.add(rule);
      return () => void rules.delete(rule);
    },
    clear: () => rules.clear(),
    count,
    arrived: (operation, calls) =>
      new Promise((resolve) => {
        if (count(operation) >= calls) resolve();
        else waiters.add({ operation, calls, wake: resolve });
      }),
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function operationOf(incoming: IncomingMessage): string {
  const target = incoming.headers['x-amz-target'];
  return typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : (incoming.url ?? '/');
}

function forward(backendUrl: string, incoming: IncomingMessage, answer: ServerResponse, isLost: boolean): void {
  const { method, headers } = incoming;
  const outgoing = httpRequest(new URL(incoming.url ?? '/', backendUrl), { ...(method === undefined ? {} : { method }), headers });
  outgoing.once('response', (response) => {
    if (isLost) {
      response.resume();
      response.once('end', () => incoming.socket.destroy());
      return;
    }
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  // A backend that is gone looks to the caller as it would without the proxy: a cut connection.
  outgoing.once('error', () => incoming.socket.destroy());
  // The caller has given up: so must the backend, or a long poll would take the next message for nobody.
  answer.once('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function refuse(fault: Exclude<HttpFault, { kind: 'delay' | 'lostResponse' }>, incoming: IncomingMessage, answer: ServerResponse): void {
  incoming.resume();
  if (fault.kind === 'blackHole') return;
  if (fault.kind === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  const { body, headers } = incoming.headers['x-amz-target'] === undefined ? xmlError(fault, incoming.url ?? '/') : jsonError(fault);
  answer.writeHead(fault.status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

type ErrorFault = Extract<HttpFault, { kind: 'error' }>;

function jsonError({ code, message = 'injected' }: ErrorFault): { body: string; headers: Record<string, string> } {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': code };
  return { body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }), headers };
}

/** Services of the query protocol, which have no path, wrap their error once more. */
function xmlError({ code, message = 'injected' }: ErrorFault, path: string): { body: string; headers: Record<string, string> } {
  const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  const body = path === '/' ? `<ErrorResponse>${error}</ErrorResponse>` : error;
  return { body: `<?xml version="1.0" encoding="UTF-8"?>${body}`, headers: { 'content-type': 'application/xml' } };
}
