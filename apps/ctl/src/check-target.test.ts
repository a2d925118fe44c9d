import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Target } from '@wherry/core/mapping';
import { sampleFunction } from '@wherry/testkit/sample-config';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkTarget } from './check-target.ts';

let server: Server;
let port: number;

beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});

afterEach(() => server.close());

/** A port on which nothing listens any more. */
async function closedPort(): Promise<number> {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port: free } = other.address() as { port: number };
  other.close();
  await once(other, 'close');
  return free;
}

const check = (target: Target, credentials: () => Promise<unknown> = () => Promise.resolve()) =>
  checkTarget(sampleFunction({ name: 'orders', target }), credentials);
const http = (url: string): Target => ({ kind: 'http', url, headers: {} });

test('a target that accepts connections is good', async () => {
  expect(await check(http(`http://127.0.0.1:${port}/orders`))).toEqual([]);
});

test('a target that refuses them is an error at its URL', async () => {
  const free = await closedPort();
  const findings = await check(http(`http://127.0.0.1:${free}/orders`));
  expect(findings).toMatchObject([
    { severity: 'error', code: 'target-unreachable', path: ['functions', 'orders', 'target', 'http', 'url'] },
  ]);
  expect(findings[0]?.message).toMatch(/^http:\/\/127\.0\.0\.1:\d+ does not accept a connection \(.*ECONNREFUSED.*\)$/);
});

test('a plain service behind an https URL fails in the handshake', async () => {
  server.on('connection', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  expect(await check(http(`https://127.0.0.1:${port}/`))).toMatchObject([{ severity: 'error', code: 'target-unreachable' }]);
});

test('each of several emulator URLs is checked and named by its place in the list', async () => {
  const free = await closedPort();
  const urls = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${free}`];
  expect(await check({ kind: 'rie', urls, concurrency: 1 })).toMatchObject([
    { path: ['functions', 'orders', 'target', 'rie', 'urls', '1'] },
  ]);
});

test('a Lambda function is not invoked, and the answer says what was checked instead', async () => {
  const aws = { region: 'eu-west-1', endpoint: `http://127.0.0.1:${port}`, maxAttempts: 3 };
  const findings = await check({ kind: 'lambda', functionName: 'orders', aws });
  expect(findings).toMatchObject([{ severity: 'notice', code: 'target-not-invoked', path: ['functions', 'orders', 'target', 'lambda'] }]);
  expect(findings[0]?.message).toContain('was not invoked');
});

test.each([
  ['CredentialsProviderError', 'no AWS credentials were found (CredentialsProviderError: said so)', 'AWS_ACCESS_KEY_ID'],
  ['AccessDenied', 'the AWS credentials could not be had (AccessDenied: said so)', 'aws sts get-caller-identity'],
])('a Lambda target without credentials (%s) is an error that says so', async (name, message, help) => {
  const aws = { region: 'eu-west-1', endpoint: `http://127.0.0.1:${port}`, maxAttempts: 3 };
  const refused = Object.assign(new Error('said so'), { name });
  const findings = await check({ kind: 'lambda', functionName: 'orders', aws }, () => Promise.reject(refused));
  expect(findings).toMatchObject([{ code: 'target-not-invoked' }, { severity: 'error', code: 'aws-credentials', message }]);
  expect(findings[1]?.help).toContain(help);
});
