import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import type { Coordination } from '@wherry/core/coordination';
import { type LeaseNote, writeLeaseNote } from '@wherry/core/stream/lease-note';
import { shardUnitId, type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';
import { sampleConfig, sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { collectFleetReport, collectFleetReportFrom } from './fleet-status.ts';
import type { MappingReport, StatusReport } from './status.ts';

const UUID = sampleMapping().uuid;
const member = (name: string) => ({
  version: '0.1.0',
  configHash: 'a'.repeat(64),
  capacity: 1,
  draining: false,
  startedAtMs: 0,
  leases: 1,
  inFlight: 0,
  bufferedBytes: 0,
  adminUrl: `http://${name}:9401`,
});

function answer(poller: string, part: Partial<MappingReport>): StatusReport {
  const mapping = {
    name: 'orders',
    uuid: UUID,
    source: 'sqs',
    state: 'Enabled',
    slots: { desired: 5, held: 2, here: 1 },
    inFlight: 1,
    shards: null,
    totals: { polled: 10, filtered: 0, invoked: 10, succeeded: 9, failed: 1, deleted: 9, dropped: 0, delivered: 0 },
    rates: { polled: 2, filtered: 1, succeeded: 1.5, failed: 0.5 },
    oldestAgeMs: null,
    iteratorAgeMs: null,
    paused: null,
    backlog: null,
    problem: null,
    gate: null,
    lastFailure: null,
    ...part,
  } as MappingReport;
  return {
    fleet: 't1',
    poller,
    ready: true,
    pollers: [{ token: poller, configHash: 'b'.repeat(64) }],
    mappings: [mapping],
  } as unknown as StatusReport;
}

const failure = (at: string) => ({ at, outcome: 'function_error', error: at });

/** Answers `/v1/status` of each host; a host that is missing refuses the connection. */
function fakeFetch(answers: Readonly<Record<string, StatusReport | number>>, seen: (string | null)[] = []): typeof fetch {
  return (url, init) => {
    seen.push(new Headers(init?.headers).get('authorization'));
    const found = answers[new URL(url instanceof Request ? url.url : url).hostname];
    if (found === undefined) return Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }));
    return Promise.resolve(typeof found === 'number' ? new Response('{}', { status: found }) : Response.json(found));
  };
}

async function setup() {
  const clock = new SimClock().clock();
  const coordination = createMemoryCoordination(clock);
  for (const name of ['p1', 'p2', 'p3']) await coordination.members.heartbeat(name, member(name), 10_000);
  await coordination.leases.acquire(`sqs-${UUID}-0`, 'p1', 10_000);
  await coordination.leases.acquire(`sqs-${UUID}-1`, 'p2', 10_000);
  return { coordination, monotonicMs: () => clock.monotonicMs() };
}

test('counts of all pollers are added up, and slots come from the store', async () => {
  const fetchAll = fakeFetch({
    p1: answer('p1', { backlog: { visible: 40, inFlight: 2, delayed: 0 }, oldestAgeMs: 100, lastFailure: failure('2026-01-01') }),
    p2: answer('p2', { oldestAgeMs: 900, problem: 'notFound: no queue', lastFailure: failure('2026-01-02') }),
    p3: answer('p3', { problem: 'notFound: no queue', state: 'Updating' }),
  });
  const report = await collectFleetReport({ ...(await setup()), config: sampleConfig(), fetch: fetchAll });
  expect(report.redis).toEqual({ up: true, latencyMs: 0, error: null });
  expect(report.pollers.map(({ token, ready, error }) => [token, ready, error])).toEqual(
    ['p1', 'p2', 'p3'].map((name) => [name, true, null]),
  );
  expect(report.configHashes).toEqual(['a'.repeat(64)]);
  expect(report.mappings).toMatchObject([
    {
      name: 'orders',
      state: 'Updating',
      slots: { desired: 5, held: 2 },
      capacity: 5,
      inFlight: 3,
      totals: { polled: 30, succeeded: 27, failed: 3 },
      rates: { polled: 6, filtered: 3, succeeded: 4.5, failed: 1.5 },
      oldestAgeMs: 900,
      backlog: { visible: 40 },
      problems: ['notFound: no queue'],
      lastFailure: { error: '2026-01-02' },
    },
  ]);
});

test('a poller that does not answer appears with what the store knows of it, and with the reason', async () => {
  const seen: (string | null)[] = [];
  const config = sampleConfig({ admin: { listen: '127.0.0.1:9401', bearerTokens: ['secret'] } });
  const answers = { p1: 401, p2: { ...answer('p2', {}), fleet: 'other' } };
  const report = await collectFleetReport({ ...(await setup()), config, fetch: fakeFetch(answers, seen) });
  expect(seen).toEqual(['Bearer secret', 'Bearer secret', 'Bearer secret']);
  expect(report.pollers.map(({ ready, error }) => [ready, error])).toEqual([
    [null, 'http://p1:9401 answered 401: it refuses the bearer token'],
    [null, 'http://p2:9401 belongs to fleet other'],
    [null, 'http://p3:9401 did not answer: connect ECONNREFUSED'],
  ]);
  expect(report.mappings).toMatchObject([{ state: 'Enabled', slots: { desired: 5, held: 2 }, inFlight: null, rates: null, totals: null }]);
});

