import { expect, test } from 'vitest';
import type { FleetMappingReport, FleetPollerReport, FleetReport } from './fleet-status.ts';
import { renderStatus } from './render-status.ts';

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
  eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
  functionName: 'orders',
  slots: { desired: 20, held: 20 },
  capacity: 20,
  inFlight: 18,
  totals: { polled: 1, filtered: 0, invoked: 1, succeeded: 1, failed: 0, deleted: 1 },
  rates: { polled: 3_110.4, filtered: 2_698, succeeded: 411, failed: 0.8 },
  oldestAgeMs: 1_200,
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
  expect(renderStatus({ ...report, mappings: [mapping, idle] })).toBe(
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
  expect(renderStatus({ ...report, mappings: [{ ...mapping, oldestAgeMs }] })).toContain(`  ${expected}  `);
});

test('everything that needs a look gets a line of its own', () => {
  const text = renderStatus({
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
  });
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
