import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Backend } from '@wherry/testkit/backend-process';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { TargetServer } from '@wherry/testkit/target-server';
import { TestQueues, type TestQueue } from '@wherry/testkit/test-queues';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launcher, run, wherry } from './wherry-command.ts';

const MESSAGES = 25;
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

let folder: string;
let config: string;
let redis: RedisServer;
let sqs: Backend;
let target: TargetServer;
let queues: TestQueues;
let queue: TestQueue;

beforeAll(async () => {
  [folder, redis, sqs, target] = await Promise.all([
    mkdtemp(join(tmpdir(), 'wherry-smoke-')),
    startRedisServer(),
    startFauxqs(),
    TargetServer.start(),
  ]);
  queues = new TestQueues(sqs.url);
  queue = await queues.create({ name: 'orders' });
  config = join(folder, 'wherry.yaml');
  await writeFile(
    config,
    `version: 1
fleet: { id: t1, accountId: "000000000000", region: us-east-1 }
redis: { url: "${redis.url}" }
aws: { region: us-east-1, endpoint: "${sqs.url}" }
admin: { listen: 127.0.0.1:0 }
functions: { orders: { target: { http: { url: "${target.url}/orders" } }, Timeout: 5 } }
mappings: { orders: { EventSourceArn: "arn:aws:sqs:us-east-1:000000000000:orders", FunctionName: orders, BatchSize: 10 } }
`,
  );
});
afterAll(async () => {
  await Promise.all([redis.kill(), sqs.stop(), target.close()]);
  await rm(folder, { recursive: true, force: true });
});

interface RunningPoller {
  readonly child: ChildProcess;
  readonly adminUrl: string;
  readonly lines: () => Record<string, unknown>[];
}

/** Starts one poller and waits for the line that names its admin listener. */
async function startPoller(): Promise<RunningPoller> {
  const child = spawn(process.execPath, [launcher, 'poller', '--config', config], {
    env: { ...process.env, ...CREDENTIALS },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const lines = () =>
    output
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const adminUrl = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the poller exited with ${code}:\n${output}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const listening = lines().find((line) => line['msg'] === 'listening' && line['listener'] === 'admin');
      if (typeof listening?.['url'] === 'string') resolve(listening['url']);
    });
  });
  return { child, adminUrl, lines };
}

/** Asks again until the answer is as wanted; the test's own time-out ends it. */
async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const found = await ask();
    if (isGood(found)) return found;
    await once(AbortSignal.timeout(50), 'abort');
  }
}

interface SqsEvent {
  readonly Records: readonly {
    readonly messageId: string;
    readonly body: string;
    readonly eventSource: string;
    readonly eventSourceARN: string;
  }[];
}

