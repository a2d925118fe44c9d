import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { SimClock } from '@wherry/testkit/sim-clock';
import { afterEach, describe, expect, it } from 'vitest';
import type { ResolveName } from './address-guard.ts';
import { HttpClient } from './http-client.ts';
import { MAX_RESPONSE_BYTES, type HttpOutcome } from './http-exchange.ts';

const OPEN = { blockPrivate: false, allow: [] };
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function listen(server: TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function httpServer(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  const port = await listen(server);
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

async function tcpServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    onSocket(socket);
  });
  const port = await listen(server);
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

function setup(options: { resolve?: ResolveName; network?: { blockPrivate: boolean; allow: string[] } } = {}) {
  const clock = new SimClock();
  const client = new HttpClient({ clock: clock.clock(), network: OPEN, ...options });
  cleanups.push(() => client.close());
  const post = (
    url: string,
    extra: { headers?: Record<string, string>; body?: Uint8Array; signal?: AbortSignal } = {},
  ): Promise<HttpOutcome> =>
    client.post({
      url: new URL(url),
      headers: {},
      body: Buffer.from('{}'),
      deadlineMs: 3_000,
      signal: new AbortController().signal,
      ...extra,
    });
  return { clock, client, post };
}

/** Resolves every name to the next list of addresses. */
function resolving(...answers: string[][]): ResolveName {
  let turn = 0;
  return (_hostname, _options, callback) => {
    const addresses = answers[Math.min(turn++, answers.length - 1)]!;
    callback(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
}

describe('HttpClient', () => {
  it('sends what it is given and returns status, headers and body', async () => {
    const url = await httpServer((request, response) => {
      response.writeHead(201, {
        'X-Seen': `${request.method} ${request.url} ${String(request.headers['x-a'])} ${String(request.headers['accept-encoding'])}`,
      });
      request.pipe(response);
    });
    const { post } = setup();
    const outcome = await post(`${url}/p?q=1`, { headers: { 'x-a': 'b' }, body: Buffer.from('{"a":1}') });
    expect(outcome).toMatchObject({ kind: 'answer', status: 201, headers: { 'x-seen': 'POST /p?q=1 b identity' } });
    expect(outcome.kind === 'answer' && Buffer.from(outcome.body).toString()).toBe('{"a":1}');
  });

  it('does not follow redirects', async () => {
    let calls = 0;
    const url = await httpServer((_request, response) => {
      calls++;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect(await setup().post(url)).toMatchObject({ kind: 'answer', status: 307 });
    expect(calls).toBe(1);
  });

  it('does not decompress', async () => {
    const packed = gzipSync('x'.repeat(1_000));
    const url = await httpServer((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed));
    const outcome = await setup().post(url);
    expect(outcome.kind === 'answer' && Buffer.compare(outcome.body, packed)).toBe(0);
  });

  it('takes an answer of exactly the limit and cuts off what is clearly over it', async () => {
    const url = await httpServer((request, response) => {
      const bytes = Number(request.url!.slice(1));
      // No content-length, so that only counting helps; an endless answer, so that only cutting off helps.
      response.write(Buffer.alloc(bytes, 120));
      if (bytes === MAX_RESPONSE_BYTES) response.end();
    });
    const { post } = setup();
    const fits = await post(`${url}/${MAX_RESPONSE_BYTES}`);
    expect(fits.kind === 'answer' && fits.body.length).toBe(MAX_RESPONSE_BYTES);
    expect(await post(`${url}/${MAX_RESPONSE_BYTES + 2_000}`)).toEqual({ kind: 'responseTooLarge', status: 200 });
  });

  it('cuts off by the announced length without reading the body', async () => {
    const url = await httpServer((_request, response) => response.writeHead(200, { 'content-length': '99999999' }).flushHeaders());
    expect(await setup().post(url)).toEqual({ kind: 'responseTooLarge', status: 200 });
  });

  it('cuts off a flood of headers', async () => {
    const url = await tcpServer((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${'x-flood: '.padEnd(1_000, 'y')}\r\n`.repeat(1)));
      socket.once('data', () => socket.write(`${'x-flood: '.padEnd(1_000, 'y')}\r\n`.repeat(40)));
    });
    expect(await setup().post(url)).toMatchObject({ kind: 'responseTooLarge' });
  });

  it('says that nothing was sent when the connection is refused', async () => {
    const url = await httpServer(() => {});
    await cleanups.pop()!();
    expect(await setup().post(url)).toEqual({ kind: 'failed', sent: false, reason: `connection refused (${new URL(url).host})` });
  });

  it.each([
    ['before the answer', '', /connection lost before the answer/],
    ['in the middle of the body', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', /answer was cut off/],
  ])('reports a connection cut %s as sent', async (_when, partial, reason) => {
    const url = await tcpServer((socket) => socket.once('data', () => socket.end(partial)));
    expect(await setup().post(url)).toEqual({ kind: 'failed', sent: true, reason: expect.stringMatching(reason) });
  });

  it('never sends a request again when a reused connection is cut', async () => {
    const bodies: string[] = [];
    let reused = 0;
    const sockets = new WeakSet<Socket>();
    const url = await httpServer(async (request, response) => {
      if (sockets.has(request.socket)) reused++;
      sockets.add(request.socket);
      const body = (await request.toArray()).join('');
      bodies.push(body);
      if (body.startsWith('{"b"')) request.socket.resetAndDestroy();
      else response.end();
    });
    const { post } = setup();
    for (let round = 0; round < 5; round++) {
      expect(await post(url, { body: Buffer.from(`{"a":${round}}`) })).toMatchObject({ kind: 'answer' });
      expect(await post(url, { body: Buffer.from(`{"b":${round}}`) })).toMatchObject({ kind: 'failed', sent: true });
    }
    expect(bodies).toHaveLength(10);
    expect(new Set(bodies).size).toBe(10);
    expect(reused).toBeGreaterThan(0);
  });

  it('gives up at the deadline while the answer trickles in, and closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const url = await httpServer((request, response) => {
      response.on('close', () => closed.resolve());
      response.write('{');
      request.resume();
      started.resolve();
    });
    const { clock, post } = setup();
    const outcome = post(url);
    await started.promise;
    await clock.advance(2_999);
    await clock.advance(1);
    expect(await outcome).toEqual({ kind: 'timedOut' });
    await closed.promise;
  });

  it('tells a missing connection from a missing answer at the deadline', async () => {
    const { clock, post } = setup({ resolve: () => {} });
    const outcome = post('http://orders.internal/');
    await clock.advance(3_000);
    expect(await outcome).toEqual({ kind: 'failed', sent: false, reason: 'no connection to orders.internal within 3000 ms' });
  });

  it('never sends a request whose caller gave up while the connection was being made', async () => {
    let connections = 0;
    const resolver = Promise.withResolvers<Parameters<ResolveName>[2]>();
    const seen = Promise.withResolvers<string>();
    const url = await tcpServer((socket) => {
      connections++;
      socket.once('data', (data) => seen.resolve(data.toString()));
      socket.once('close', () => seen.resolve('closed'));
    });
    const { post } = setup({ resolve: (_name, _options, callback) => resolver.resolve(callback) });
    const stop = new AbortController();
    const outcome = post(url.replace('127.0.0.1', 'orders.internal'), { signal: stop.signal });
    const connect = await resolver.promise;
    stop.abort();
    expect(await outcome).toEqual({ kind: 'aborted', sent: false });
    connect(null, [{ address: '127.0.0.1', family: 4 }]);
    expect(await seen.promise).toBe('closed');
    expect(connections).toBe(1);
  });

  it('leaves no listener on a signal that outlives the call', async () => {
    const url = await httpServer((_request, response) => response.end());
    const { post } = setup();
    const stop = new AbortController();
    let listeners = 0;
    const signal = Object.assign(stop.signal, {
      addEventListener: () => listeners++,
      removeEventListener: () => listeners--,
    });
    await post(url, { signal });
    expect(listeners).toBe(0);
  });

  it('refuses a header it cannot write, without throwing', async () => {
    expect(await setup().post('http://127.0.0.1:1/', { headers: { 'x-a': 'b\r\nc: d' } })).toMatchObject({ kind: 'refused' });
  });

  it('fails calls after close', async () => {
    const { client, post } = setup();
    await client.close();
    cleanups.pop();
    expect(await post('http://127.0.0.1:1/')).toMatchObject({ kind: 'failed', sent: false });
  });
});

describe('HttpClient and forbidden addresses', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://169.254.170.2/',
    'http://169.254.170.23/',
    'http://2852039166/',
    'http://0xa9.0376.43518/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fe80::1]/',
    'ftp://orders.internal/',
    'http://user:pass@orders.internal/',
  ])('refuses %s', async (url) => {
    expect(await setup().post(url)).toMatchObject({ kind: 'refused' });
  });

  it.each(['169.254.169.254', 'fd00:ec2::254', 'fe80::1', '::ffff:a9fe:a9fe'])('refuses a name that resolves to %s', async (address) => {
    const outcome = await setup({ resolve: resolving([address]) }).post('http://orders.internal/');
    expect(outcome).toEqual({ kind: 'refused', reason: expect.stringContaining('orders.internal cannot be called') });
  });

  it('checks again at every connect, so that a name may not turn to a forbidden address later', async () => {
    let calls = 0;
    const url = await httpServer((_request, response) => {
      calls++;
      response.writeHead(200, { connection: 'close' }).end();
    });
    const { post } = setup({ resolve: resolving(['127.0.0.1'], ['169.254.169.254']) });
    const named = url.replace('127.0.0.1', 'orders.internal');
    expect(await post(named)).toMatchObject({ kind: 'answer' });
    expect(await post(named)).toMatchObject({ kind: 'refused' });
    expect(calls).toBe(1);
  });

  it('connects to the permitted one of several addresses', async () => {
    const url = await httpServer((_request, response) => response.end());
    const { post } = setup({ resolve: resolving(['169.254.169.254', '127.0.0.1']) });
    expect(await post(url.replace('127.0.0.1', 'orders.internal'))).toMatchObject({ kind: 'answer' });
  });

  it('blocks loopback and private addresses only when told to, and leaves allowed ranges open', async () => {
    const url = await httpServer((_request, response) => response.end());
    const named = url.replace('127.0.0.1', 'orders.internal');
    const resolve = resolving(['127.0.0.1']);
    const blocked = setup({ resolve, network: { blockPrivate: true, allow: [] } });
    expect(await blocked.post(url)).toMatchObject({ kind: 'refused' });
    expect(await blocked.post(named)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('network.blockPrivate') });
    const allowed = setup({ resolve, network: { blockPrivate: true, allow: ['127.0.0.0/8'] } });
    expect(await allowed.post(url)).toMatchObject({ kind: 'answer' });
    expect(await allowed.post(named)).toMatchObject({ kind: 'answer' });
  });
});
