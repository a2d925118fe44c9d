import type { FleetStatus } from '@wherry/engine/fleet-status';
import { Totals } from '@wherry/observe/totals';
import { sampleConfig, sampleMapping } from '@wherry/testkit/sample-config';
import { sampleInvoked } from '@wherry/testkit/sample-event';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { statusReport } from './status.ts';

const status: FleetStatus = {
  fleet: 't1',
  poller: 'p1',
  configHash: 'a'.repeat(64),
  ready: true,
  draining: false,
  storeUp: true,
  inFlight: 2,
  bufferedBytes: 3_000,
  bufferedEvents: 4,
  backpressure: false,
  pollers: [
    {
      token: 'p1',
      silentMs: 12,
      version: '0.1.0',
      configHash: 'a'.repeat(64),
      capacity: 1,
      draining: false,
      startedAtMs: Date.UTC(2026, 0, 1),
      leases: 5,
      inFlight: 2,
      bufferedBytes: 3_000,
      adminUrl: 'http://127.0.0.1:9401',
    },
  ],
  mappings: [
    {
      name: 'orders',
      uuid: sampleMapping().uuid,
      state: 'Enabled',
      stateTransitionReason: 'USER_INITIATED',
      eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
      functionName: 'orders',
      slotsDesired: 5,
      slotsHeld: 5,
      slotsHere: 3,
      inFlight: 2,
      bufferedBytes: 3_000,
      problem: null,
      gate: { state: 'closed', reason: '', waitMs: 0, concurrencyLimit: Number.POSITIVE_INFINITY },
    },
  ],
  leases: [],
  held: [],
};

test('the shape of /v1/status is frozen: programs read it', () => {
  const sim = new SimClock(Date.UTC(2026, 0, 1));
  const totals = new Totals(sim.clock());
  totals.observe({ ...sampleInvoked, outcome: 'partial', failed: 1, ageMs: 700, error: 'TypeError' });
  const report = statusReport({
    status,
    config: sampleConfig(),
    version: '0.1.0',
    totals: (mapping) => totals.read(mapping),
    backlog: () => ({ visible: 40, inFlight: 20, delayed: 1 }),
  });
  expect(JSON.parse(JSON.stringify(report))).toEqual({
    fleet: 't1',
    poller: 'p1',
    version: '0.1.0',
    configHash: 'a'.repeat(64),
    ready: true,
    draining: false,
    redisUp: true,
    buffer: { usedBytes: 3_000, limitBytes: 268_435_456, events: 4, backpressure: false },
    pollers: [
      {
        token: 'p1',
        version: '0.1.0',
        configHash: 'a'.repeat(64),
        adminUrl: 'http://127.0.0.1:9401',
        startedAt: '2026-01-01T00:00:00.000Z',
        silentMs: 12,
        draining: false,
        leases: 5,
        inFlight: 2,
        bufferedBytes: 3_000,
      },
    ],
    mappings: [
      {
        name: 'orders',
        uuid: sampleMapping().uuid,
        source: 'sqs',
        state: 'Enabled',
        stateTransitionReason: 'USER_INITIATED',
        eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
        functionName: 'orders',
        slots: { desired: 5, held: 5, here: 3 },
        capacity: 5,
        inFlight: 2,
        bufferedBytes: 3_000,
        totals: { polled: 0, filtered: 0, invoked: 4, succeeded: 3, failed: 1, deleted: 0 },
        rates: { polled: 0, filtered: 0, succeeded: 0, failed: 0 },
        oldestAgeMs: 700,
        backlog: { visible: 40, inFlight: 20, delayed: 1 },
        problem: null,
        gate: { state: 'closed', reason: '', waitMs: 0, concurrencyLimit: null },
        lastFailure: { at: '2026-01-01T00:00:00.000Z', outcome: 'partial', error: 'TypeError' },
      },
    ],
  });
});

test('a slot of a provisioned mapping carries ten batches', () => {
  const config = sampleConfig({ mappings: [sampleMapping({ provisionedPollerConfig: { minimumPollers: 2, maximumPollers: 20 } })] });
  const totals = new Totals(new SimClock().clock());
  const report = statusReport({ status, config, version: '', totals: (name) => totals.read(name), backlog: () => undefined });
  expect(report.mappings.map(({ capacity, backlog, lastFailure }) => [capacity, backlog, lastFailure])).toEqual([[50, null, null]]);
});
