import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailedBatch, FailedStore } from '@wherry/core/failed-store';
import { createRedis, type RedisClient } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import { createRedisFailedStore } from '@wherry/leases/redis-failed-store';
import { loadConfig } from '@wherry/config/load';
import { startRedisServer, type RedisServer } from '@wherry/testkit/redis-server';
import { sampleFailure } from '@wherry/testkit/sample-failure';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failure, FunctionServer } from './function-server.ts';
import { wherry, type CommandResult } from './wherry-command.ts';

const FLEET = { keyPrefix: 'wherry', fleet: 't1' };
const CLICKS = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks';

let redis: RedisServer;
let client: RedisClient;
let store: FailedStore;
let functions: FunctionServer;
let folder: string;
let configFile: string;
let mappingUuid: string;

beforeAll(async () => {
  redis = await startRedisServer();
  folder = await mkdtemp(join(tmpdir(), 'wherry-failed-'));
  const up = Promise.withResolvers<void>();
  client = createRedis({ url: redis.url, keyPrefix: 'wherry' }, { random: Math.random, onUp: up.resolve, onDown: () => {} });
  await up.promise;
  store = createRedisFailedStore(client, FLEET);
});

afterAll(async () => {
  client.disconnect();
  await redis.kill();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await client.flushall();
  functions = await FunctionServer.start();
  configFile = join(folder, 'wherry.yaml');
  const target = { http: { url: `${functions.url}/count` } };
  const config = {
    version: 1,
    fleet: { id: 't1', accountId: '000000000000', region: 'us-east-1' },
    redis: { url: redis.url },
    functions: { count: { target, Timeout: 20, ReservedConcurrentExecutions: 2 } },
    mappings: {
      clicks: {
        EventSourceArn: CLICKS,
        FunctionName: 'count',
        StartingPosition: 'LATEST',
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
  };
  await writeFile(configFile, JSON.stringify(config));
  const loaded = await loadConfig({ file: configFile, env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  mappingUuid = loaded.config.mappings.get('clicks')?.uuid ?? '';
});

afterEach(() => functions.close());

const recordOf = (number: number): string =>
  `{"kinesis":{"sequenceNumber":"4966${number}","data":"aGVsbG8=","approximateArrivalTimestamp":1789649522.${number}}}`;

/** Puts a batch of records with these numbers into the store. */
async function putBatch(numbers: readonly number[], changes: Partial<FailedBatch> = {}): Promise<string> {
  const id = randomUUID();
  const event = Buffer.from(`{"Records":[${numbers.map(recordOf).join(',')}]}`);
  const batch: FailedBatch = {
    id,
    name: 'clicks-failed',
    mapping: 'clicks',
    mappingUuid,
    functionName: 'count',
    condition: 'RetryAttemptsExhausted',
    shardId: 'shardId-000000000000',
    records: numbers.length,
    firstSequenceNumber: `4966${numbers[0]}`,
    lastSequenceNumber: `4966${numbers.at(-1)}`,
    failedAtMs: Date.parse('2026-09-17T12:52:04.117Z') + (numbers[0] ?? 0),
    document: sampleFailure(id).document,
    eventBytes: event.byteLength,
    ...changes,
  };
  await store.put(batch, event);
  return id;
}

function failed(...args: readonly string[]): Promise<CommandResult> {
  return wherry(['failed', ...args, '--config', configFile]);
}

/** Numbers of the records in each invocation so far. */
function invoked(): string[] {
  return functions
    .of('count')
    .map(({ records }) => records.map((record) => (record['kinesis'] as { sequenceNumber: string }).sequenceNumber.slice(4)).join(' '));
}

async function idsLeft(): Promise<string[]> {
  return (await store.list({ limit: 100 })).map(({ id }) => id);
}

async function audited(): Promise<readonly [string, unknown][]> {
  const entries = await createRedisCoordination(client, FLEET).audit.newest(10);
  return entries.map(({ eventName, requestParameters }) => [eventName, requestParameters]);
}

describe('failed list', () => {
  test('shows a table, the oldest first, and narrows it', async () => {
    const ids = [await putBatch([1, 2]), await putBatch([3], { name: 'other' })];
    const { stdout, stderr, code } = await failed('list');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^ID {36}NAME {11}MAPPING {2}FAILED AT {13}CONDITION {15}RECORDS {2}BYTES {2}SHARD$/),
      expect.stringMatching(
        new RegExp(
          `^${ids[0]} {2}clicks-failed {2}clicks {3}2026-09-17T12:52:04Z {2}RetryAttemptsExhausted {2}2 {8}\\d+ {4}shardId-000000000000$`,
        ),
      ),
      expect.stringMatching(new RegExp(`^${ids[1]} {2}other`)),
      '',
    ]);
    expect((await failed('list', '--name', 'other')).stdout).not.toContain(ids[0]);
    expect((await failed('list', 'audit')).stdout).toBe('no failed batches\n');
    expect((await failed('list', '--limit', '1')).stdout).toContain('there are more: raise --limit');
  });

  test('as JSON has stable names, those of the failure record where it has them', async () => {
    const id = await putBatch([1, 2]);
    await putBatch([3], { name: 'other' });
    const { stdout } = await failed('list', 'clicks', '--limit', '1', '--json');
    expect(JSON.parse(stdout)).toEqual({
      batches: [
        {
          id,
          name: 'clicks-failed',
          mapping: 'clicks',
          mappingUuid,
          functionName: 'count',
          qualifier: null,
          condition: 'RetryAttemptsExhausted',
          requestId: 'c9b8fa9f-5a7f-4c5b-8f0c-1f2e3d4c5b6a',
          approximateInvokeCount: 2,
          functionError: 'Unhandled',
          shardId: 'shardId-000000000000',
          streamArn: CLICKS,
          startSequenceNumber: '49661',
          endSequenceNumber: '49662',
          batchSize: 2,
          timestamp: '2026-09-17T12:52:04.118Z',
          eventBytes: expect.any(Number),
        },
      ],
      hasMore: true,
      destinations: [
        { name: 'clicks-failed', batches: 1, bytes: expect.any(Number) },
        { name: 'other', batches: 1, bytes: expect.any(Number) },
      ],
    });
  });
});

describe('failed show', () => {
  test('prints the failure record, and the event when asked', async () => {
    const id = await putBatch([1]);
    const { document } = sampleFailure(id);
    const event = `{"Records":[${recordOf(1)}]}`;
    expect(await failed('show', id)).toMatchObject({ code: 0, stdout: `${document}\n`, stderr: '' });
    expect(await failed('show', id, '--event')).toMatchObject({ code: 0, stdout: `${document}\n${event}\n` });
    const { stdout } = await failed('show', id, '--event', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ id, mapping: 'clicks', document: JSON.parse(document) as unknown, payload: event });
  });

  test('of a batch that is not there is an error', async () => {
    expect(await failed('show', 'nothing')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'error: there is no failed batch nothing; wherry failed list shows those there are\n',
    });
  });
});

