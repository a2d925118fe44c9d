import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@wherry/config/load';
import type { WherryConfig } from '@wherry/core/mapping';
import { SimClock } from '@wherry/testkit/sim-clock';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { Reload } from './reload.ts';

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

const GOOD = `version: 1
fleet: { id: t1 }
functions: { orders: { target: { http: { url: "http://127.0.0.1:9000/orders" } } } }
mappings: { orders: { EventSourceArn: "arn:aws:sqs:us-east-1:000000000000:orders", FunctionName: orders } }
`;
const BAD = GOOD.replace('FunctionName: orders', 'FunctionName: ordres');

async function setup(layout: (folder: string) => Promise<string>, text = GOOD) {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-reload-'));
  folders.push(folder);
  await writeFile(join(folder, 'wherry.yaml'), text);
  const file = await layout(folder);
  let loads = 0;
  let runningFleetId: string | undefined;
  const load = () => {
    loads += 1;
    return loadConfig({ file, env: {}, runningFleetId });
  };
  const first = await load();
  if (!first.ok) throw new Error(JSON.stringify(first.problems));
  runningFleetId = first.config.fleet.id;
  const sim = new SimClock();
  const applied: WherryConfig[] = [];
  const results: boolean[] = [];
  const printed: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const reload = new Reload(
    {
      file,
      clock: sim.clock(),
      logger,
      load,
      print: (said) => printed.push(said),
      apply: (config) => {
        applied.push(config);
        return [];
      },
      reloaded: (isSuccess) => results.push(isSuccess),
    },
    first,
  );
  const messages = () => lines.map((line) => line['msg']);
  return { folder, file, reload, sim, applied, results, printed, lines, messages, first: first.config, loads: () => loads };
}

const mapping = (name: string) =>
  `mappings: { ${name}: { EventSourceArn: "arn:aws:sqs:us-east-1:000000000000:${name}", FunctionName: orders } }\n`;

const plain = (folder: string) => Promise.resolve(join(folder, 'wherry.yaml'));

test('the same content is no reload, however often it is written', async () => {
  const { file, reload, applied, results, loads } = await setup(plain);
  await writeFile(file, GOOD);
  await utimes(file, new Date(), new Date());
  expect(await reload.check('interval')).toEqual({ outcome: 'unchanged' });
  expect(loads()).toBe(1);
  expect(await reload.check('request')).toEqual({ outcome: 'unchanged' });
  expect(loads()).toBe(2);
  expect([applied, results]).toEqual([[], []]);
});

test('a changed file is applied', async () => {
  const { file, reload, applied, results, messages } = await setup(plain);
  await writeFile(file, GOOD.replace('FunctionName: orders', 'FunctionName: orders, BatchSize: 3'));
  expect(await reload.check('SIGHUP')).toEqual({ outcome: 'applied', needsRestart: [] });
  expect(applied.map((config) => config.mappings.get('orders')?.batchSize)).toEqual([3]);
  expect(reload.config).toBe(applied[0]);
  expect(results).toEqual([true]);
  expect(messages()).toEqual(['configuration reloaded']);
});

test('what the checks found in a new file is logged once, notices below warn', async () => {
  const { file, reload, lines } = await setup(plain);
  await writeFile(file, GOOD.replace('FunctionName: orders', 'FunctionName: orders, ScalingConfig: { MaximumConcurrency: 1 }'));
  await reload.check('interval');
  await reload.check('request');
  const findings = lines.filter((line) => String(line['msg']).startsWith('configuration has a'));
  expect(findings).toMatchObject([{ level: 30, msg: 'configuration has a notice', code: 'beyond-lambda' }]);
});

