import { expect, test } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { StreamMapping } from '@wherry/core/mapping';
import { sampleConfig, sampleMapping, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { sampleInvoked } from '@wherry/testkit/sample-event';
import { Metrics, NO_LEVELS, type StreamLevels } from './metrics.ts';

function setup({ stream, perShard = false }: { stream?: StreamLevels; perShard?: boolean } = {}, given: Partial<StreamMapping> = {}) {
  const config = sampleConfig({
    metrics: { prefix: 'wherry', labels: {}, nodejs: false, perShard },
    mappings: [sampleStreamMapping(given), sampleMapping({ labels: given.labels ?? {} })],
  });
  const mappings = stream === undefined ? [] : [{ mapping: 'clicks', inFlight: 0, stream }];
  const levels = () => ({ ...NO_LEVELS, mappings });
  const metrics = new Metrics({ config, poller: 'p1', version: '0.1.0', nodeVersion: 'v24.21.0', levels });
  /** The samples of a metric by its labels beyond those of the mapping, written as in `/metrics`. */
  const read = async (name: string): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const line of (await metrics.render()).split('\n')) {
      const match = /^wherry_(\w+)\{(.*)\} (\S+)$/.exec(line);
      if (match?.[1] !== name || !match[2]?.includes('mapping="clicks"')) continue;
      const labels = match[2].split(',').filter((label) => !/^(mapping|function|source)=/.test(label));
      found[labels.toSorted().join(',')] = Number(match[3]);
    }
    return found;
  };
  return { metrics, read };
}

const S = { mapping: 'clicks', shard: 'shardId-1' } as const;
const polled = { type: 'polled', mapping: 'clicks', outcome: 'events', events: 3, bytes: 300, durationMs: 5 } as const;
const failed = { ...sampleInvoked, ...S, outcome: 'function_error', events: 3, failed: 3 } as const;
const discarded = {
  type: 'discarded',
  ...S,
  condition: 'RetryAttemptsExhausted',
  events: 3,
  batch: 'b1',
  firstSequenceNumber: '1',
  lastSequenceNumber: '3',
} as const;
const destination = { type: 'destination', ...S, destination: 'sqs', condition: 'RetryAttemptsExhausted', events: 3 } as const;
const DENIED = 'condition="RetryAttemptsExhausted"';

const TABLE: readonly { name: string; events: readonly EngineEvent[]; expected: Readonly<Record<string, Record<string, number>>> }[] = [
  {
    name: 'MET-01 three failing records with a destination: polled 3, invoked 3, failed 3, delivered 3, dropped none',
    events: [polled, failed, discarded, { ...destination, outcome: 'delivered' }],
    expected: {
      events_polled_total: { '': 3 },
      events_invoked_total: { '': 3 },
      events_failed_total: { '': 3 },
      events_onfailure_delivered_total: { '': 3 },
      events_dropped_total: { 'reason="retries"': 0, 'reason="age"': 0 },
      destination_deliveries_total: { [`${DENIED},outcome="delivered",type="sqs"`]: 1 },
    },
  },
  {
    name: 'STR-16 a destination that refuses until the records are given up: dropped 3, one failed delivery, each try before it counted',
    events: [polled, failed, discarded, { ...destination, outcome: 'failed' }, { ...destination, outcome: 'dropped' }],
    expected: {
      events_onfailure_delivered_total: { '': 0 },
      events_dropped_total: { 'reason="retries"': 3, 'reason="age"': 0 },
      destination_deliveries_total: { [`${DENIED},outcome="error",type="sqs"`]: 1, [`${DENIED},outcome="dropped",type="sqs"`]: 1 },
    },
  },
  {
    name: 'MET-02 a stream throttled twice, then a success: polled 1, invoked 3, failed 2',
    events: [
      { ...polled, events: 1 },
      { ...failed, events: 1, outcome: 'throttled', failed: 1 },
      { ...failed, events: 1, outcome: 'throttled', failed: 1, attempt: 2 },
      { ...failed, events: 1, outcome: 'success', failed: 0, attempt: 3 },
    ],
    expected: { events_polled_total: { '': 1 }, events_invoked_total: { '': 3 }, events_failed_total: { '': 2 } },
  },
  {
    name: 'MET-03 the age of a batch is that of its last record when it is sent to the function',
    events: [{ ...failed, ageMs: 9_000, lastAgeMs: 2_500 }],
    expected: { event_age_seconds_sum: { '': 2.5 }, event_age_seconds_count: { '': 1 } },
  },
  {
    name: 'records too old without a destination are dropped for their age, and nothing was delivered or tried',
    events: [{ ...destination, condition: 'RecordAgeExceeded', destination: 'none', outcome: 'dropped' }],
    expected: { events_dropped_total: { 'reason="retries"': 0, 'reason="age"': 3 }, destination_deliveries_total: {} },
  },
  {
    name: 'a failure record that waits for its destination is neither delivered nor dropped',
    events: [discarded, { ...destination, outcome: 'failed' }],
    expected: { events_dropped_total: { 'reason="retries"': 0, 'reason="age"': 0 }, events_onfailure_delivered_total: { '': 0 } },
  },
  {
    name: 'checkpoints count by outcome, and the events that a good one covers',
    events: [
      { type: 'checkpointed', ...S, result: 'written', events: 40 },
      { type: 'checkpointed', ...S, result: 'written', events: 2 },
      { type: 'checkpointed', ...S, result: 'fenced' },
    ],
    expected: {
      events_checkpointed_total: { '': 42 },
      checkpoints_total: { 'outcome="written"': 2, 'outcome="fenced"': 1, 'outcome="regression"': 0, 'outcome="failed"': 0 },
    },
  },
  {
    name: 'a batch that is split counts as a bisect',
    events: [{ ...failed, isBisected: true }, failed],
    expected: { bisects_total: { '': 1 } },
  },
  {
    name: 'a pause stands until it is resumed',
    events: [{ type: 'paused', mapping: 'clicks', by: 'alice', reason: '' }],
    expected: { mapping_paused: { '': 1 } },
  },
  {
    name: 'ages, blocked lanes and shards are levels, not counts',
    events: [
      { type: 'paused', mapping: 'clicks', by: 'alice', reason: '' },
      { type: 'resumed', mapping: 'clicks' },
      { type: 'iteratorAge', ...S, ageMs: 5 },
      { type: 'blocked', ...S, lane: 0, reason: 'functionError', attempts: 1, error: 'x' },
      { type: 'shards', mapping: 'clicks', change: 'found', shards: ['a'] },
    ],
    expected: { mapping_paused: { '': 0 }, iterator_age_seconds: {}, shards: {} },
  },
];