test('one poller with the file of the README delivers every message in Lambda’s envelope, and drains on SIGTERM', async () => {
  target.answer((_request, response) => response.end('{}'));
  const ids = await queues.send(
    queue,
    Array.from({ length: MESSAGES }, (_, index) => ({ body: `message ${index}` })),
  );
  const { child, adminUrl, lines } = await startPoller();
  await until(
    () => fetch(`${adminUrl}/readyz`),
    (response) => response.status === 200,
  );
  await until(
    () => queues.count(queue),
    (count) => count.visible + count.notVisible === 0,
  );

  const events = target.requests.map((request) => JSON.parse(request.body.toString()) as SqsEvent);
  const records = events.flatMap((event) => event.Records);
  expect(records.map((record) => record.messageId).toSorted()).toEqual(ids.toSorted());
  expect(new Set(records.map((record) => record.body)).size).toBe(MESSAGES);
  expect(events.every((event) => event.Records.length <= 10)).toBe(true);
  expect(records[0]).toMatchObject({ eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:orders' });
  expect(target.requests.map((request) => `${request.method} ${request.path}`)).toEqual(events.map(() => 'POST /orders'));

  const metrics = await until(
    () => fetch(`${adminUrl}/metrics`).then((response) => response.text()),
    (text) => text.includes(`wherry_events_deleted_total{mapping="orders",function="orders",source="sqs"} ${MESSAGES}\n`),
  );
  expect(metrics).toContain(`wherry_events_polled_total{mapping="orders",function="orders",source="sqs"} ${MESSAGES}\n`);
  expect(metrics).toContain('wherry_redis_up 1\n');

  const status = await run(process.execPath, [launcher, 'status', '--json', '--config', config], { env: CREDENTIALS });
  expect(JSON.parse(status.stdout)).toMatchObject({
    fleet: 't1',
    redis: { up: true },
    pollers: [{ adminUrl, ready: true, error: null }],
    mappings: [{ name: 'orders', state: 'Enabled', totals: { polled: MESSAGES, succeeded: MESSAGES, deleted: MESSAGES } }],
  });

  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(lines().filter((line) => ['warn', 'error', 'fatal'].includes(String(line['level'])))).toEqual([]);
  expect(lines().map((line) => line['msg'])).toEqual(
    expect.arrayContaining(['listening', 'poller started', 'drain started', 'poller stopped']),
  );
  expect(lines().every((line) => line['fleet'] === 't1' && typeof line['poller'] === 'string')).toBe(true);
});

test('a second signal ends the process at once with 128 + n', async () => {
  target.answer(() => {}); // The function never answers, so the drain has to wait.
  await queues.send(queue, [{ body: 'stalled' }]);
  const arrived = target.next();
  const { child, lines } = await startPoller();
  await arrived;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  // Signals that are both pending come in any order.
  await until(
    () => Promise.resolve(lines()),
    (said) => said.some((line) => line['msg'] === 'drain started'),
  );
  child.kill('SIGINT');
  expect(await exited).toEqual([130, null]);
});

test('a reload adds a mapping to the running poller; a bad file changes nothing and is told', async () => {
  target.answer((_request, response) => response.end('{}'));
  const original = await readFile(config, 'utf8');
  // Short polls, because a drain lets the running ones return.
  const text = original.replace('BatchSize: 10', 'BatchSize: 10, sqs: { waitTime: 1s }');
  await writeFile(config, text);
  const { child, adminUrl } = await startPoller();
  const reload = () => fetch(`${adminUrl}/-/reload`, { method: 'POST' });
  const metrics = () => fetch(`${adminUrl}/metrics`).then((response) => response.text());

  await writeFile(config, text.replace('BatchSize: 10', 'BatchSize: 11000'));
  expect((await reload()).status).toBe(422);
  expect(await metrics()).toContain('wherry_config_last_reload_successful 0\n');

  const later = await queues.create({ name: 'later' });
  await writeFile(
    config,
    text.replace('mappings: {', `mappings: { later: { EventSourceArn: "${later.arn}", FunctionName: orders, sqs: { waitTime: 1s } },`),
  );
  expect(await (await reload()).json()).toEqual({ outcome: 'applied', needsRestart: [] });
  expect(await metrics()).toContain('wherry_config_last_reload_successful 1\n');
  const [id] = await queues.send(later, [{ body: 'after the reload' }]);
  await until(
    () => Promise.resolve(target.requests),
    (requests) => requests.some((request) => request.body.toString().includes(id!)),
  );

  await writeFile(config, original);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('without Redis a poller stays up, alive and not ready', async () => {
  const file = join(folder, 'alone.yaml');
  await writeFile(file, 'version: 1\nredis: { url: "redis://127.0.0.1:1" }\nadmin: { listen: 127.0.0.1:0 }\n');
  const before = config;
  config = file;
  const { child, adminUrl } = await startPoller().finally(() => (config = before));
  expect((await fetch(`${adminUrl}/livez`)).status).toBe(200);
  const ready = await fetch(`${adminUrl}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, 'not ready: redis, claims\n']);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('an environment that would leak events is refused with exit 1', async () => {
  const refused = await wherry(['poller', '--config', config], { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('error: NODE_TLS_REJECT_UNAUTHORIZED=0');
});

test('an admin port that is taken is told in one line, with exit 1', async () => {
  const file = join(folder, 'taken.yaml');
  const port = new URL(target.url).port;
  await writeFile(file, `version: 1\nredis: { url: "${redis.url}" }\nadmin: { listen: "127.0.0.1:${port}" }\n`);
  const refused = await wherry(['poller', '--config', file]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`error: admin.listen: cannot listen on 127.0.0.1:${port}: the port is taken`);
});
