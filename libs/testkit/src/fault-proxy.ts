import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CallFaults, operationOf, type HttpFault } from './call-faults.ts';

/** An HTTP proxy in the test process, in front of one backend. */
export interface FaultProxy extends Pick<CallFaults, 'inject' | 'clear' | 'count' | 'arrived'> {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a proxy on a free loopback port that passes every call to `backendUrl` until a fault is injected. */
export async function startFaultProxy(backendUrl: string): Promise<FaultProxy> {
  const faults = new CallFaults();
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();

  const server = createServer((incoming, answer) => {
    const fault = faults.take(operationOf(incoming.headers['x-amz-target'], incoming.url));
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
    inject: (rule) => faults.inject(rule),
    clear: () => faults.clear(),
    count: (operation) => faults.count(operation),
    arrived: (operation, calls) => faults.arrived(operation, calls),
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
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