test('every kind of event of streams has a row in the table', () => {
  const kinds = new Set<string>(TABLE.flatMap((row) => row.events.map((event) => event.type)));
  const own = ['blocked', 'checkpointed', 'destination', 'discarded', 'iteratorAge', 'paused', 'resumed', 'shards'];
  expect(own.filter((kind) => !kinds.has(kind))).toEqual([]);
});

test.each(TABLE)('$name', async ({ events, expected }) => {
  const { metrics, read } = setup();
  for (const event of events) metrics.observe(event);
  const found = Object.fromEntries(await Promise.all(Object.keys(expected).map(async (name) => [name, await read(name)] as const)));
  expect(found).toEqual(expected);
});

const SHARDS = [
  { shard: 'a', isBlocked: false, ageMs: 1_500 },
  { shard: 'b', isBlocked: true, ageMs: 90_000 },
  { shard: 'c', isBlocked: false, ageMs: 0 },
];

test('the age of a mapping is that of its worst shard, and no shard is a label unless asked for', async () => {
  const { read } = setup({ stream: { shards: SHARDS } });
  expect(await read('iterator_age_seconds')).toEqual({ '': 90 });
  expect(await read('shard_iterator_age_seconds')).toEqual({});
  expect(await read('shards')).toEqual({ 'state="leased"': 2, 'state="blocked"': 1 });
});

test('metrics.perShard adds the age of each shard', async () => {
  const { read } = setup({ stream: { shards: SHARDS }, perShard: true });
  expect(await read('shard_iterator_age_seconds')).toEqual({ 'shard="a"': 1.5, 'shard="b"': 90, 'shard="c"': 0 });
});

test('a poller that lists the stream says how many shards of the fleet wait, and one without shards says nothing of their age', async () => {
  const { read } = setup({ stream: { shards: [], fleet: { waiting: 2, pending: 3, finished: 40 } } });
  expect(await read('iterator_age_seconds')).toEqual({});
  expect(await read('shards')).toEqual({
    'state="leased"': 0,
    'state="blocked"': 0,
    'state="waiting"': 2,
    'state="pending"': 3,
    'state="finished"': 40,
  });
});

test('a stream mapping that left the configuration leaves no series behind', async () => {
  const { metrics } = setup({ perShard: true });
  for (const { events } of TABLE) for (const event of events) metrics.observe(event);
  metrics.configure(sampleConfig());
  expect(await metrics.render()).not.toContain('"clicks"');
});

test('a label of a mapping that a metric of streams uses gives way', async () => {
  const { metrics } = setup({}, { labels: { shard: 'x', reason: 'x', type: 'x', condition: 'x' } });
  expect(await metrics.render()).not.toContain('"x"');
});

test('a queue has no counters of streams', async () => {
  const { metrics } = setup();
  const text = await metrics.render();
  expect(text).toMatch(/wherry_checkpoints_total\{mapping="clicks"/);
  expect(text).not.toMatch(/wherry_(checkpoints|bisects|events_dropped)_total\{mapping="orders"/);
});
