import { expect, test } from 'vitest';
import type { FleetMappingReport, FleetPollerReport, FleetReport } from './fleet-status.ts';
import { renderStatus } from './render-status.ts';

const NOW = Date.UTC(2026, 0, 1);

const poller: FleetPollerReport = {
  token: 'p1',
  version: '0.1.0',
  configHash: '7f3a9c00',
  adminUrl: 'http://127.0.0.1:9401',
  startedAt: '2026-01-01T00:00:00.000Z',
  silentMs: 100,
  draining: false,
  leases: 5,
  inFlight: 1,
  bufferedBytes: 0,
  ready: true,
  error: null,
};
const mapping: FleetMappingReport = {
  name: 'orders-queue',
  uuid: 'u',
  source: 'sqs',
  state: 'Enabled',
  paused: null,
  eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
  functionName: 'orders',
  slots: { desired: 20, held: 20 },
  shards: null,
  capacity: 20,
  inFlight: 18,
  totals: { polled: 1, filtered: 0, invoked: 1, succeeded: 1, failed: 0, deleted: 1, dropped: 0, delivered: 0 },
  rates: { polled: 3_110.4, filtered: 2_698, succeeded: 411, failed: 0.8 },
  oldestAgeMs: 1_200,
  iteratorAgeMs: null,
  backlog: { visible: 1_204, inFlight: 18, delayed: 0 },
  problems: [],
  gate: { state: 'closed', reason: '', waitMs: 0, concurrencyLimit: null },
  lastFailure: null,
};
const report: FleetReport = {
  fleet: 'billing',
  redis: { up: true, latencyMs: 0.42, error: null },
  configHashes: ['7f3a9c00'],
  pollers: [poller, poller, poller],
  mappings: [mapping],
};

test('a healthy fleet is a headline and a table', () => {
  const idle = { ...mapping, name: 'x', rates: null, oldestAgeMs: null, backlog: null, inFlight: null, capacity: 5 };
  expect(renderStatus({ ...report, mappings: [mapping, idle] }, NOW)).toBe(
    [
      'wherry · fleet billing · 3 pollers · config 7f3a9c (all agree) · redis 0.4 ms',
      '',
      'MAPPING       SOURCE  STATE    IN/s   FILTERED/s  OK/s  FAIL/s  OLDEST  BACKLOG  BUSY',
      'orders-queue  sqs     Enabled  3,110  2,698       411   0.8     1.2 s   1,204    18/20',
      'x             sqs     Enabled  -      -           -     -       -       -        -/5',
    ].join('\n'),
  );
});

test.each([
  [0, '0 ms'],
  [850, '850 ms'],
  [59_900, '59.9 s'],
  [843_000, '14m 03s'],
  [7_500_000, '2h 05m'],
])('an age of %i ms reads %s', (oldestAgeMs, expected) => {
  expect(renderStatus({ ...report, mappings: [{ ...mapping, oldestAgeMs }] }, NOW)).toContain(`  ${expected}  `);
});

test('everything that needs a look gets a line of its own', () => {
  const text = renderStatus(
    {
      ...report,
      redis: { up: false, latencyMs: null, error: 'ECONNREFUSED' },
      configHashes: ['7f3a9c00', 'bbbbbbbb'],
      pollers: [poller, { ...poller, token: 'p2', ready: null, error: 'did not answer' }, { ...poller, token: 'p3', draining: true }],
      mappings: [
        {
          ...mapping,
          problems: ['notFound: no queue\u001B[2J'],
          gate: { state: 'open', reason: 'connect refused', waitMs: 8_000, concurrencyLimit: 3 },
          lastFailure: { at: '2026-01-01T00:00:00.000Z', outcome: 'function_error', error: 'TypeError' },
          slots: { desired: 20, held: 19 },
        },
      ],
    },
    NOW,
  );
  expect(text.split('\n')[0]).toBe('wherry · fleet billing · 3 pollers · configs 7f3a9c, bbbbbb (pollers differ) · redis down');
  expect(text.split('\n').filter((line) => line.startsWith('!'))).toEqual([
    '! orders-queue: notFound: no queue [2J',
    '! orders-queue: circuit breaker open, next try in 8.0 s: connect refused',
    '! orders-queue: last failure at 2026-01-01T00:00:00.000Z: function_error TypeError',
    '! orders-queue: 19 of 20 slots are held',
    '! redis: ECONNREFUSED',
    '! poller p2: did not answer',
    '! poller p3 drains',
  ]);
});