test.each<[why: string, answer: () => Promise<Response>, error: string]>([
  ['what answers is no poller', () => Promise.resolve(Response.json(null)), 'answered with something else than a status'],
  ['what answers knows no mappings', () => Promise.resolve(Response.json({ fleet: 't1' })), 'answered with something else than a status'],
  ['it is too slow', () => Promise.reject(new DOMException('aborted', 'TimeoutError')), 'did not answer: no answer within 2 s'],
  [
    'no address of its name takes a connection',
    () => Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }) })),
    'did not answer: ECONNREFUSED',
  ],
])('a poller is reported as it is where %s', async (_, send, error) => {
  const report = await collectFleetReport({ ...(await setup()), config: sampleConfig(), fetch: send });
  expect(report.pollers.map((poller) => poller.error)).toEqual(['p1', 'p2', 'p3'].map((name) => `http://${name}:9401 ${error}`));
  expect(report.pollers.every((poller) => poller.ready === null && poller.leases === 1)).toBe(true);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

const uuid = (index: number): string => `00000000-0000-5000-8000-${String(index).padStart(12, '0')}`;

test('the store is asked as often for a thousand mappings as for one', async () => {
  const { coordination, monotonicMs } = await setup();
  const mappings = Array.from({ length: 1_000 }, (_, index) => sampleMapping({ name: `queue-${index}`, uuid: uuid(index) }));
  await coordination.leases.acquire(`sqs-${uuid(7)}-0`, 'p1', 10_000);
  const asked: string[] = [];
  const counted = <Port extends object>(name: string, port: Port): Port =>
    new Proxy(port, {
      get: (target, method) => {
        asked.push(`${name}.${String(method)}`);
        return (Reflect.get(target, method) as (...args: unknown[]) => unknown).bind(target);
      },
    });
  const watched = {
    ...coordination,
    leases: counted('leases', coordination.leases),
    members: counted('members', coordination.members),
    scale: counted('scale', coordination.scale),
  };
  const report = await collectFleetReport({ config: sampleConfig({ mappings }), coordination: watched, monotonicMs, fetch: fakeFetch({}) });
  expect(asked).toEqual(['members.members', 'scale.desired', 'leases.view']);
  expect(report.mappings[7]?.slots).toEqual({ desired: 5, held: 1 });
  expect(report.mappings.reduce((sum, { slots }) => sum + slots.held, 0)).toBe(1);
});

test('without a store the admin address of the configuration is asked', async () => {
  const coordination = { members: { members: () => Promise.reject(new Error('redis is down')) } } as unknown as Coordination;
  const config = sampleConfig();
  const found = await collectFleetReport({
    config,
    coordination,
    monotonicMs: () => 0,
    fetch: fakeFetch({ '127.0.0.1': answer('p1', {}) }),
  });
  expect(found.redis).toEqual({ up: false, latencyMs: null, error: 'redis is down' });
  expect(found.pollers).toMatchObject([{ token: 'p1', ready: true, error: null }]);
  expect(found.mappings).toMatchObject([{ slots: { desired: 5, held: 2 }, inFlight: 1 }]);
  const nobody = await collectFleetReport({ config, coordination, monotonicMs: () => 0, fetch: fakeFetch({}) });
  expect(nobody).toMatchObject({ pollers: [], configHashes: [], mappings: [{ name: 'orders', inFlight: null }] });
});

test('one poller is enough to ask the fleet without a configuration or a store', async () => {
  const pollers = ['p1', 'p2', 'p3'].map((name) => ({ ...member(name), token: name }));
  const first = { ...answer('p1', { capacity: 5 }), redisUp: true, pollers } as unknown as StatusReport;
  const send = fakeFetch({ p1: first, p2: answer('p2', { state: 'Updating' }) });
  const found = await collectFleetReportFrom('http://p1:9401', { fetch: send });
  expect(found).toMatchObject({
    fleet: 't1',
    redis: { up: true, latencyMs: null, error: null },
    pollers: [
      { token: 'p1', ready: true, error: null },
      { token: 'p2', ready: true },
      { token: 'p3', ready: null, error: 'http://p3:9401 did not answer: connect ECONNREFUSED' },
    ],
    mappings: [{ name: 'orders', state: 'Updating', capacity: 5, slots: { desired: 5, held: 2 }, inFlight: 2 }],
  });
  expect(await collectFleetReportFrom('http://p9:9401', { fetch: send })).toBe('http://p9:9401 did not answer: connect ECONNREFUSED');
});

const CLICKS = sampleStreamMapping({ parallelizationFactor: 2 });
const STREAM: StreamIdentity = { arn: CLICKS.eventSourceArn, createdAtMs: 1 };
const unitOf = (shardId: string): string => shardUnitId(CLICKS.uuid, streamKey(STREAM), shardId);
const note: LeaseNote = { state: 'blocked', lane: 0, attempts: 4, reason: 'functionError', error: 'TypeError', blockedSinceMs: 60_000 };
const clicks = (poller: string, part: Partial<MappingReport>): StatusReport =>
  answer(poller, { name: 'clicks', uuid: CLICKS.uuid, source: 'kinesis', slots: { desired: 0, held: 0, here: 0 }, ...part });

async function setupStream() {
  const { coordination, monotonicMs } = await setup();
  const { leases, streams } = coordination;
  const shards = ['over', 'a', 'b', 'child'];
  await leases.create(shards.map((shardId) => ({ id: unitOf(shardId), checkpoint: 'TRIM_HORIZON', ended: shardId === 'over' })));
  const register = shards.map((shardId) => ({ shardId, parentShardIds: shardId === 'child' ? ['b'] : [] }));
  await streams.change(CLICKS.uuid, STREAM, { register, missing: [], nowMs: 0, foundAgain: [], retire: [], unregister: [] });
  await leases.acquire(unitOf('a'), 'p1', 10_000);
  await leases.note(unitOf('a'), 'p1', 1, writeLeaseNote(note));
  return { coordination, monotonicMs, config: sampleConfig({ mappings: [CLICKS] }) };
}

test('of a stream the store tells the shards and what blocks them, the pollers how far they are behind', async () => {
  const fetchAll = fakeFetch({
    p1: clicks('p1', { iteratorAgeMs: 4_000, lastProcessingResult: 'OK', lastProcessedAt: '2026-01-01T00:00:00.000Z' }),
    p2: clicks('p2', {
      iteratorAgeMs: 90_000,
      lastProcessingResult: 'PROBLEM: Function call failed',
      lastProcessedAt: '2026-01-01T00:00:09.000Z',
    }),
    p3: clicks('p3', { lastProcessingResult: 'No records processed' }),
  });
  const report = await collectFleetReport({ ...(await setupStream()), fetch: fetchAll });
  expect(report.mappings).toEqual([
    {
      name: 'clicks',
      uuid: CLICKS.uuid,
      source: 'kinesis',
      state: 'Enabled',
      paused: null,
      lastProcessingResult: 'PROBLEM: Function call failed',
      lastProcessedAt: '2026-01-01T00:00:09.000Z',
      eventSourceArn: CLICKS.eventSourceArn,
      functionName: 'orders',
      slots: { desired: 0, held: 0 },
      shards: {
        known: 4,
        ended: 1,
        readable: 2,
        held: 1,
        lost: 0,
        damaged: 0,
        blocked: [
          {
            shardId: 'a',
            since: '1970-01-01T00:01:00.000Z',
            lane: 0,
            attempts: 4,
            reason: 'functionError',
            error: 'TypeError',
            nextAttemptAt: null,
          },
        ],
      },
      capacity: 4,
      inFlight: 3,
      totals: { polled: 30, filtered: 0, invoked: 30, succeeded: 27, failed: 3, deleted: 27, dropped: 0, delivered: 0 },
      rates: { polled: 6, filtered: 3, succeeded: 4.5, failed: 1.5 },
      oldestAgeMs: null,
      iteratorAgeMs: 90_000,
      backlog: null,
      problems: [],
      gate: null,
      lastFailure: null,
    },
  ]);
});

test('a paused stream wants no shard to be held, and says by whom', async () => {
  const options = await setupStream();
  await options.coordination.pauses.pause(CLICKS.uuid, 'bob@desk', 'look', Infinity);
  const report = await collectFleetReport({ ...options, fetch: fakeFetch({}) });
  expect(report.mappings).toMatchObject([
    { paused: { by: 'bob@desk', reason: 'look', leftMs: null }, capacity: 0, shards: { known: 4, readable: 0, held: 1 } },
  ]);
});

test('without a store the pollers tell the shards that they read', async () => {
  const coordination = { members: { members: () => Promise.reject(new Error('redis is down')) } } as unknown as Coordination;
  const lane = { since: '2026-01-01T00:00:05.000Z', lane: 1, attempts: 2, reason: 'refused', error: 'x', nextAttemptAt: null };
  const here = [
    { shardId: 'a', blocked: [lane, { ...lane, since: '2026-01-01T00:00:01.000Z', lane: 0 }] },
    { shardId: 'b', blocked: [] },
  ];
  const shards = { known: 9, ended: 5, readable: 4, held: 2, here } as unknown as MappingReport['shards'];
  const report = await collectFleetReport({
    config: sampleConfig({ mappings: [CLICKS] }),
    coordination,
    monotonicMs: () => 0,
    fetch: fakeFetch({ '127.0.0.1': clicks('p1', { shards }) }),
  });
  expect(report.mappings[0]).toMatchObject({
    capacity: 8,
    shards: { known: null, ended: null, readable: 4, held: 2, lost: null, blocked: [{ shardId: 'a', lane: 0 }] },
  });
});
