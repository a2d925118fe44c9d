import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';

let proxy: FaultProxy;
let done: string[];
let closeBackend: () => void;

beforeEach(async () => {
  done = [];
  const server = createServer((request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      done.push(body);
      response.writeHead(200, { 'x-kind': 'backend' }).end(`seen ${body}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeBackend = () => void server.close();
  proxy = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await proxy.close();
  closeBackend();
});

function call(operation: string, body = operation, signal?: AbortSignal): Promise<Response> {
  const headers = { 'x-amz-target': `AmazonSQS.${operation}` };
  return fetch(proxy.url, { method: 'POST', headers, body, ...(signal === undefined ? {} : { signal }) });
}

test('without rules calls pass, and are counted by operation', async () => {
  const response = await call('ReceiveMessage', 'hello');
  expect([response.status, response.headers.get('x-kind'), await response.text()]).toEqual([200, 'backend', 'seen hello']);
  expect([proxy.count('ReceiveMessage'), proxy.count('DeleteMessage')]).toEqual([1, 0]);
});

test('a rule hits its own operation as often as it says', async () => {
  proxy.inject({ operation: 'ReceiveMessage', fault: { kind: 'error', code: 'ThrottlingException', status: 400 }, times: 1 });
  expect((await call('DeleteMessage')).status).toBe(200);
  const refused = await call('ReceiveMessage');
  expect([refused.status, await refused.json()]).toEqual([400, { __type: 'com.amazonaws.sqs#ThrottlingException', message: 'injected' }]);
  expect((await call('ReceiveMessage')).status).toBe(200);
  expect(done).toEqual(['DeleteMessage', 'ReceiveMessage']);
});

test('a lost response is done by the backend and cut for the caller', async () => {
  proxy.inject({ operation: '*', fault: { kind: 'lostResponse' }, times: 1 });
  await expect(call('DeleteMessage')).rejects.toThrow('fetch failed');
  expect(done).toEqual(['DeleteMessage']);
});

test('a reset never reaches the backend', async () => {
  const heal = proxy.inject({ operation: '*', fault: { kind: 'reset' } });
  await expect(call('DeleteMessage')).rejects.toThrow('fetch failed');
  expect(done).toEqual([]);
  heal();
  expect((await call('DeleteMessage')).status).toBe(200);
});

test('a black hole takes the call and says nothing', async () => {
  proxy.inject({ operation: 'ReceiveMessage', fault: { kind: 'blackHole' } });
  const stop = new AbortController();
  const swallowed = call('ReceiveMessage', '', stop.signal);
  await proxy.arrived('ReceiveMessage', 1);
  stop.abort();
  await expect(swallowed).rejects.toThrow('aborted');
  expect(done).toEqual([]);
});

test('a delay hands the call on later', async () => {
  proxy.inject({ operation: 'First', fault: { kind: 'delay', ms: 30 }, times: 1 });
  const delayed = call('First');
  await proxy.arrived('First', 1);
  await call('Second');
  await delayed;
  expect(done).toEqual(['Second', 'First']);
});

test('a backend that is gone is a cut connection', async () => {
  closeBackend();
  await expect(call('ReceiveMessage')).rejects.toThrow('fetch failed');
});
