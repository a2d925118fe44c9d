import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedis } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import type { FleetReport } from '@wherry/poller/fleet-status';
import type { LeaseReport, ShardLease } from '@wherry/poller/lease-report';
import type { Backend } from '@wherry/testkit/backend-process';
import { startKinesisLocal } from '@wherry/testkit/kinesis-local-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { type TestStream, TestStreams } from '@wherry/testkit/test-streams';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './fleet.ts';
import { FunctionServer } from './function-server.ts';
import { launcher, wherry } from './wherry-command.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const FLEET = 'operated';

let folder: string;
let file: string;
let redis: RedisServer;
let kinesis: Backend;
let functions: FunctionServer;
let streams: TestStreams;
let stream: TestStream;
const pollers: ChildProcess[] = [];

beforeAll(async () => {
  [folder, redis, kinesis, functions] = await Promise.all([
    mkdtemp(join(tmpdir(), 'wherry-operate-')),
    startRedisServer(),
    startKinesisLocal(),
    FunctionServer.start(),
  ]);
  streams = new TestStreams(kinesis.url);
  stream = await streams.create(1);
  file = join(folder, 'wherry.yaml');
  const config = {
    version: 1,
    fleet: { id: FLEET },
    redis: { url: redis.url },
    aws: { endpoint: kinesis.url },
    admin: { listen: '127.0.0.1:0' },
    // Who is put out by a seek learns it at the next renewal.
    leases: { ttl: '4s', renewEvery: '1s' },
    metrics: { perShard: true },
    functions: { clicks: { target: { http: { url: `${functions.url}/clicks` } }, Timeout: 5 } },
    mappings: { clicks: { FunctionName: 'clicks', EventSourceArn: stream.arn, StartingPosition: 'TRIM_HORIZON' } },
  };
  await writeFile(file, JSON.stringify(config));
});

afterAll(async () => {
  for (const child of pollers) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  await Promise.all([redis.kill(), kinesis.stop(), functions.close(), rm(folder, { recursive: true, force: true })]);
});

function startPoller(): void {
  const env = { ...process.env, ...CREDENTIALS };
  pollers.push(spawn(process.execPath, [launcher, 'poller', '--config', file], { env, stdio: ['ignore', 'ignore', 'inherit'] }));
}

/** Runs a command that has to succeed. */
async function command(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await wherry([...args, '--config', file], { env: CREDENTIALS });
  if (code !== 0) throw new Error(`wherry ${args.join(' ')} exited with ${code}: ${stderr}`);
  return stdout;
}

async function shards(): Promise<readonly ShardLease[]> {
  return (JSON.parse(await command('leases', 'clicks', '--json')) as LeaseReport).mappings[0]?.shards ?? [];
}

/** Every text that was delivered and not refused, in the order of arrival. */
function delivered(): string[] {
  return functions
    .of('clicks')
    .map(({ text }) => texts(text))
    .filter((batch) => !batch.includes('poison'))
    .flat();
}

function texts(event: string): string[] {
  const { Records: records } = JSON.parse(event) as { Records: { readonly kinesis: { readonly data: string } }[] };
  return records.map(({ kinesis: { data } }) => Buffer.from(data, 'base64').toString());
}

/** Delivers one more of these, wherever it was delivered before. */
async function arrive(text: string, count: number): Promise<void> {
  await functions.until('clicks', () => delivered().filter((one) => one === text).length >= count);
}

/** Written one after the other into the shard of this key. */
function put(...written: readonly string[]): Promise<string[]> {
  return streams.put(
    stream,
    written.map((text) => ({ partitionKey: 'k', data: Buffer.from(text).toString('base64') })),
  );
}

