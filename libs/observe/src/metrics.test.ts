import { expect, test } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import { sampleConfig, sampleMapping } from '@wherry/testkit/sample-config';
import { sampleInvoked as invoked } from '@wherry/testkit/sample-event';
import { Metrics, NO_LEVELS } from './metrics.ts';
import type { Levels } from './metrics.ts';

function setup(config = sampleConfig(), levels: () => Levels = () => NO_LEVELS) {
  const metrics = new Metrics({ config, poller: 'p1', version: '0.1.0', nodeVersion: 'v24.21.0', levels });
  /** Value of one series, written as in `/metrics` but without the prefix; undefined when the scrape lacks it. */
  const read = async (series: string): Promise<number | undefined> => {
    const [name = '', labels = ''] = series.split(/[{}]/);
    const wanted = labels === '' ? [] : labels.split(',');
    for (const line of (await metrics.render()).split('\n')) {
      const match = /^wherry_(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (match?.[1] !== name) continue;
      const found = (match[2] ?? '').split(',');
      if (wanted.every((label) => found.includes(label))) return Number(match[3]);
    }
    return undefined;
  };
  return { metrics, read };
}

const polled = { type: 'polled', mapping: 'orders', outcome: 'events', events: 4, bytes: 2_000, durationMs: 12 } as const;
const O = 'mapping="orders",function="orders",source="sqs"';

const TABLE: readonly { name: string; events: readonly EngineEvent[]; expected: Readonly<Record<string, number>> }[] = [
  {
    name: 'a receive counts its events and its time',
    events: [polled],
    expected: {
      [`events_polled_total{${O}}`]: 4,
      [`polls_total{${O},outcome="events"}`]: 1,
      [`polls_total{${O},outcome="empty"}`]: 0,
      [`poll_duration_seconds_sum{${O}}`]: 0.012,
      [`poll_duration_seconds_bucket{${O},le="0.025"}`]: 1,
    },
  },
  {
    name: 'a success counts its events once and its duration by outcome',
    events: [invoked],
    expected: {
      [`events_invoked_total{${O}}`]: 4,
      [`events_failed_total{${O}}`]: 0,
      [`invocations_total{${O},outcome="success"}`]: 1,
      [`invocations_total{${O},outcome="throttled"}`]: 0,
      [`retries_total{${O}}`]: 0,
      [`invoke_duration_seconds_sum{outcome="success",${O}}`]: 0.03,
      [`batch_events_sum{${O}}`]: 4,
      [`batch_bytes_sum{${O}}`]: 2_000,
      [`event_age_seconds_sum{${O}}`]: 1.5,
    },
  },
  {
    name: 'MET-02 throttled twice, then a success: polled 1, invoked 3, failed 2',
    events: [
      { ...polled, events: 1 },
      { ...invoked, events: 1, outcome: 'throttled', failed: 1 },
      { ...invoked, events: 1, outcome: 'throttled', failed: 1, attempt: 2 },
      { ...invoked, events: 1, attempt: 3 },
    ],
    expected: {
      [`events_polled_total{${O}}`]: 1,
      [`events_invoked_total{${O}}`]: 3,
      [`events_failed_total{${O}}`]: 2,
      [`retries_total{${O}}`]: 2,
      [`invocations_total{${O},outcome="throttled"}`]: 2,
    },
  },
  {
    name: 'FLT-10 three messages of which one matches: polled 3, filtered 2, invoked 1, deleted 3',
    events: [
      { ...polled, events: 3 },
      { type: 'filtered', mapping: 'orders', events: 2 },
      { ...invoked, events: 1 },
      { type: 'settled', mapping: 'orders', action: 'deleted', done: 3, gone: 0, failed: 0 },
    ],
    expected: {
      [`events_polled_total{${O}}`]: 3,
      [`events_filtered_total{${O}}`]: 2,
      [`events_invoked_total{${O}}`]: 1,
      [`events_deleted_total{${O}}`]: 3,
    },
  },
  {
    name: 'a partial failure fails only the reported events',
    events: [{ ...invoked, outcome: 'partial', failed: 1 }],
    expected: { [`events_invoked_total{${O}}`]: 4, [`events_failed_total{${O}}`]: 1, [`invocations_total{${O},outcome="partial"}`]: 1 },
  },
  {
    name: 'a delete that fails or comes too late is no deletion',
    events: [{ type: 'settled', mapping: 'orders', action: 'deleted', done: 1, gone: 2, failed: 3 }],
    expected: {
      [`events_deleted_total{${O}}`]: 1,
      [`settles_total{${O},action="deleted",outcome="gone"}`]: 2,
      [`settles_total{${O},action="deleted",outcome="failed"}`]: 3,
    },
  },
  {
    name: 'a message given back is no deletion either',
    events: [{ type: 'settled', mapping: 'orders', action: 'released', done: 5, gone: 0, failed: 0 }],
    expected: { [`events_deleted_total{${O}}`]: 0, [`settles_total{${O},action="released",outcome="done"}`]: 5 },
  },
  {
    name: 'messages whose visibility ran out are counted apart',
    events: [{ type: 'expired', mapping: 'orders', events: 7 }],
    expected: { [`events_expired_total{${O}}`]: 7, [`events_invoked_total{${O}}`]: 0 },
  },
  {
    name: 'lease changes count by kind',
    events: [
      { type: 'lease', event: 'acquired', unit: 'sqs-1-0', epoch: 1 },
      { type: 'lease', event: 'lost', unit: 'sqs-1-0', epoch: 1 },
    ],
    expected: { 'lease_transitions_total{event="acquired"}': 1, 'lease_transitions_total{event="lost"}': 1 },
  },
  {
    name: 'a mapping is in exactly one state',
    events: [
      { type: 'mappingState', mapping: 'orders', state: 'Creating', reason: 'USER_INITIATED' },
      { type: 'mappingState', mapping: 'orders', state: 'Enabled', reason: 'USER_INITIATED' },
    ],
    expected: { [`mapping_state{${O},state="Creating"}`]: 0, [`mapping_state{${O},state="Enabled"}`]: 1 },
  },
  {
    name: 'a problem stands until it is resolved',
    events: [
      { type: 'problem', mapping: 'orders', code: 'notFound', message: 'no queue', resolved: false },
      { type: 'problem', mapping: 'orders', code: 'accessDenied', message: 'denied', resolved: false },
      { type: 'problem', mapping: 'orders', code: 'notFound', message: '', resolved: true },
    ],
    expected: { [`mapping_problem{${O},code="notFound"}`]: 0, [`mapping_problem{${O},code="accessDenied"}`]: 1 },
  },
  {
    name: 'a gate has one state per target',
    events: [
      { type: 'gate', target: 'orders', state: 'open', reason: 'connect refused' },
      { type: 'gate', target: 'orders', state: 'probing', reason: '' },
    ],
    expected: { 'target_gate{target="orders",state="open"}': 0, 'target_gate{target="orders",state="probing"}': 1 },
  },
  {
    name: 'redis_up follows the store',
    events: [
      { type: 'storeUp', up: true, message: '' },
      { type: 'storeUp', up: false, message: 'ECONNREFUSED' },
    ],
    expected: { redis_up: 0 },
  },
  {
    name: 'crashes of a mapping are counted',
    events: [{ type: 'crashed', mapping: 'orders', error: new TypeError('x') }],
    expected: { [`mapping_crashes_total{${O}}`]: 1 },
  },
  { name: 'a wish for slots alone is no level of this poller', events: [{ type: 'scaled', mapping: 'orders', slots: 9 }], expected: {} },
];

test.each(TABLE)('$name', async ({ events, expected }) => {
  const { metrics, read } = setup();
  for (const event of events) metrics.observe(event);
  const found = Object.fromEntries(await Promise.all(Object.keys(expected).map(async (series) => [series, await read(series)] as const)));
  expect(found).toEqual(expected);
});

test('every kind of event has a row in the table', () => {
  const kinds = new Set(TABLE.flatMap((row) => row.events.map((event) => event.type)));
  expect([...kinds].toSorted()).toEqual(
    [
      'crashed',
      'expired',
      'filtered',
      'gate',
      'invoked',
      'lease',
      'mappingState',
      'polled',
      'problem',
      'scaled',
      'settled',
      'storeUp',
    ].toSorted(),
  );
});

test('levels are read at each scrape, and a queue read elsewhere now leaves no old value', async () => {
  let levels: Levels = {
    ...NO_LEVELS,
    leasesHeld: 5,
    bufferedBytes: 1_000,
    bufferedEvents: 3,
    backpressure: true,
    mappings: [{ mapping: 'orders', inFlight: 2, queue: { visible: 40, inFlight: 20, delayed: 1 }, desiredPollers: 5 }],
    functions: [{ function: 'orders', concurrencyLimit: 8 }],
    eventLoopDelay: { '0.99': 0.011 },
  };
  const { read } = setup(sampleConfig(), () => levels);
  expect(await read('leases_held')).toBe(5);
  expect(await read('buffered_bytes')).toBe(1_000);
  expect(await read('buffered_events')).toBe(3);
  expect(await read('backpressure')).toBe(1);
  expect(await read(`inflight_invocations{${O}}`)).toBe(2);
  expect(await read(`queue_messages{${O},state="visible"}`)).toBe(40);
  expect(await read(`queue_messages{${O},state="delayed"}`)).toBe(1);
  expect(await read(`desired_pollers{${O}}`)).toBe(5);
  expect(await read('concurrency_limit{function="orders"}')).toBe(8);
  expect(await read('event_loop_delay_seconds{quantile="0.99"}')).toBe(0.011);
  levels = { ...NO_LEVELS, mappings: [{ mapping: 'orders', inFlight: 0 }] };
  expect(await read(`queue_messages{${O},state="visible"}`)).toBeUndefined();
  expect(await read(`inflight_invocations{${O}}`)).toBe(0);
});

test('labels come from the configuration: static ones on every series, a mapping’s own on its series', async () => {
  const config = sampleConfig({
    metrics: { prefix: 'wherry', labels: { env: 'prod' }, nodejs: false, perShard: false },
    mappings: [sampleMapping({ labels: { tier: 'gold', mapping: 'stolen', 'not-a-name': 'x' } }), sampleMapping({ name: 'plain' })],
  });
  const { metrics, read } = setup(config);
  metrics.observe(polled);
  metrics.observe({ type: 'storeUp', up: true, message: '' });
  expect(await read(`events_polled_total{${O},tier="gold",env="prod"}`)).toBe(4);
  expect(await read('events_polled_total{mapping="plain",tier="",env="prod"}')).toBe(0);
  expect(await read('redis_up{env="prod"}')).toBe(1);
});

test('a new configuration forgets series of removed mappings, keeps the others and names labels that need a restart', async () => {
  const { metrics, read } = setup(sampleConfig({ mappings: [sampleMapping(), sampleMapping({ name: 'old' })] }));
  for (const mapping of ['orders', 'old']) {
    metrics.observe({ ...polled, mapping });
    metrics.observe({ ...invoked, mapping });
    metrics.observe({ type: 'settled', mapping, action: 'deleted', done: 1, gone: 1, failed: 1 });
    metrics.observe({ type: 'mappingState', mapping, state: 'Enabled', reason: '' });
    metrics.observe({ type: 'problem', mapping, code: 'throttled', message: '', resolved: false });
  }
  // An open gate of a function that is gone would raise an alarm for ever.
  metrics.observe({ type: 'gate', target: 'retired', state: 'open', reason: 'connect refused' });
  const later = sampleConfig({
    hash: 'b'.repeat(64),
    mappings: [sampleMapping(), sampleMapping({ name: 'fresh', labels: { tier: 'gold' } })],
  });
  expect(metrics.configure(later)).toEqual(['tier']);
  expect(await metrics.render()).not.toContain('"old"');
  expect(await metrics.render()).not.toContain('"retired"');
  // Batches in flight end after their mapping was removed; that must not bring its series back.
  metrics.observe({ ...invoked, mapping: 'old' });
  metrics.observe({ type: 'settled', mapping: 'old', action: 'deleted', done: 1, gone: 0, failed: 0 });
  metrics.observe({ type: 'mappingState', mapping: 'old', state: 'Deleting', reason: '' });
  expect(await metrics.render()).not.toContain('"old"');
  expect(await read(`events_polled_total{${O}}`)).toBe(4);
  expect(await read('events_polled_total{mapping="fresh"}')).toBe(0);
  expect(await read(`config_info{hash="${'b'.repeat(64)}",fleet="t1"}`)).toBe(1);
  expect(await read(`config_info{hash="${'a'.repeat(64)}"}`)).toBeUndefined();
});

test('reloads, Redis operations, the build and a grace that ran out have their metrics', async () => {
  const { metrics, read } = setup();
  metrics.reloaded(true, 1_700_000_000_000);
  expect(await read('config_last_reload_successful')).toBe(1);
  metrics.reloaded(false, 1_700_000_100_000);
  expect(await read('config_last_reload_successful')).toBe(0);
  expect(await read('config_last_reload_success_timestamp_seconds')).toBe(1_700_000_000);
  metrics.redisCommand('leases.renew', 0.002);
  expect(await read('redis_command_duration_seconds_count{command="leases.renew"}')).toBe(1);
  expect(await read('build_info{version="0.1.0",node="v24.21.0",poller="p1"}')).toBe(1);
  metrics.graceExceeded();
  expect(await read('shutdown_grace_exceeded_total')).toBe(1);
});

test('each help text says what the metric is on Lambda, and the prefix is the configured one', async () => {
  const { metrics } = setup(sampleConfig({ metrics: { prefix: 'mine', labels: {}, nodejs: true, perShard: false } }));
  const text = await metrics.render();
  const own = text.split('\n').filter((line) => line.startsWith('# HELP mine_') && !/mine_(nodejs|process)_/.test(line));
  expect(own.length).toBeGreaterThan(30);
  expect(own.filter((line) => !/Lambda: |SQS: /.test(line))).toEqual([]);
  expect(text).toContain('mine_nodejs_eventloop_lag_p99_seconds');
  expect(text).not.toContain('wherry_');
});