test('a swapped symlink is seen, as Kubernetes swaps the folder of a ConfigMap', async () => {
  const { folder, reload, applied } = await setup(async (root) => {
    await mkdir(join(root, 'v1'));
    await rename(join(root, 'wherry.yaml'), join(root, 'v1', 'wherry.yaml'));
    await symlink('v1', join(root, '..data'));
    await symlink(join('..data', 'wherry.yaml'), join(root, 'wherry.yaml'));
    return join(root, 'wherry.yaml');
  });
  await mkdir(join(folder, 'v2'));
  await writeFile(join(folder, 'v2', 'wherry.yaml'), GOOD.replace('FunctionName: orders', 'FunctionName: orders, BatchSize: 4'));
  await symlink('v2', join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await reload.check('interval');
  expect(applied.map((config) => config.mappings.get('orders')?.batchSize)).toEqual([4]);
});

test('a change in an included file, and a new one that a glob finds, are seen', async () => {
  const { folder, reload, applied } = await setup(async (root) => {
    await mkdir(join(root, 'conf.d'));
    await writeFile(join(root, 'conf.d', 'a.yaml'), 'mappings: {}\n');
    return join(root, 'wherry.yaml');
  }, `${GOOD}include: [conf.d/*.yaml]\n`);
  await writeFile(join(folder, 'conf.d', 'a.yaml'), mapping('a'));
  await reload.check('interval');
  await writeFile(join(folder, 'conf.d', 'b.yaml'), mapping('b'));
  await reload.check('interval');
  expect(applied.map((config) => [...config.mappings.keys()])).toEqual([
    ['orders', 'a'],
    ['orders', 'a', 'b'],
  ]);
});

test('a changed secret is seen, and so is a load that failed', async () => {
  const { folder, reload, applied, results } = await setup(async (root) => {
    await writeFile(join(root, 'password'), 'one');
    return join(root, 'wherry.yaml');
  }, `${GOOD}redis: { url: "redis://127.0.0.1:6379", password: "\${file:password}" }\n`);
  await rm(join(folder, 'password'));
  expect(await reload.check('interval')).toMatchObject({ outcome: 'refused' });
  await writeFile(join(folder, 'password'), 'two');
  expect(await reload.check('interval')).toEqual({ outcome: 'applied', needsRestart: ['redis'] });
  expect([applied.length, results]).toEqual([1, [false, true]]);
});

test('a bad file leaves the old one running and prints its errors once; the next good one clears that', async () => {
  const { file, reload, applied, results, printed, messages, first, loads } = await setup(plain);
  await writeFile(file, BAD);
  expect(await reload.check('interval')).toMatchObject({ outcome: 'refused', problems: expect.stringContaining('ordres') });
  expect(await reload.check('interval')).toEqual({ outcome: 'unchanged' });
  expect(loads()).toBe(2);
  expect(await reload.check('SIGHUP')).toMatchObject({ outcome: 'refused' });
  expect(printed).toHaveLength(1);
  expect(printed[0]).toMatch(/^error: .*\n --> .*wherry\.yaml:4:/);
  expect(printed[0]).toContain('nothing was applied');
  expect(reload.config).toBe(first);
  expect(applied).toEqual([]);
  await writeFile(file, GOOD);
  expect(await reload.check('interval')).toEqual({ outcome: 'unchanged' });
  expect(results).toEqual([false, false, true]);
  expect(messages()).toEqual(['configuration refused; the old one stays', 'configuration is good again and the one that runs']);
});

test('a missing file and a file that asks for what is not offered are refused the same way', async () => {
  const { file, reload, applied, printed } = await setup(plain);
  await writeFile(file, `${GOOD}api: { listen: 127.0.0.1:0 }\n`);
  expect(await reload.check('request')).toMatchObject({
    outcome: 'refused',
    problems: expect.stringMatching(/^error: this version does not offer/),
  });
  await rm(file);
  expect(await reload.check('request')).toMatchObject({ outcome: 'refused', problems: expect.stringContaining('no such file') });
  expect(printed).toHaveLength(2);
  expect(applied).toEqual([]);
});

test('settings that need a restart are named, the rest is applied', async () => {
  const { file, reload, applied, lines } = await setup(plain);
  const changed = `${GOOD.replace('id: t1', 'id: t2')}redis: { url: "redis://10.0.0.1:6379" }\nadmin: { listen: 127.0.0.1:1 }\nleases: { ttl: 20s }\n`;
  await writeFile(file, `${changed}metrics: { prefix: mine }\nlogging: { level: debug, format: json }\nshutdown: { grace: 5s }\n`);
  const needsRestart = ['fleet', 'redis', 'leases', 'admin.listen', 'logging.format', 'metrics'];
  expect(await reload.check('request')).toEqual({ outcome: 'applied', needsRestart });
  expect(lines.at(-1)).toMatchObject({ level: 40, settings: needsRestart, msg: 'configuration has changes that need a restart' });
  expect(applied[0]?.shutdownGraceMs).toBe(5_000);
});

test('a new fleet.id waits for the restart: mappings keep their identity, all else is applied', async () => {
  const { file, reload, applied, first } = await setup(plain);
  await writeFile(file, GOOD.replace('id: t1', 'id: t2').replace('FunctionName: orders', 'FunctionName: orders, BatchSize: 3'));
  expect(await reload.check('request')).toEqual({ outcome: 'applied', needsRestart: ['fleet'] });
  const now = applied[0];
  expect([now?.fleet.id, now?.mappings.get('orders')?.batchSize]).toEqual(['t1', 3]);
  expect(now?.mappings.get('orders')?.uuid).toBe(first.mappings.get('orders')?.uuid);
});

test('the files are looked at every reload.interval until the stop', async () => {
  const { file, reload, sim, applied } = await setup(plain, `${GOOD}reload: { interval: 7s }\n`);
  const stop = new AbortController();
  const looked = Promise.withResolvers<void>();
  const check = reload.check.bind(reload);
  let looks = 0;
  reload.check = async (cause) => {
    looks += 1;
    const answer = await check(cause);
    looked.resolve();
    return answer;
  };
  const running = reload.run(stop.signal);
  await writeFile(file, `${GOOD}reload: { interval: 0s }\n`);
  await sim.advance(6_999);
  expect(looks).toBe(0);
  await sim.advance(1);
  await looked.promise;
  expect(applied).toHaveLength(1);
  // The new interval of 0 means never.
  await sim.advance(60_000);
  expect(looks).toBe(1);
  stop.abort();
  await running;
});