test('a stream is paused, sent back and forth and looked at while two pollers read it', async () => {
  functions.handle('clicks', ({ text }) => (texts(text).includes('poison') ? new Response('{"errorMessage":"no"}', { status: 500 }) : {}));
  await put('a', 'b');
  startPoller();
  startPoller();
  await arrive('b', 1);
  const [root] = await streams.openShards(stream);
  await streams.split(stream, root!);
  await put('c');
  await arrive('c', 1);

  // The shard that was split is over, its children are read.
  const read = await until(shards, (found) => found.filter(({ state }) => state === 'reading').length === 2);
  expect(read.map(({ state, owner }) => [state, owner !== null])).toEqual([
    ['ended', false],
    ['reading', true],
    ['reading', true],
  ]);
  expect(await command('leases')).toMatch(/^clicks \(kinesis, .*\) · 3 shards: 1 ended, 2 reading · listed by /m);

  await command('pause', 'clicks', '--yes', '--reason', 'deploy');
  await until(shards, (found) => found.slice(1).every(({ state, owner }) => state === 'paused' && owner === null));
  expect(await command('status')).toMatch(/^clicks +kinesis +Paused [^]*^! clicks: paused by .+@.+ ago: deploy$/m);
  const [skipped] = await put('d');
  await command('seek', 'clicks', '--to', 'LATEST', '--yes');
  await put('e');
  await command('resume', 'clicks', '--yes');
  await arrive('e', 1);
  expect(delivered()).toEqual(['a', 'b', 'c', 'e']);

  // Back to the oldest record, without a pause: the shard that was over comes back, and its children wait for it.
  const told = JSON.parse(await command('seek', 'clicks', '--to', 'TRIM_HORIZON', '--yes', '--json')) as { moved: { from: string }[] };
  expect(told.moved.map(({ from }) => from).filter((from) => from === 'ended')).toHaveLength(1);
  await arrive('e', 2);
  const again = delivered().slice(4);
  expect(again.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(again.lastIndexOf('b')).toBeLessThan(again.indexOf('c'));

  // One shard alone, to a record that is named.
  const shardOfE = (await shards()).find(({ checkpoint, state }) => state !== 'ended' && /^\d+$/.test(checkpoint ?? ''))!;
  await command('seek', 'clicks', '--to', `${shardOfE.shardId}:${skipped}`, '--yes');
  await arrive('e', 3);
  expect(delivered().slice(9)).toEqual(['d', 'e']);

  // A record on which the function fails blocks its shard, with attempt and reason, until somebody skips it.
  await put('poison');
  const blocked = await until(shards, (found) => found.some((shard) => (shard.blocked?.attempts ?? 0) >= 2));
  expect(blocked.find(({ state }) => state === 'blocked')?.blocked).toMatchObject({ lane: 0, reason: 'functionError' });
  const status = await until(
    async () => (JSON.parse(await command('status', '--json')) as FleetReport).mappings[0]!,
    ({ shards: counted, lastProcessingResult }) => counted?.blocked.length === 1 && lastProcessingResult !== 'OK',
  );
  expect(status).toMatchObject({
    lastProcessingResult: 'PROBLEM: Function call failed',
    shards: { known: 3, ended: 1, readable: 2, held: 2, lost: 0, damaged: 0 },
  });
  const metrics = await allMetrics();
  expect(sumOf(metrics, 'wherry_shards', 'state="blocked"')).toBe(1);
  expect(sumOf(metrics, 'wherry_shards', 'state="leased"')).toBe(1);
  expect(sumOf(metrics, 'wherry_shards', 'state="finished"')).toBe(1);
  expect(sumOf(metrics, 'wherry_shard_iterator_age_seconds', `shard="${shardOfE.shardId}"`)).toBeGreaterThan(0);
  expect(sumOf(metrics, 'wherry_events_checkpointed_total', '')).toBeGreaterThanOrEqual(11);
  expect(await command('status')).toMatch(/^! clicks: shardId-\d+ attempt \d+ since .+(next in .+|trying now): functionError /m);
  await command('seek', 'clicks', '--to', 'LATEST', '--yes');
  await put('f');
  await arrive('f', 1);
  expect((await shards()).map(({ state }) => state)).toEqual(['ended', 'reading', 'reading']);

  expect(await auditTrail()).toEqual([
    'MappingPaused',
    'CheckpointReset',
    'MappingResumed',
    'CheckpointReset',
    'CheckpointReset',
    'CheckpointReset',
  ]);
});

/** The lines of `/metrics` of all pollers. */
async function allMetrics(): Promise<string[]> {
  const { pollers: members } = JSON.parse(await command('status', '--json')) as FleetReport;
  const answers = await Promise.all(members.map(async ({ adminUrl }) => (await fetch(new URL('/metrics', adminUrl))).text()));
  return answers.flatMap((text) => text.split('\n'));
}

function sumOf(lines: readonly string[], name: string, label: string): number {
  const found = lines.filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Names of what people did, the oldest first. */
async function auditTrail(): Promise<string[]> {
  const up = Promise.withResolvers<void>();
  const client = createRedis({ url: redis.url, keyPrefix: 'wherry' }, { random: Math.random, onUp: up.resolve, onDown: () => {} });
  try {
    await up.promise;
    const { audit } = createRedisCoordination(client, { keyPrefix: 'wherry', fleet: FLEET });
    return (await audit.newest(100)).map(({ eventName }) => eventName).toReversed();
  } finally {
    client.disconnect();
  }
}
