import { afterEach, expect, test } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createAdmin, listenAdmin, type AdminOptions, type ReloadAnswer } from './admin.ts';
import type { StatusReport } from './status.ts';

const opened: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

function setup(given: Partial<AdminOptions> = {}) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  let reloads = 0;
  const app = createAdmin({
    bearerTokens: () => [],
    checks: () => [
      { name: 'redis', isOk: true },
      { name: 'claims', isOk: true },
    ],
    metrics: { render: () => Promise.resolve('wherry_redis_up 1\n'), contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    status: () => ({ fleet: 't1' }) as StatusReport,
    reload: (): Promise<ReloadAnswer> => {
      reloads += 1;
      return Promise.resolve({ outcome: 'applied', needsRestart: ['redis'] });
    },
    logger,
    ...given,
  });
  opened.push(app);
  return { app, lines, logger, reloads: () => reloads };
}

test.each(['/livez', '/healthz', '/livez/'])('%s answers while the process lives, whatever Redis does', async (url) => {
  const { app } = setup({ checks: () => [{ name: 'redis', isOk: false }] });
  expect(await app.inject(url)).toMatchObject({ statusCode: 200, body: 'ok\n' });
});

test('/readyz is 200 when every check holds, 503 with the names of those that do not', async () => {
  let isUp = false;
  const { app } = setup({
    checks: () => [
      { name: 'config', isOk: true },
      { name: 'redis', isOk: isUp },
    ],
  });
  expect(await app.inject('/readyz')).toMatchObject({ statusCode: 503, body: 'not ready: redis\n' });
  expect((await app.inject('/readyz?verbose')).body).toBe('[+] config\n[-] redis\nnot ready: redis\n');
  isUp = true;
  expect(await app.inject('/readyz')).toMatchObject({ statusCode: 200, body: 'ready\n' });
  expect((await app.inject('/readyz?verbose=1')).body).toBe('[+] config\n[+] redis\nready\n');
});

test('/metrics comes in Prometheus’s format', async () => {
  const answer = await setup().app.inject('/metrics');
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(answer.body).toBe('wherry_redis_up 1\n');
});

test('/v1/status is JSON, and 503 until there is a fleet', async () => {
  expect((await setup().app.inject('/v1/status')).json()).toEqual({ fleet: 't1' });
  expect(await setup({ status: () => undefined }).app.inject('/v1/status')).toMatchObject({ statusCode: 503 });
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const LOOPBACK = '127.0.0.1';
const OUTSIDE = '10.0.0.9';

const ACCESS = [
  { tokens: [], method: 'GET', url: '/v1/status', from: OUTSIDE, headers: {}, expected: 200 },
  { tokens: [], method: 'POST', url: '/-/reload', from: LOOPBACK, headers: {}, expected: 200 },
  { tokens: [], method: 'POST', url: '/-/reload', from: '::1', headers: {}, expected: 200 },
  { tokens: [], method: 'POST', url: '/-/reload', from: '::ffff:127.0.0.1', headers: {}, expected: 200 },
  { tokens: [], method: 'POST', url: '/-/reload', from: OUTSIDE, headers: {}, expected: 403 },
  { tokens: [], method: 'POST', url: '/-/reload', from: LOOPBACK, headers: { origin: 'https://evil.example' }, expected: 403 },
  { tokens: ['a', 'b'], method: 'POST', url: '/-/reload', from: LOOPBACK, headers: {}, expected: 401 },
  { tokens: ['a', 'b'], method: 'POST', url: '/-/reload', from: OUTSIDE, headers: bearer('b'), expected: 200 },
  { tokens: ['a', 'b'], method: 'POST', url: '/-/reload', from: OUTSIDE, headers: bearer('c'), expected: 401 },
  { tokens: ['a', 'b'], method: 'POST', url: '/-/reload', from: OUTSIDE, headers: { authorization: 'Basic YTpi' }, expected: 401 },
  { tokens: ['a'], method: 'GET', url: '/v1/status', from: LOOPBACK, headers: {}, expected: 401 },
  { tokens: ['a'], method: 'GET', url: '/v1/status', from: OUTSIDE, headers: bearer('a'), expected: 200 },
  { tokens: ['a'], method: 'GET', url: '/metrics', from: OUTSIDE, headers: {}, expected: 200 },
  { tokens: ['a'], method: 'GET', url: '/readyz', from: OUTSIDE, headers: {}, expected: 200 },
  { tokens: [], method: 'GET', url: '/-/reload', from: LOOPBACK, headers: {}, expected: 404 },
  { tokens: [], method: 'GET', url: '/nothing', from: LOOPBACK, headers: {}, expected: 404 },
] as const;

test.each(ACCESS)(
  '$method $url from $from with $headers and tokens $tokens: $expected',
  async ({ tokens, method, url, from, headers, expected }) => {
    const { app, reloads } = setup({ bearerTokens: () => tokens });
    const answer = await app.inject({ method, url, remoteAddress: from, headers });
    expect(answer.statusCode).toBe(expected);
    if (expected >= 400) expect(reloads()).toBe(0);
  },
);

test('a reload that is refused answers 422 with the errors; whatever body was sent does not matter', async () => {
  const { app } = setup({ reload: () => Promise.resolve({ outcome: 'refused', problems: 'error: …' }) });
  const answer = await app.inject({ method: 'POST', url: '/-/reload', headers: { 'content-type': 'application/json' }, body: '{not json' });
  expect([answer.statusCode, answer.json()]).toEqual([422, { outcome: 'refused', problems: 'error: …' }]);
});

test('a body above the limit is refused', async () => {
  const answer = await setup().app.inject({ method: 'POST', url: '/-/reload', body: 'x'.repeat(70_000) });
  expect(answer.statusCode).toBe(413);
});

test('an error of ours is logged, and tells the caller nothing', async () => {
  const { app, lines } = setup({ metrics: { render: () => Promise.reject(new Error('inside')), contentType: 'text/plain' } });
  const answer = await app.inject('/metrics');
  expect([answer.statusCode, answer.json()]).toEqual([500, { error: 'internal error' }]);
  expect(lines).toMatchObject([{ msg: 'admin request failed' }]);
});

test('listening logs one line with the real port, and a taken port is an error that names the setting', async () => {
  const { app, lines, logger } = setup();
  const listener = await listenAdmin(app, '127.0.0.1:0', logger);
  const port = Number(new URL(listener.url).port);
  expect(port).toBeGreaterThan(0);
  expect(lines).toEqual([
    {
      level: 30,
      time: expect.any(Number),
      listener: 'admin',
      address: '127.0.0.1',
      port,
      url: `http://127.0.0.1:${port}`,
      msg: 'listening',
    },
  ]);
  expect((await fetch(`${listener.url}/livez`)).status).toBe(200);
  const second = setup();
  await expect(listenAdmin(second.app, `127.0.0.1:${port}`, second.logger)).rejects.toThrow(
    `admin.listen: cannot listen on 127.0.0.1:${port}: the port is taken; choose another one, or 0 for any free one`,
  );
  await listener.close();
});
