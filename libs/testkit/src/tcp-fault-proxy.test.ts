import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTcpFaultProxy, type TcpFaultProxy } from './tcp-fault-proxy.ts';

let proxy: TcpFaultProxy;
let backend: Server;
let received: string;

beforeEach(async () => {
  received = '';
  // Echoes in upper case, so that an answer is told from a request.
  backend = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk.toString();
      socket.write(chunk.toString().toUpperCase());
    });
  }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  proxy = await startTcpFaultProxy((backend.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  backend.close();
});

async function open(): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

/** Resolves when the connection is gone, by a reset as well. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function ask(socket: Socket, text: string): Promise<string> {
  const answered = once(socket, 'data');
  socket.write(text);
  return String((await answered)[0]);
}

test('bytes pass both ways', async () => {
  const socket = await open();
  expect(await ask(socket, 'ping')).toBe('PING');
  expect(proxy.connections()).toBe(1);
});

test('a black hole keeps the connection and the bytes, which arrive when it is over', async () => {
  const socket = await open();
  await ask(socket, 'a');
  await proxy.setMode('blackHole');
  const answered = once(socket, 'data');
  socket.write('b');
  const late = await open();
  late.write('c');
  expect(received).toBe('a');
  await proxy.setMode('pass');
  expect(String((await answered)[0])).toBe('B');
  expect(String((await once(late, 'data'))[0])).toBe('C');
});

test('a reset cuts open connections and every new one, until it passes again', async () => {
  const socket = await open();
  await ask(socket, 'a');
  const cut = closed(socket);
  await proxy.setMode('reset');
  await cut;
  const refused = connect(proxy.port, '127.0.0.1');
  refused.on('error', () => {});
  await closed(refused);
  await proxy.setMode('pass');
  expect(await ask(await open(), 'b')).toBe('B');
});

test('refuse closes the port, and pass opens the same one again', async () => {
  const socket = await open();
  const cut = closed(socket);
  await proxy.setMode('refuse');
  await cut;
  const failed = connect(proxy.port, '127.0.0.1');
  expect(await once(failed, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  await proxy.setMode('pass');
  expect(await ask(await open(), 'b')).toBe('B');
});

test('a dropped reply was a command that was done', async () => {
  const socket = await open();
  await ask(socket, 'a');
  proxy.dropNextReply();
  const cut = closed(socket);
  socket.write('b');
  await cut;
  expect(received).toBe('ab');
  expect(await ask(await open(), 'c')).toBe('C');
});

test('a delay keeps the order of answers', async () => {
  const socket = await open();
  let answers = '';
  socket.on('data', (chunk) => (answers += chunk.toString()));
  proxy.setDelay(20);
  socket.write('a');
  await expect.poll(() => received).toBe('a');
  proxy.setDelay(0);
  socket.write('b');
  await expect.poll(() => answers).toHaveLength(2);
  expect(answers).toBe('AB');
});
