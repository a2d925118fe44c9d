import type { EngineEvent } from '@wherry/core/engine-event';
import type { FleetStatus } from '@wherry/engine/fleet-status';
import { Totals } from '@wherry/observe/totals';
import { sampleConfig, sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { sampleInvoked } from '@wherry/testkit/sample-event';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { type MappingReport, statusReport } from './status.ts';

const NOW = Date.UTC(2026, 0, 1);

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
      source: 'sqs',
      state: 'Enabled',
      stateTransitionReason: 'USER_INITIATED',
      paused: null,
      eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
      functionName: 'orders',
      slotsDesired: 5,
      slotsHeld: 5,
      slotsHere: 3,
      shards: null,
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
  const sim = new SimClock(NOW);
  const totals = new Totals(sim.clock());
  totals.observe({ ...sampleInvoked, outcome: 'partial', failed: 1, ageMs: 700, error: 'TypeError' });
  const report = statusReport({
    status,
    config: sampleConfig(),
    version: '0.1.0',
    nowMs: NOW,
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
        paused: null,
        eventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
        functionName: 'orders',
        slots: { desired: 5, held: 5, here: 3 },
        shards: null,
        capacity: 5,
        inFlight: 2,
        bufferedBytes: 3_000,
        totals: { polled: 0, filtered: 0, invoked: 4, succeeded: 3, failed: 1, deleted: 0, dropped: 0, delivered: 0 },
        rates: { polled: 0, filtered: 0, succeeded: 0, failed: 0 },
        oldestAgeMs: 700,
        iteratorAgeMs: null,
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
  const report = statusReport({ status, config, version: '', nowMs: 0, totals: (name) => totals.read(name), backlog: () => undefined });
  expect(report.mappings.map(({ capacity, backlog, lastFailure }) => [capacity, backlog, lastFailure])).toEqual([[50, null, null]]);
});

const CLICKS = sampleStreamMapping({ parallelizationFactor: 2 });
const stream: FleetStatus['mappings'][number] = {
  ...status.mappings[0]!,
  name: 'clicks',
  uuid: CLICKS.uuid,
  source: 'kinesis',
  stateTransitionReason: 'User action',
  paused: { by: 'bob@desk', reason: 'look', sinceMs: 5, leftMs: null },
  eventSourceArn: CLICKS.eventSourceArn,
  slotsDesired: 0,
  slotsHeld: 0,
  slotsHere: 0,
  shards: {
    known: 7,
    ended: 3,
    readable: 4,
    held: 3,
    here: [
      {
        shardId: 'shardId-1',
        state: 'blocked',
        checkpoint: 'TRIM_HORIZON',
        behindMs: 200,
        lanes: 2,
        inFlight: 1,
        bufferedBytes: 9,
        bufferedEvents: 3,
        blocked: [{ lane: 1, reason: 'functionError', attempts: 4, error: 'TypeError', sinceMs: NOW - 60_000, nextAtMs: NOW + 8_000 }],
      },
    ],
  },
};

function streamReport(...told: EngineEvent[]): MappingReport {
  const totals = new Totals(new SimClock(NOW).clock());
  for (const event of told) totals.observe(event);
  const config = sampleConfig({ mappings: [CLICKS] });
  const inputs = { status: { ...status, mappings: [stream] }, config, version: '', nowMs: NOW, backlog: () => undefined };
  return statusReport({ ...inputs, totals: (mapping) => totals.read(mapping) }).mappings[0]!;
}

test('the shape of a stream in /v1/status is frozen too', () => {
  const { name: _name, uuid: _uuid, gate: _gate, rates: _rates, totals: _totals, ...shown } = streamReport();
  expect(JSON.parse(JSON.stringify(shown))).toEqual({
    source: 'kinesis',
    state: 'Enabled',
    stateTransitionReason: 'User action',
    lastProcessingResult: 'No records processed',
    lastProcessedAt: null,
    paused: { by: 'bob@desk', reason: 'look', sinceMs: 5, leftMs: null },
    eventSourceArn: CLICKS.eventSourceArn,
    functionName: 'orders',
    slots: { desired: 0, held: 0, here: 0 },
    shards: {
      known: 7,
      ended: 3,
      readable: 4,
      held: 3,
      here: [
        {
          shardId: 'shardId-1',
          state: 'blocked',
          checkpoint: 'TRIM_HORIZON',
          behindMs: 200,
          lanes: 2,
          inFlight: 1,
          bufferedBytes: 9,
          bufferedEvents: 3,
          blocked: [
            {
              since: '2025-12-31T23:59:00.000Z',
              lane: 1,
              attempts: 4,
              reason: 'functionError',
              error: 'TypeError',
              nextAttemptAt: '2026-01-01T00:00:08.000Z',
            },
          ],
        },
      ],
    },
    capacity: 8,
    inFlight: 2,
    bufferedBytes: 3_000,
    oldestAgeMs: null,
    // What a lane fails on was read before it was blocked.
    iteratorAgeMs: 60_000,
    backlog: null,
    problem: null,
    lastFailure: null,
  });
});

const resultOf = (...told: EngineEvent[]) => streamReport(...told).lastProcessingResult;

test('STA-02 a stream says what its last records came to: nothing yet, OK, the problem, OK after a partial response', () => {
  const invoked = { ...sampleInvoked, mapping: 'clicks' };
  expect(resultOf()).toBe('No records processed');
  expect(resultOf(invoked)).toBe('OK');
  expect(resultOf(invoked, { ...invoked, outcome: 'function_error', failed: 4 })).toBe('PROBLEM: Function call failed');
  expect(resultOf({ ...invoked, outcome: 'partial', failed: 1 })).toBe('OK');
});

test('STA-03 a queue never has a last result', () => {
  const totals = new Totals(new SimClock().clock());
  totals.observe({ ...sampleInvoked, outcome: 'function_error', failed: 4 });
  const inputs = { status, config: sampleConfig(), version: '', nowMs: 0, backlog: () => undefined };
  const report = statusReport({ ...inputs, totals: (name) => totals.read(name) });
  expect(Object.keys(report.mappings[0] ?? {}).filter((name) => name.startsWith('lastProcess'))).toEqual([]);
});