/** A stream of four shards, one of which keeps failing. */
const stream: FleetMappingReport = {
  ...mapping,
  name: 'audit',
  source: 'dynamodb',
  slots: { desired: 0, held: 0 },
  shards: {
    known: 9,
    ended: 5,
    readable: 4,
    held: 4,
    lost: 0,
    damaged: 0,
    blocked: [
      {
        shardId: 'shardId-00000001789651650123-0a1b0c1e',
        since: new Date(NOW - 843_000).toISOString(),
        lane: 0,
        attempts: 4,
        reason: 'functionError',
        error: "TypeError: cannot read 'plan'",
        nextAttemptAt: new Date(NOW + 8_000).toISOString(),
      },
    ],
  },
  capacity: 4,
  inFlight: 1,
  rates: { polled: 40, filtered: 0, succeeded: 0, failed: 2 },
  iteratorAgeMs: 843_000,
  backlog: null,
  lastFailure: { at: '2026-01-01T00:00:00.000Z', outcome: 'function_error', error: 'TypeError' },
};
const well = { ...stream.shards!, blocked: [] };

test('a stream with a blocked shard is Blocked, and says which, at which attempt, why, and when it is tried next', () => {
  const clicks = {
    ...stream,
    name: 'clicks',
    source: 'kinesis',
    shards: { ...well, readable: 16, held: 16 },
    capacity: 16,
    iteratorAgeMs: 900,
  } as const;
  expect(
    renderStatus({ ...report, mappings: [{ ...clicks, lastFailure: null }, stream] }, NOW)
      .split('\n')
      .slice(2),
  ).toEqual([
    'MAPPING  SOURCE    STATE    IN/s  FILTERED/s  OK/s  FAIL/s  OLDEST   BACKLOG                BUSY',
    'clicks   kinesis   Enabled  40    0           0     2       900 ms   16/16 shards           1/16',
    'audit    dynamodb  Blocked  40    0           0     2       14m 03s  1 of 4 shards blocked  1/4',
    '',
    "! audit: shardId-…0a1b0c1e attempt 4 since 14m 03s, next in 8.0 s: functionError TypeError: cannot read 'plan'",
  ]);
});

test('a paused mapping says by whom, why, and for how long', () => {
  const paused = { by: 'alice@laptop', reason: 'deploy', sinceMs: 723_000, leftMs: 2_880_000 };
  const text = renderStatus(
    { ...report, mappings: [{ ...stream, paused, shards: { ...well, readable: 0, held: 0 }, lastFailure: null }] },
    NOW,
  );
  expect(text).toMatch(/^audit +dynamodb +Paused .* 14m 03s +- +1\/4$/m);
  expect(text).toMatch(/^! audit: paused by alice@laptop 12m 03s ago, for another 48m 00s: deploy$/m);
});

test.each([
  [{ held: 3 }, ['! audit: 3 of 4 shards are held']],
  [
    { lost: 1, damaged: 2 },
    [
      '! audit: the checkpoints of 1 shard are gone (wherry leases audit)',
      '! audit: the checkpoints of 2 shards cannot be read (wherry leases audit)',
    ],
  ],
  [
    { blocked: Array.from({ length: 8 }, () => stream.shards!.blocked[0]!) },
    [...Array<unknown>(5).fill(expect.stringMatching(/attempt 4/)), '! audit: 3 shards more blocked (wherry leases audit)'],
  ],
])('shards that need a look: %j', (given, expected) => {
  const text = renderStatus({ ...report, mappings: [{ ...stream, shards: { ...well, ...given }, lastFailure: null }] }, NOW);
  expect(text.split('\n').filter((line) => line.startsWith('!'))).toEqual(expected);
});
