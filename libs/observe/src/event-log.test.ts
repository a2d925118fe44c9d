import { expect, test } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import { sampleConfig, sampleMapping } from '@wherry/testkit/sample-config';
import { sampleInvoked as invoked } from '@wherry/testkit/sample-event';
import { SimClock } from '@wherry/testkit/sim-clock';
import { EventLog } from './event-log.ts';
import { createLogger } from './log.ts';

type Level = 'trace' | 'debug' | 'info' | 'error';

function setup(level: Level = 'trace', mapping = sampleMapping()) {
  const config = sampleConfig({ logging: { level, format: 'json', redact: [] }, mappings: [mapping] });
  const lines: Record<string, unknown>[] = [];
  const texts: string[] = [];
  const write = (line: string): void => {
    texts.push(line);
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  const destination = { write };
  const logger = createLogger({ logging: config.logging, fleet: 't1', poller: 'p1', destination, isTerminal: false });
  const sim = new SimClock();
  const log = new EventLog(logger, sim.clock(), config);
  /** Lines without what every line has. */
  const said = () => lines.map(({ time: _time, pid: _pid, fleet: _fleet, poller: _poller, ...rest }) => rest);
  return { log, lines, texts, said, sim };
}

const failed = { ...invoked, outcome: 'function_error', failed: 4, error: 'TypeError' } as const;
const O = { mapping: 'orders', function: 'orders' };
const BATCH = { ...O, batch: 'b1', attempt: 1, requestId: 'r1', events: 4, bytes: 2_000, durationMs: 30, ageMs: 1_500 };
const REDIS = { redis: 'redis://127.0.0.1:6379' };
const NO_REDIS = { err: { type: 'StoreError', message: 'ECONNREFUSED' } };
const problem = { type: 'problem', mapping: 'orders', code: 'notFound', message: 'no queue', resolved: false } as const;
const gate = { type: 'gate', target: 'orders', state: 'open', reason: 'connect refused' } as const;

const TABLE: readonly { name: string; event: EngineEvent; expected: readonly object[] }[] = [
  {
    name: 'a receive with messages is told at debug',
    event: { type: 'polled', mapping: 'orders', outcome: 'events', events: 4, bytes: 9, durationMs: 12 },
    expected: [{ level: 'debug', ...O, outcome: 'events', events: 4, bytes: 9, durationMs: 12, msg: 'source polled' }],
  },
  {
    name: 'an empty receive only at trace',
    event: { type: 'polled', mapping: 'orders', outcome: 'empty', events: 0, bytes: 0, durationMs: 20_000 },
    expected: [{ level: 'trace', ...O, outcome: 'empty', events: 0, bytes: 0, durationMs: 20_000, msg: 'source polled' }],
  },
  {
    name: 'filtered events at debug',
    event: { type: 'filtered', mapping: 'orders', events: 2 },
    expected: [{ level: 'debug', ...O, events: 2, msg: 'events filtered' }],
  },
  {
    name: 'a batch that succeeded at debug',
    event: invoked,
    expected: [{ level: 'debug', ...BATCH, outcome: 'success', failed: 0, msg: 'batch invoked' }],
  },
  {
    name: 'a batch with a trace',
    event: { ...invoked, traceId: 'Root=1-66f0aaaa-0123456789abcdef01234567;Sampled=1' },
    expected: [
      {
        level: 'debug',
        ...BATCH,
        traceId: 'Root=1-66f0aaaa-0123456789abcdef01234567;Sampled=1',
        outcome: 'success',
        failed: 0,
        msg: 'batch invoked',
      },
    ],
  },
  {
    name: 'a batch whose trace header is something else, which is not repeated',
    event: { ...invoked, traceId: 'my card is 4111 1111 1111 1111' },
    expected: [{ level: 'debug', ...BATCH, outcome: 'success', failed: 0, msg: 'batch invoked' }],
  },
  {
    name: 'a batch that failed at warn, with the reason',
    event: failed,
    expected: [
      {
        level: 'warn',
        ...BATCH,
        outcome: 'function_error',
        failed: 4,
        err: { type: 'function_error', message: 'TypeError' },
        msg: 'batch failed',
      },
    ],
  },
  {
    name: 'a batch that failed in part at warn',
    event: { ...invoked, outcome: 'partial', failed: 1 },
    expected: [{ level: 'warn', ...BATCH, outcome: 'partial', failed: 1, msg: 'batch partly failed' }],
  },
  {
    name: 'settled messages at debug, failures and stale receipts at warn',
    event: { type: 'settled', mapping: 'orders', action: 'deleted', done: 7, gone: 2, failed: 1 },
    expected: [
      { level: 'debug', ...O, events: 7, gone: 2, failed: 1, msg: 'messages deleted' },
      { level: 'warn', ...O, events: 1, msg: 'messages not deleted' },
      { level: 'warn', ...O, action: 'deleted', events: 2, msg: 'receipts were no longer valid' },
    ],
  },
  {
    name: 'messages dropped because their visibility ran out at warn',
    event: { type: 'expired', mapping: 'orders', events: 3 },
    expected: [{ level: 'warn', ...O, events: 3, msg: 'messages expired before their invocation' }],
  },
  {
    name: 'a lease taken at debug',
    event: { type: 'lease', event: 'acquired', unit: 'sqs-1-0', epoch: 2 },
    expected: [{ level: 'debug', unit: 'sqs-1-0', epoch: 2, msg: 'lease acquired' }],
  },
  {
    name: 'a lease lost at warn',
    event: { type: 'lease', event: 'lost', unit: 'sqs-1-0', epoch: 2 },
    expected: [{ level: 'warn', unit: 'sqs-1-0', epoch: 2, msg: 'lease lost' }],
  },
  {
    name: 'a new number of slots at info',
    event: { type: 'scaled', mapping: 'orders', slots: 9 },
    expected: [{ level: 'info', ...O, slots: 9, msg: 'mapping scaled' }],
  },
  {
    name: 'a new state at info',
    event: { type: 'mappingState', mapping: 'orders', state: 'Enabled', reason: 'USER_INITIATED' },
    expected: [{ level: 'info', ...O, state: 'Enabled', reason: 'USER_INITIATED', msg: 'mapping state changed' }],
  },
  {
    name: 'trouble of a mapping at warn',
    event: problem,
    expected: [{ level: 'warn', ...O, code: 'notFound', err: { type: 'notFound', message: 'no queue' }, msg: 'mapping problem found' }],
  },
  {
    name: 'its end at info',
    event: { ...problem, resolved: true },
    expected: [{ level: 'info', ...O, code: 'notFound', reason: 'no queue', msg: 'mapping problem resolved' }],
  },
  {
    name: 'an open breaker at warn',
    event: gate,
    expected: [{ level: 'warn', target: 'orders', reason: 'connect refused', msg: 'circuit breaker opened' }],
  },
  {
    name: 'a throttled target at warn',
    event: { ...gate, state: 'throttled', reason: '429' },
    expected: [{ level: 'warn', target: 'orders', reason: '429', msg: 'target throttled' }],
  },
  {
    name: 'a probe at info',
    event: { ...gate, state: 'probing', reason: '' },
    expected: [{ level: 'info', target: 'orders', reason: '', msg: 'target probed' }],
  },
  {
    name: 'a closed breaker at info',
    event: { ...gate, state: 'closed', reason: '' },
    expected: [{ level: 'info', target: 'orders', reason: '', msg: 'circuit breaker closed' }],
  },
  {
    name: 'a Redis that was never there at warn: it may be about to start',
    event: { type: 'storeUp', up: false, message: 'ECONNREFUSED' },
    expected: [{ level: 'warn', ...REDIS, ...NO_REDIS, msg: 'redis cannot be reached yet; the poller keeps trying' }],
  },
  {
    name: 'Redis reached at info',
    event: { type: 'storeUp', up: true, message: '' },
    expected: [{ level: 'info', ...REDIS, msg: 'redis reached' }],
  },
  {
    name: 'a crash of a mapping at error, with its stack',
    event: { type: 'crashed', mapping: 'orders', error: new TypeError('x is undefined') },
    expected: [
      {
        level: 'error',
        ...O,
        err: { type: 'TypeError', message: 'x is undefined', stack: expect.stringMatching(/^at /) },
        msg: 'mapping crashed',
      },
    ],
  },
];

test.each(TABLE)('$name', ({ event, expected }) => {
  const { log, said } = setup();
  log.observe(event);
  expect(said()).toEqual(expected);
});

test('Redis is lost only after it was there, however late it came, and then at error', () => {
  // A logger that prints errors alone still has to know that Redis was there.
  for (const level of ['trace', 'error'] as const) {
    const { log, said } = setup(level);
    for (const up of [false, true, false, true, false]) log.observe({ type: 'storeUp', up, message: 'ECONNREFUSED' });
    const lost = { level: 'error', ...REDIS, ...NO_REDIS, msg: 'redis lost' };
    expect(said().filter((line) => line['msg'] === 'redis lost')).toEqual([lost, lost]);
    if (level === 'trace') expect(said().map((line) => line['level'])).toEqual(['warn', 'info', 'error', 'info', 'error']);
  }
});

test('every kind of event has a row in the table', () => {
  expect([...new Set(TABLE.map((row) => row.event.type))].toSorted()).toEqual(
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

test('an event that carries a payload by mistake leaks none of it', () => {
  const secret = 'MARKER-4111';
  const { log, lines } = setup();
  const strayed = { body: secret, payload: secret, records: [{ body: secret }], recordJson: secret, receiptHandle: secret };
  for (const { event } of TABLE) log.observe({ ...event, ...strayed });
  const jsonError = (() => {
    try {
      return JSON.parse(`{"card": ${secret}`) as unknown;
    } catch (error) {
      return error;
    }
  })();
  expect(String(jsonError)).toContain('MARKER'); // V8 quotes its input: this is the leak the log must close.
  const withInput = Object.assign(new TypeError('Invalid URL', { cause: jsonError }), { input: secret });
  for (const error of [jsonError, withInput, { body: secret }, [secret], undefined])
    log.observe({ type: 'crashed', mapping: 'orders', error });
  expect(lines.length).toBeGreaterThan(TABLE.length);
  expect(JSON.stringify(lines)).not.toContain('MARKER');
});

test('a free text is cut to one short line wherever an event has one', () => {
  const text = `first\nsecond ${'x'.repeat(5_000)}`;
  const { log, lines } = setup();
  for (const { event } of TABLE) {
    const texts = Object.fromEntries(['error', 'message', 'reason'].filter((key) => key in event).map((key) => [key, text]));
    log.observe({ ...event, ...texts, ...(event.type === 'crashed' ? { error: new Error(text) } : {}) } as EngineEvent);
  }
  for (const line of lines) {
    const { err, reason = '' } = line as { err?: { message: string }; reason?: string };
    for (const said of [err?.message ?? '', reason]) {
      expect(said.length).toBeLessThanOrEqual(256);
      expect(said).not.toContain('\n');
    }
  }
});

test('repeated identical failures are told once, then counted once a minute', async () => {
  const { log, said, sim } = setup();
  log.observe(failed);
  for (let second = 1; second <= 59; second++) {
    await sim.advance(1_000);
    log.observe({ ...failed, batch: `b${second}` });
    log.tick();
  }
  expect(said()).toHaveLength(1);
  await sim.advance(1_000);
  log.tick();
  expect(said()).toHaveLength(2);
  expect(said()[1]).toMatchObject({ msg: 'batch failed', batch: 'b59', repeats: 59 });
  log.observe({ ...failed, error: 'RangeError' });
  expect(said()).toHaveLength(3);
  log.observe(failed);
  log.flush();
  expect(said()[3]).toMatchObject({ msg: 'batch failed', repeats: 1 });
});

test('a failure that stays away for a minute is news again', async () => {
  const { log, said, sim } = setup();
  log.observe(failed);
  await sim.advance(60_000);
  log.tick();
  log.observe(failed);
  expect(said().map((line) => [line['msg'], line['repeats']])).toEqual([
    ['batch failed', undefined],
    ['batch failed', undefined],
  ]);
});

test('a flood of different failures does not fill the memory', () => {
  const { log, lines } = setup();
  for (let i = 0; i < 1_001; i++) log.observe({ ...failed, error: `error ${i}` });
  log.observe({ ...failed, error: 'error 1000' }); // remembered, so folded
  log.observe({ ...failed, error: 'error 0' }); // forgotten, so told
  expect(lines).toHaveLength(1_002);
});

test('a mapping’s own level holds for its lines alone', () => {
  const { log, said } = setup('info', sampleMapping({ logLevel: 'debug' }));
  log.observe(invoked);
  log.observe({ type: 'lease', event: 'acquired', unit: 'sqs-1-0', epoch: 2 });
  log.observe({ ...invoked, mapping: 'gone' });
  expect(said().map((line) => line['mapping'])).toEqual(['orders']);
});

test('no line names its function twice: not every reader of JSON takes a repeated name', () => {
  const { log, texts } = setup();
  for (const { event } of TABLE) log.observe(event);
  expect(texts.filter((line) => line.split('"function":').length > 2)).toEqual([]);
});

test('a batch that ends after its mapping was removed still names its function', () => {
  const { log, said } = setup();
  log.observe({ ...invoked, mapping: 'gone', function: 'former' });
  expect(said()).toEqual([expect.objectContaining({ mapping: 'gone', function: 'former', msg: 'batch invoked' })]);
});
