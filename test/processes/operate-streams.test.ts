import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedis } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import type { FleetReport } from '@wherry/poller/fleet-status';
import type { LeaseReport, ShardLease } from '@wherry/poller/lease-report';
import type { Backend, BackendStart } from '@wherry/testkit/backend-process';
import { startDynamoDbLocal } from '@wherry/testkit/dynamodb-local-process';
import { startKinesisLocal } from '@wherry/testkit/kinesis-local-process';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { TestStreams } from '@wherry/testkit/test-streams';
import { TestTables } from '@wherry/testkit/test-tables';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './fleet.ts';
import { FunctionServer } from './function-server.ts';
import { type CommandResult, launcher, wherry } from './wherry-command.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

let folder: string;
let redis: RedisServer;
let kinesis: Backend;
let dynamoDb: BackendStart;
let functions: FunctionServer;
const pollers: ChildProcess[] = [];

beforeAll(async () => {
  [folder, redis, kinesis, dynamoDb, functions] = await Promise.all([
    mkdtemp(join(tmpdir(), 'wherry-operate-')),
    startRedisServer(),
    startKinesisLocal(),
    startDynamoDbLocal(),
    FunctionServer.start(),
  ]);
});

afterAll(async () => {
  for (const child of pollers) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  const stopping = [redis.kill(), kinesis.stop(), functions.close(), rm(folder, { recursive: true, force: true })];
  if (dynamoDb.kind === 'started') stopping.push(dynamoDb.backend.stop());
  await Promise.all(stopping);
});

/** A mapping of this stream, and the function and the fleet of its name. */
class Operated {
  readonly name: string;
  readonly #file: string;

  constructor(name: string) {
    this.name = name;
    this.#file = join(folder, `${name}.yaml`);
  }

