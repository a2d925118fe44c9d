import { expect, test } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import { sampleConfig, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { sampleInvoked } from '@wherry/testkit/sample-event';
import { SimClock } from '@wherry/testkit/sim-clock';
import { EventLog } from './event-log.ts';
import { createLogger } from './log.ts';

function setup() {
  const config = sampleConfig({ logging: { level: 'trace', format: 'json', redact: [] }, mappings: [sampleStreamMapping()] });
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const logger = createLogger({ logging: config.logging, fleet: 't1', poller: 'p1', destination, isTerminal: false });
  const log = new EventLog(logger, new SimClock().clock(), config);
  const said = () => lines.map(({ time: _time, pid: _pid, fleet: _fleet, poller: _poller, ...rest }) => rest);
  return { log, said };
}

const C = { mapping: 'clicks', function: 'orders' };
const S = { mapping: 'clicks', shard: 'shardId-1' } as const;
const discarded = {
  type: 'discarded',
  ...S,
  condition: 'RetryAttemptsExhausted',
  events: 2,
  batch: 'b1',
  firstSequenceNumber: '7',
  lastSequenceNumber: '9',
} as const;
const destination = { type: 'destination', ...S, destination: 'sqs', condition: 'RetryAttemptsExhausted', events: 2 } as const;
const blocked = { type: 'blocked', ...S, lane: 3, reason: 'functionError', attempts: 4, error: 'TypeError: no plan' } as const;

const TABLE: readonly { name: string; event: EngineEvent; expected: readonly object[] }[] = [
  { name: 'a checkpoint that was written has no line', event: { type: 'checkpointed', ...S, result: 'written', events: 5 }, expected: [] },
  {
    name: 'one that was fenced at warn',
    event: { type: 'checkpointed', ...S, result: 'fenced' },
    expected: [{ level: 'warn', ...C, shard: 'shardId-1', msg: 'checkpoint refused: the lease has changed hands' }],
  },
  {
    name: 'one that would go back at warn',
    event: { type: 'checkpointed', ...S, result: 'regression' },
    expected: [{ level: 'warn', ...C, shard: 'shardId-1', msg: 'checkpoint refused: a later one is stored' }],
  },
  {
    name: 'one that Redis did not take at warn',
    event: { type: 'checkpointed', ...S, result: 'failed' },
    expected: [{ level: 'warn', ...C, shard: 'shardId-1', msg: 'checkpoint not written yet' }],
  },
  { name: 'an age has no line', event: { type: 'iteratorAge', ...S, ageMs: 900 }, expected: [] },
  {
    name: 'a blocked lane at warn, with attempt and reason',
    event: blocked,
    expected: [
      {
        level: 'warn',
        ...C,
        shard: 'shardId-1',
        lane: 3,
        reason: 'functionError',
        attempt: 4,
        err: { type: 'functionError', message: 'TypeError: no plan' },
        msg: 'shard blocked',
      },
    ],
  },
  {
    name: 'one that goes on at info',
    event: { ...blocked, attempts: 0, error: '' },
    expected: [{ level: 'info', ...C, shard: 'shardId-1', lane: 3, msg: 'shard unblocked' }],
  },
  {
    name: 'records given up at warn, with their range',
    event: discarded,
    expected: [
      {
        level: 'warn',
        ...C,
        shard: 'shardId-1',
        condition: 'RetryAttemptsExhausted',
        events: 2,
        batch: 'b1',
        firstSequenceNumber: '7',
        lastSequenceNumber: '9',
        msg: 'records given up',
      },
    ],
  },
  {
    name: 'a failure record that was delivered at debug',
    event: { ...destination, outcome: 'delivered' },
    expected: [
      {
        level: 'debug',
        ...C,
        shard: 'shardId-1',
        destination: 'sqs',
        condition: 'RetryAttemptsExhausted',
        events: 2,
        msg: 'failure record delivered',
      },
    ],
  },
  {
    name: 'one that was refused at warn',
    event: { ...destination, outcome: 'failed', message: 'no such queue' },
    expected: [
      {
        level: 'warn',
        ...C,
        shard: 'shardId-1',
        destination: 'sqs',
        condition: 'RetryAttemptsExhausted',
        events: 2,
        err: { type: 'DestinationDeliveryFailure', message: 'no such queue' },
        msg: 'failure record not delivered',
      },
    ],
  },
  {
    name: 'records that their destination refused to the last at error',
    event: { ...destination, outcome: 'dropped' },
    expected: [expect.objectContaining({ level: 'error', msg: 'records dropped: their failure destination refused them' })],
  },
  {
    name: 'records without a destination at warn',
    event: { ...destination, destination: 'none', outcome: 'dropped' },
    expected: [expect.objectContaining({ level: 'warn', msg: 'records dropped: there is no failure destination' })],
  },
  {
    name: 'new shards at info',
    event: { type: 'shards', mapping: 'clicks', change: 'found', shards: ['a', 'b'] },
    expected: [{ level: 'info', ...C, count: 2, shards: ['a', 'b'], msg: 'shards found' }],
  },
  {
    name: 'shards that wait for a person at error',
    event: { type: 'shards', mapping: 'clicks', change: 'damaged', shards: ['a'] },
    expected: [{ level: 'error', ...C, count: 1, shards: ['a'], msg: 'checkpoints cannot be read: shards wait until somebody seeks' }],
  },
  { name: 'no shard is no news', event: { type: 'shards', mapping: 'clicks', change: 'found', shards: [] }, expected: [] },
  {
    name: 'a pause at info, with who and why',
    event: { type: 'paused', mapping: 'clicks', by: 'alice@laptop', reason: 'deploy\nnow' },
    expected: [{ level: 'info', ...C, by: 'alice@laptop', reason: 'deploy now', msg: 'mapping paused' }],
  },
  {
    name: 'its end at info',
    event: { type: 'resumed', mapping: 'clicks' },
    expected: [{ level: 'info', ...C, msg: 'mapping resumed' }],
  },
];

test('every kind of event of streams has a row in the table', () => {
  const kinds = new Set<string>(TABLE.map((row) => row.event.type));
  const own = ['blocked', 'checkpointed', 'destination', 'discarded', 'iteratorAge', 'paused', 'resumed', 'shards'];
  expect(own.filter((kind) => !kinds.has(kind))).toEqual([]);
});

test.each(TABLE)('$name', ({ event, expected }) => {
  const { log, said } = setup();
  log.observe(event);
  expect(said()).toEqual(expected);
});

test('a batch of a stream names its shard, and says when it was split', () => {
  const { log, said } = setup();
  log.observe({ ...sampleInvoked, ...S, outcome: 'function_error', failed: 4, isBisected: true });
  expect(said()).toEqual([expect.objectContaining({ msg: 'batch failed', shard: 'shardId-1', bisected: true })]);
});

test('a lane that keeps failing for one reason is one line a minute, whatever its attempt', () => {
  const { log, said } = setup();
  for (let attempt = 1; attempt <= 50; attempt++) log.observe({ ...blocked, attempts: attempt });
  expect(said()).toHaveLength(1);
  log.observe({ ...blocked, error: 'RangeError' });
  expect(said()).toHaveLength(2);
  log.flush();
  expect(said()[2]).toMatchObject({ msg: 'shard blocked', attempt: 50, repeats: 49 });
});

test('every batch that was given up has its line, because its range of sequence numbers stands nowhere else', () => {
  const { log, said } = setup();
  for (let i = 0; i < 10; i++) log.observe({ ...discarded, firstSequenceNumber: `${i}` });
  expect(said()).toHaveLength(10);
});

test('shards that wait for a person are told once, though each look at the stream finds them again', () => {
  const { log, said } = setup();
  for (let look = 0; look < 5; look++) log.observe({ type: 'shards', mapping: 'clicks', change: 'stopped', shards: ['a', 'b'] });
  expect(said()).toHaveLength(1);
});

test('of very many shards the first are named and all are counted', () => {
  const { log, said } = setup();
  log.observe({ type: 'shards', mapping: 'clicks', change: 'ended', shards: Array.from({ length: 500 }, (_, i) => `shard-${i}`) });
  expect(said()).toEqual([expect.objectContaining({ count: 500, shards: expect.objectContaining({ length: 20 }) })]);
});