describe('failed redrive', () => {
  test('takes out what succeeds, keeps what fails, makes a batch of what remains, and tells all of it', async () => {
    functions.handle('count', ({ records }) => {
      const numbers = records.map((record) => (record['kinesis'] as { sequenceNumber: string }).sequenceNumber);
      if (numbers.includes('49667')) return failure();
      return { batchItemFailures: numbers.includes('49665') ? [{ itemIdentifier: '49665' }] : [] };
    });
    const [good, mixed, bad] = [await putBatch([1, 2]), await putBatch([4, 5, 6]), await putBatch([7])];
    const { stdout, stderr, code } = await failed('redrive', 'clicks', '--yes');
    expect({ stderr, code }).toEqual({ stderr: '', code: 1 });
    const [rest] = (await idsLeft()).filter((id) => id !== bad);
    expect(stdout.split('\n')).toEqual([
      `${good}  clicks  2 records  succeeded`,
      `${mixed}  clicks  3 records  1 record succeeded, the rest is batch ${rest}: 1 of 3 records are listed in batchItemFailures`,
      `${bad}  clicks  1 record  failed: Error`,
      '3 batches: 1 succeeded, 1 succeeded in part, 1 failed',
      '',
    ]);
    expect(invoked()).toEqual(['1 2', '4 5 6', '7']);
    expect(JSON.parse(String(functions.of('count')[0]?.headers['x-wherry-delivery']))).toMatchObject({
      mapping: 'clicks',
      batch: good,
      first: '49661',
      last: '49662',
    });
    expect(await idsLeft()).toEqual([bad, rest]);
    expect((await store.get(rest ?? ''))?.batch).toMatchObject({
      mapping: 'clicks',
      records: 2,
      firstSequenceNumber: '49665',
      lastSequenceNumber: '49666',
    });
    expect(await audited()).toEqual([['Redrive', { mapping: 'clicks', batches: 3, ids: [good, mixed, bad] }]]);

    functions.handle('count', () => ({}));
    const { stdout: json, code: second } = await failed('redrive', '--id', bad, String(rest), '--yes', '--json');
    expect(second).toBe(0);
    expect(JSON.parse(json)).toEqual({
      batches: [
        {
          id: bad,
          name: 'clicks-failed',
          mapping: 'clicks',
          mappingUuid,
          batchSize: 1,
          outcome: 'succeeded',
          reason: null,
          succeeded: 1,
          restId: null,
        },
        {
          id: rest,
          name: 'clicks-failed',
          mapping: 'clicks',
          mappingUuid,
          batchSize: 2,
          outcome: 'succeeded',
          reason: null,
          succeeded: 2,
          restId: null,
        },
      ],
      counts: { succeeded: 2 },
    });
    expect(invoked().slice(3)).toEqual(['7', '5 6']);
    expect(await idsLeft()).toEqual([]);
  });

  test('two at once never invoke a batch together, and between them do all of it', async () => {
    functions.handle('count', ({ number }) =>
      functions.until('count', (seen) => seen.length > number || seen.length === 4).then(() => ({})),
    );
    for (const number of [1, 2, 3, 4]) await putBatch([number]);
    const results = await Promise.all([failed('redrive', '--all', '--yes'), failed('redrive', '--all', '--yes')]);
    expect(results.map(({ stderr, code }) => ({ stderr, code }))).toEqual([
      { stderr: '', code: 0 },
      { stderr: '', code: 0 },
    ]);
    expect(invoked().toSorted()).toEqual(['1', '2', '3', '4']);
    expect(await idsLeft()).toEqual([]);
  });

  test('of a function whose cap the fleet has reached waits for its turn', async () => {
    const { permits } = createRedisCoordination(client, FLEET);
    for (const token of ['a', 'b']) await permits.acquire('count', [{ scope: 'reserved', limit: 2 }], token, 60_000);
    await putBatch([1]);
    const redriven = failed('redrive', '--all', '--yes');
    // Written right before the first batch is tried.
    await expect.poll(async () => (await audited()).length, { timeout: 60_000 }).toBe(1);
    expect(invoked()).toEqual([]);
    await permits.release('count', ['reserved'], 'a');
    expect(await redriven).toMatchObject({ code: 0 });
    expect(invoked()).toEqual(['1']);
  });

  test('of a mapping that left the configuration is told, and loses nothing', async () => {
    const id = await putBatch([1], { mapping: 'gone', mappingUuid: randomUUID() });
    expect(await failed('redrive', 'gone', '--yes')).toMatchObject({
      code: 1,
      stdout:
        `${id}  gone  1 record  not tried: the configuration has no stream mapping "gone" any more: bring it back, or discard the batch\n` +
        '1 batch: 1 not tried\n',
    });
    expect(await idsLeft()).toEqual([id]);
  });

  test('of nothing is told, and done', async () => {
    expect(await failed('redrive', 'clicks', '--yes')).toMatchObject({ code: 0, stderr: 'no failed batches to redrive\n' });
    expect(await failed('redrive', '--id', 'nothing', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no failed batch nothing'),
    });
  });

  test('without a terminal and without --yes is refused', async () => {
    await putBatch([1]);
    expect(await failed('redrive', '--all')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('add --yes') });
    expect(invoked()).toEqual([]);
  });
});

