import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '@wherry/testkit/backend-process';
import { startFauxqs } from '@wherry/testkit/fauxqs-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { TargetServer } from '@wherry/testkit/target-server';
import { TestQueues } from '@wherry/testkit/test-queues';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wherry } from './wherry-command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-validate-'));
  await writeFile(join(folder, 'good.yaml'), configuration({}));
  await writeFile(join(folder, 'bad.yaml'), configuration({}).replace('BatchSize', 'BatchSiez'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Places {
  readonly redis?: string;
  readonly sqs?: string;
  readonly target?: string;
  readonly queue?: string;
}

function configuration({
  redis = 'redis://127.0.0.1:1',
  sqs = 'http://127.0.0.1:1',
  target = 'http://127.0.0.1:1',
  queue = 'orders',
}: Places): string {
  return `version: 1
fleet: { id: t1, accountId: "000000000000", region: us-east-1 }
redis: { url: "${redis}" }
aws: { region: us-east-1, endpoint: "${sqs}" }
functions: { orders: { target: { http: { url: "${target}" } }, Timeout: 5 } }
mappings:
  orders:
    EventSourceArn: arn:aws:sqs:us-east-1:000000000000:${queue}
    FunctionName: orders
    BatchSize: 10
`;
}

interface JsonProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: string;
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly awsMessage?: string;
}

function problemsOf(stdout: string): JsonProblem[] {
  return JSON.parse(stdout) as JsonProblem[];
}

describe('the file alone', () => {
  test('a good file exits 0 with one line on standard output', async () => {
    const result = await wherry(['validate', 'good.yaml'], { cwd: folder });
    expect(result).toMatchObject({ code: 0, stdout: 'good.yaml: ok (1 function, 1 mapping)\n', stderr: '' });
  });

  test('a bad file exits 1 with the place, a caret and a suggestion on standard error', async () => {
    const { code, stdout, stderr } = await wherry(['validate', 'bad.yaml'], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`error: unknown field "BatchSiez"
  --> bad.yaml:10:5  (mappings.orders.BatchSiez)
   |
10 |     BatchSiez: 10
   |     ^^^^^^^^^ did you mean "BatchSize"?

bad.yaml: 1 error, nothing was applied
`);
  });

  test('each of several files is checked by itself, and one bad file is enough for exit code 1', async () => {
    const { code, stdout, stderr } = await wherry(['validate', 'good.yaml', 'bad.yaml', 'absent.yaml'], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'good.yaml: ok (1 function, 1 mapping)\n' });
    expect(stderr).toContain('bad.yaml: 1 error');
    expect(stderr).toContain('absent.yaml: 1 error');
  });

  test('--format json prints one list of problems', async () => {
    const { code, stdout } = await wherry(['validate', '--format', 'json', 'good.yaml', 'bad.yaml'], { cwd: folder });
    expect(code).toBe(1);
    expect(problemsOf(stdout)).toMatchObject([
      { file: 'bad.yaml', line: 10, column: 5, code: 'unknown-field', path: 'mappings.orders.BatchSiez' },
    ]);
    expect(problemsOf((await wherry(['validate', '--format', 'json', 'good.yaml'], { cwd: folder })).stdout)).toEqual([]);
  });

  test('--format github prints a workflow command', async () => {
    const { code, stdout } = await wherry(['validate', '--format', 'github', 'bad.yaml'], { cwd: folder });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^::error file=bad\.yaml,line=10,col=5,endColumn=14::unknown field "BatchSiez".*\n$/);
  });

  test('without an argument it checks WHERRY_CONFIG, else wherry.yaml', async () => {
    expect((await wherry(['validate'], { cwd: folder, env: { WHERRY_CONFIG: 'good.yaml' } })).stdout).toMatch(/^good\.yaml: ok/);
    expect((await wherry(['validate'], { cwd: folder })).stderr).toContain('wherry.yaml');
  });

  test.each([[['validat']], [['validate', '--onlin']], [['validate', '--format', 'xml']]])('%j is bad usage and exits 2', async (args) => {
    expect(await wherry(args, { cwd: folder })).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('--online', () => {
  let redis: RedisServer;
  let sqs: Backend;
  let target: TargetServer;
  let places: Places;
  beforeAll(async () => {
    [redis, sqs, target] = await Promise.all([startRedisServer(), startFauxqs(), TargetServer.start()]);
    places = { redis: redis.url, sqs: sqs.url, target: `${target.url}/orders` };
    const queues = new TestQueues(sqs.url);
    for (const seconds of [4, 29, 30]) await queues.create({ name: `visible-${seconds}`, visibilityTimeoutSeconds: seconds });
  });
  afterAll(() => Promise.all([redis.kill(), sqs.stop(), target.close()]));

  async function online(given: Places): Promise<{ code: number | null; problems: JsonProblem[] }> {
    const file = join(folder, 'online.yaml');
    await writeFile(file, configuration({ ...places, ...given }));
    const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const { code, stdout } = await wherry(['validate', '--online', '--format', 'json', file], { env });
    return { code, problems: problemsOf(stdout) };
  }

  test('is content when queue, Redis and target are as they should be, and sends the target nothing', async () => {
    expect(await online({ queue: 'visible-30' })).toEqual({ code: 0, problems: [] });
    expect(target.requests).toEqual([]);
  });

  test('a visibility timeout below six times the Timeout is a warning, which does not change the exit code', async () => {
    const { code, problems } = await online({ queue: 'visible-29' });
    expect({ code, problems }).toMatchObject({
      code: 0,
      problems: [{ severity: 'warning', code: 'visibility-short', line: 8, column: 21 }],
    });
  });

  test('a visibility timeout below the Timeout is an error in the words of AWS', async () => {
    const { code, problems } = await online({ queue: 'visible-4' });
    const awsMessage = 'Queue visibility timeout: 4 seconds is less than Function timeout: 5 seconds';
    expect({ code, problems }).toMatchObject({
      code: 1,
      problems: [{ severity: 'error', code: 'visibility-too-short', line: 8, awsMessage }],
    });
  });

  test('everything that is missing is reported at once, each at its place', async () => {
    const nothing = 'http://127.0.0.1:1';
    const { code, problems } = await online({ queue: 'absent', redis: 'redis://127.0.0.1:1', target: nothing });
    expect(code).toBe(1);
    expect(problems).toMatchObject([
      { code: 'redis-unreachable', path: 'redis.url', line: 3 },
      { code: 'target-unreachable', path: 'functions.orders.target.http.url', line: 5 },
      { code: 'queue-missing', path: 'mappings.orders.EventSourceArn', line: 8 },
    ]);
  });
});