  async configure(eventSourceArn: string, endpoint: string): Promise<void> {
    const config = {
      version: 1,
      fleet: { id: this.name },
      redis: { url: redis.url },
      aws: { endpoint },
      admin: { listen: '127.0.0.1:0' },
      // Who is put out by a seek learns it at the next renewal.
      leases: { ttl: '4s', renewEvery: '1s' },
      metrics: { perShard: true },
      functions: { [this.name]: { target: { http: { url: `${functions.url}/${this.name}` } }, Timeout: 5 } },
      mappings: { [this.name]: { FunctionName: this.name, EventSourceArn: eventSourceArn, StartingPosition: 'TRIM_HORIZON' } },
    };
    await writeFile(this.#file, JSON.stringify(config));
  }

  startPoller(): void {
    const env = { ...process.env, ...CREDENTIALS };
    pollers.push(spawn(process.execPath, [launcher, 'poller', '--config', this.#file], { env, stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  /** Runs a command that has to succeed. */
  async command(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(...args);
    if (code !== 0) throw new Error(`wherry ${args.join(' ')} exited with ${code}: ${stderr}`);
    return stdout;
  }

  attempt(...args: readonly string[]): Promise<CommandResult> {
    return wherry([...args, '--config', this.#file], { env: CREDENTIALS });
  }

  async shards(): Promise<readonly ShardLease[]> {
    return (JSON.parse(await this.command('leases', this.name, '--json')) as LeaseReport).mappings[0]?.shards ?? [];
  }

  /** The lines of `/metrics` of all pollers. */
  async metrics(): Promise<string[]> {
    const { pollers: members } = JSON.parse(await this.command('status', '--json')) as FleetReport;
    const answers = await Promise.all(members.map(async ({ adminUrl }) => (await fetch(new URL('/metrics', adminUrl))).text()));
    return answers.flatMap((text) => text.split('\n'));
  }
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

const record = (text: string) => ({ partitionKey: 'k', data: Buffer.from(text).toString('base64') });

function sumOf(lines: readonly string[], name: string, label: string): number {
  const found = lines.filter((line) => line.startsWith(`${name}{`) && line.includes(label));
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Names of what people did, the oldest first. */
async function auditTrail(fleet: string): Promise<string[]> {
  const up = Promise.withResolvers<void>();
  const client = createRedis({ url: redis.url, keyPrefix: 'wherry' }, { random: Math.random, onUp: up.resolve, onDown: () => {} });
  try {
    await up.promise;
    const { audit } = createRedisCoordination(client, { keyPrefix: 'wherry', fleet });
    return (await audit.newest(100)).map(({ eventName }) => eventName).toReversed();
  } finally {
    client.disconnect();
  }
}

interface TableRecord {
  readonly dynamodb: { readonly SequenceNumber: string; readonly Keys: { readonly pk: { readonly S: string } } };
}

describe.concurrent('a stream that people look after', () => {
  test('a stream is paused, sent back and forth and looked at while two pollers read it', async () => {
    const clicks = new Operated('clicks');
    const streams = new TestStreams(kinesis.url);
    const stream = await streams.create(1);
    await clicks.configure(stream.arn, kinesis.url);
    const put = (...written: readonly string[]) => streams.put(stream, written.map(record));
    functions.handle('clicks', ({ text }) =>
      texts(text).includes('poison') ? new Response('{"errorMessage":"no"}', { status: 500 }) : {},
    );
    await put('a', 'b');
    clicks.startPoller();
    clicks.startPoller();
    await arrive('b', 1);
    const [root] = await streams.openShards(stream);
    await streams.split(stream, root!);
    await put('c');
    await arrive('c', 1);

    // The shard that was split is over, its children are read.
    const read = await until(
      () => clicks.shards(),
      (found) => found.filter(({ state }) => state === 'reading').length === 2,
    );
    expect(read.map(({ state, owner }) => [state, owner !== null])).toEqual([
      ['ended', false],
      ['reading', true],
      ['reading', true],
    ]);
    expect(await clicks.command('leases')).toMatch(/^clicks \(kinesis, .*\) · 3 shards: 1 ended, 2 reading · listed by /m);

    await clicks.command('pause', 'clicks', '--yes', '--reason', 'deploy');
    await until(
      () => clicks.shards(),
      (found) => found.slice(1).every(({ state, owner }) => state === 'paused' && owner === null),
    );
    expect(await clicks.command('status')).toMatch(/^clicks +kinesis +Paused [^]*^! clicks: paused by .+@.+ ago: deploy$/m);
    const [skipped] = await put('d');
    await clicks.command('seek', 'clicks', '--to', 'LATEST', '--yes');
    await put('e');
    await clicks.command('resume', 'clicks', '--yes');
    await arrive('e', 1);
    expect(delivered()).toEqual(['a', 'b', 'c', 'e']);

    // Back to the oldest record, without a pause: the shard that was over comes back, and its children wait for it.
    const told = JSON.parse(await clicks.command('seek', 'clicks', '--to', 'TRIM_HORIZON', '--yes', '--json')) as {
      moved: { from: string }[];
    };
    expect(told.moved.map(({ from }) => from).filter((from) => from === 'ended')).toHaveLength(1);
    await arrive('e', 2);
    const again = delivered().slice(4);
    expect(again.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(again.lastIndexOf('b')).toBeLessThan(again.indexOf('c'));

    // One shard alone, to a record that is named.
    const shardOfE = (await clicks.shards()).find(({ checkpoint, state }) => state !== 'ended' && /^\d+$/.test(checkpoint ?? ''))!;
    await clicks.command('seek', 'clicks', '--to', `${shardOfE.shardId}:${skipped}`, '--yes');
    await arrive('e', 3);
    expect(delivered().slice(9)).toEqual(['d', 'e']);

    // A record on which the function fails blocks its shard, with attempt and reason, until somebody skips it.
    await put('poison');
    const blocked = await until(
      () => clicks.shards(),
      (found) => found.some((shard) => (shard.blocked?.attempts ?? 0) >= 2),
    );
    expect(blocked.find(({ state }) => state === 'blocked')?.blocked).toMatchObject({ lane: 0, reason: 'functionError' });
    const status = await until(
      async () => (JSON.parse(await clicks.command('status', '--json')) as FleetReport).mappings[0]!,
      ({ shards: counted, lastProcessingResult }) => counted?.blocked.length === 1 && lastProcessingResult !== 'OK',
    );
    expect(status).toMatchObject({
      lastProcessingResult: 'PROBLEM: Function call failed',
      shards: { known: 3, ended: 1, readable: 2, held: 2, lost: 0, damaged: 0 },
    });
    const metrics = await clicks.metrics();
    expect(sumOf(metrics, 'wherry_shards', 'state="blocked"')).toBe(1);
    expect(sumOf(metrics, 'wherry_shards', 'state="leased"')).toBe(1);
    expect(sumOf(metrics, 'wherry_shards', 'state="finished"')).toBe(1);
    expect(sumOf(metrics, 'wherry_shard_iterator_age_seconds', `shard="${shardOfE.shardId}"`)).toBeGreaterThan(0);
    expect(sumOf(metrics, 'wherry_events_checkpointed_total', '')).toBeGreaterThanOrEqual(11);
    expect(await clicks.command('status')).toMatch(/^! clicks: shardId-\d+ attempt \d+ since .+(next in .+|trying now): functionError /m);
    await clicks.command('seek', 'clicks', '--to', 'LATEST', '--yes');
    await put('f');
    await arrive('f', 1);
    expect((await clicks.shards()).map(({ state }) => state)).toEqual(['ended', 'reading', 'reading']);

    expect(await auditTrail(clicks.name)).toEqual([
      'MappingPaused',
      'CheckpointReset',
      'MappingResumed',
      'CheckpointReset',
      'CheckpointReset',
      'CheckpointReset',
    ]);
  });

  test("a table's stream goes back to its oldest record and to one that is named, but to no time", async (context) => {
    if (dynamoDb.kind === 'missing') return context.skip(dynamoDb.reason);
    const customers = new Operated('customers');
    const tables = new TestTables(dynamoDb.backend.url);
    const table = await tables.create();
    await customers.configure(table.streamArn, dynamoDb.backend.url);
    for (const pk of ['a', 'b', 'c']) await tables.put(table, { pk: { S: pk }, sk: { N: '1' } });
    const changes = () => functions.of('customers').flatMap(({ text }) => (JSON.parse(text) as { Records: TableRecord[] }).Records);
    const keys = () => changes().map(({ dynamodb }) => dynamodb.Keys.pk.S);
    customers.startPoller();
    await functions.until('customers', () => keys().length === 3);

    await customers.command('seek', 'customers', '--to', 'TRIM_HORIZON', '--yes');
    await functions.until('customers', () => keys().length === 6);
    const second = changes()[1]!.dynamodb.SequenceNumber;
    const [shard] = await until(
      () => customers.shards(),
      ([found]) => found?.checkpoint === changes()[2]?.dynamodb.SequenceNumber,
    );
    await customers.command('seek', 'customers', '--to', `${shard!.shardId}:${second}`, '--yes');
    await functions.until('customers', () => keys().length === 8);
    expect(keys()).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'b', 'c']);

    const refused = await customers.attempt('seek', 'customers', '--to', '2026-01-01T00:00:00Z', '--yes');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('a DynamoDB stream has no positions by time') });
    expect(await auditTrail('customers')).toEqual(['CheckpointReset', 'CheckpointReset']);
  });
});