test('failed discard takes out what was selected, and nothing else', async () => {
  const [first, second] = [await putBatch([1]), await putBatch([2], { name: 'other' })];
  expect(await failed('discard', '--name', 'wherry://failed/clicks-failed')).toMatchObject({ code: 2 });
  expect(await failed('discard', '--name', 'wherry://failed/clicks-failed', '--yes')).toMatchObject({
    code: 0,
    stdout: 'discarded 1 batch\n',
  });
  expect(await idsLeft()).toEqual([second]);
  expect(await failed('discard', '--all', '--yes', '--json')).toMatchObject({ code: 0, stdout: '{\n  "discarded": 1,\n  "gone": 0\n}\n' });
  expect(await idsLeft()).toEqual([]);
  expect(invoked()).toEqual([]);
  expect(await audited()).toEqual([
    ['FailedDiscarded', { all: true, batches: 1, ids: [second] }],
    ['FailedDiscarded', { name: 'wherry://failed/clicks-failed', batches: 1, ids: [first] }],
  ]);
});

test('Redis that is away is an error', async () => {
  const text = JSON.stringify({
    version: 1,
    fleet: { id: 't1', accountId: '000000000000', region: 'us-east-1' },
    redis: { url: 'redis://127.0.0.1:1' },
  });
  await writeFile(configFile, text);
  expect(await failed('list')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('error: Redis cannot be used') });
});
