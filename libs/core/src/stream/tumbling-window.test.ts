import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, it } from 'vitest';
import { Crash, type Handler, RAISED, recordAt, type StoredShard, type WindowEvent, WindowedLane } from '../../test-data/windowed-lane.ts';
import { IDLE_GRACE_MS, WINDOW_STATE_BYTES_MAX } from './tumbling-window.ts';

const fresh = (): StoredShard => ({ checkpoint: -1, window: '' });
const counted = ({ Records, state }: WindowEvent): object => ({ state: { count: Number(state['count'] ?? 0) + Records.length } });

/** A handler that keeps the events: `[records, state, final, early]` of each. */
function keeping(events: unknown[], handler: Handler = counted): Handler {
  return (event, text) => {
    const numbers = event.Records.map(({ n }) => n);
    const flags = `${event.isFinalInvokeForWindow ? 'final' : ''}${event.isWindowTerminatedEarly ? ' early' : ''}`;
    events.push([event.window.start.slice(14, 19), numbers, event.state, flags]);
    return handler(event, text);
  };
}

/** Records 0, 1, … that arrived at these seconds. */
const arrived = (...seconds: number[]) => seconds.map((second, n) => recordAt(n, second * 1_000));

/** Returns 2 MB for record 1, and dies in the call that this leads to. */
const diesInEarlyCall: Handler = ({ Records }) => {
  if (Records.length === 0) throw new Crash();
  return { state: { text: 'x'.repeat(Records[0]!.n === 1 ? 2_000_000 : 1) } };
};

describe('tumbling windows of a shard', () => {
  it('WIN-01 the second batch of a window carries the state of the first', () => {
    const events: unknown[] = [];
    const store = fresh();
    new WindowedLane(store, keeping(events), { batchSize: 2 }).page(arrived(1, 2, 3));
    expect(events).toEqual([
      ['00:00', [0, 1], {}, ''],
      ['00:00', [2], { count: 2 }, ''],
    ]);
    expect(store).toEqual({ checkpoint: 2, window: '{"startMs":0,"endMs":10000,"state":{"count":3}}' });
  });

  it('WIN-02 a record of the next window brings the final call, and the new window begins with {}', () => {
    const events: unknown[] = [];
    const lane = new WindowedLane(fresh(), keeping(events));
    lane.page(arrived(1, 2));
    lane.page([recordAt(2, 12_000)]);
    expect(events).toEqual([
      ['00:00', [0, 1], {}, ''],
      ['00:00', [], { count: 2 }, 'final'],
      ['00:10', [2], {}, ''],
    ]);
  });

  it('WIN-03 without more records the final call comes within 120 s of the end of the window', () => {
    const events: unknown[] = [];
    const store = fresh();
    const lane = new WindowedLane(store, keeping(events), {}, 9_000);
    lane.page(arrived(8));
    for (; events.length < 2; lane.nowMs += 1_000) lane.page([]);
    expect(events[1]).toEqual(['00:00', [], { count: 1 }, 'final']);
    expect(lane.nowMs).toBeLessThanOrEqual(10_000 + 120_000);
    expect(lane.nowMs).toBeGreaterThan(10_000 + IDLE_GRACE_MS);
    expect(store).toEqual({ checkpoint: 0, window: '' });
  });

  it.each([
    ['no state', {}],
    ['null', null],
    ['nothing', ''],
    ['a list of failures alone', { batchItemFailures: [] }],
    ['a state that is no object', { state: 3 }],
  ])('WIN-04 a response with %s is a failed invocation: the same state is sent again', (_, answer) => {
    const events: unknown[] = [];
    const lane = new WindowedLane(
      fresh(),
      keeping(events, (event) => (events.length === 2 ? answer : counted(event))),
      {
        batchSize: 1,
        report: true,
      },
    );
    lane.page(arrived(1, 2));
    expect(events).toEqual([
      ['00:00', [0], {}, ''],
      ['00:00', [1], { count: 1 }, ''],
      ['00:00', [1], { count: 1 }, ''],
    ]);
  });

  it('WIN-05 a state over 1 MB ends the window early, with the whole state, and the window goes on with {}', () => {
    const events: unknown[] = [];
    const large = 'x'.repeat(WINDOW_STATE_BYTES_MAX - '{"text":""}'.length);
    const texts = [large, `${large}x`, 'dropped', 'small'];
    const store = fresh();
    const lane = new WindowedLane(
      store,
      keeping(events, () => ({ state: { text: texts.shift() } })),
      { batchSize: 1 },
    );
    lane.page(arrived(1, 2, 3));
    expect(events).toEqual([
      ['00:00', [0], {}, ''],
      ['00:00', [1], { text: large }, ''],
      ['00:00', [], { text: `${large}x` }, 'final early'],
      ['00:00', [2], {}, ''],
    ]);
    expect(store).toEqual({ checkpoint: 2, window: '{"startMs":0,"endMs":10000,"state":{"text":"small"}}' });
  });

  it('WIN-05 the oversized state is never stored: a crash in the early call repeats the batch', () => {
    const store = fresh();
    const lane = new WindowedLane(store, diesInEarlyCall, { batchSize: 1 });
    expect(() => lane.page(arrived(1, 2))).toThrow(Crash);
    expect(store).toEqual({ checkpoint: 0, window: '{"startMs":0,"endMs":10000,"state":{"text":"x"}}' });
  });

  it('WIN-06 a final call that fails until its retries are spent leaves a document without records, and the shard moves on', () => {
    const events: unknown[] = [];
    const store = fresh();
    const handler = keeping(events, (event) => (event.isFinalInvokeForWindow ? RAISED : counted(event)));
    const lane = new WindowedLane(store, handler, { maximumRetryAttempts: 2 });
    lane.page(arrived(1, 11));
    expect(events.map((event) => (event as unknown[])[3])).toEqual(['', 'final', 'final', 'final', '']);
    expect(lane.documents.map((text) => JSON.parse(text) as object)).toMatchObject([
      {
        requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
        timeWindowInfo: {
          window: { start: '1970-01-01T00:00:00Z', end: '1970-01-01T00:00:10Z' },
          isFinalInvokeForWindow: true,
          isWindowTerminatedEarly: false,
        },
      },
    ]);
    expect((JSON.parse(lane.documents[0]!) as { KinesisBatchInfo: object }).KinesisBatchInfo).toEqual({ shardId: '0', streamArn: 's' });
    expect(store).toEqual({ checkpoint: 1, window: '{"startMs":10000,"endMs":20000,"state":{"count":1}}' });
  });

  it('WIN-06 a final call without a retry limit blocks the shard until it succeeds', () => {
    let failures = 0;
    const lane = new WindowedLane(fresh(), (event) => (event.isFinalInvokeForWindow && (failures += 1) <= 50 ? RAISED : counted(event)));
    lane.page(arrived(1, 11));
    expect([failures, lane.documents]).toEqual([51, []]);
    expect(lane.nowMs).toBeGreaterThan(60_000);
  });

  it('WIN-07 records of several windows in one page are never in one batch', () => {
    const events: unknown[] = [];
    new WindowedLane(fresh(), keeping(events)).page(arrived(1, 9.999, 10, 19, 35));
    expect(events).toEqual([
      ['00:00', [0, 1], {}, ''],
      ['00:00', [], { count: 2 }, 'final'],
      ['00:10', [2, 3], {}, ''],
      ['00:10', [], { count: 2 }, 'final'],
      ['00:30', [4], {}, ''],
    ]);
  });

  it('WIN-08 the end of the shard brings the final call, and nothing is left to its children', () => {
    const events: unknown[] = [];
    const store = fresh();
    new WindowedLane(store, keeping(events)).page(arrived(1, 2), { isEnd: true });
    expect(events).toEqual([
      ['00:00', [0, 1], {}, ''],
      ['00:00', [], { count: 2 }, 'final'],
    ]);
    expect(store).toEqual({ checkpoint: 1, window: '' });
  });

  it('WIN-09 after a crash between invocation and checkpoint the batch comes again with the older state', () => {
    const events: unknown[] = [];
    const store = fresh();
    const dies = keeping(events, (event) => {
      if (events.length === 2) throw new Crash();
      return counted(event);
    });
    expect(() => new WindowedLane(store, dies, { batchSize: 1 }).page(arrived(1, 2))).toThrow(Crash);
    new WindowedLane(store, keeping(events)).page(arrived(1, 2).slice(store.checkpoint + 1));
    expect(events).toEqual([
      ['00:00', [0], {}, ''],
      ['00:00', [1], { count: 1 }, ''],
      ['00:00', [1], { count: 1 }, ''],
    ]);
  });

  it('a partial success carries its state to the rest of the batch; a failure of the first record carries none', () => {
    const events: unknown[] = [];
    const answers = [
      { state: { s: 'lost' }, batchItemFailures: [{ itemIdentifier: '1000' }] },
      { state: { s: 'kept' }, batchItemFailures: [{ itemIdentifier: '1001' }] },
      { state: { s: 'end' } },
    ];
    const store = fresh();
    new WindowedLane(
      store,
      keeping(events, () => answers.shift()),
      { report: true },
    ).page(arrived(1, 2, 3));
    expect(events).toEqual([
      ['00:00', [0, 1, 2], {}, ''],
      ['00:00', [0, 1, 2], {}, ''],
      ['00:00', [1, 2], { s: 'kept' }, ''],
    ]);
    expect(store.window).toBe('{"startMs":0,"endMs":10000,"state":{"s":"end"}}');
  });

  it('halves of a bisected batch build on one another, and records that are given up leave the state as it was', () => {
    const events: unknown[] = [];
    const handler = keeping(events, (event) => (event.Records.some(({ n }) => n === 1) ? RAISED : counted(event)));
    const lane = new WindowedLane(fresh(), handler, { bisectBatchOnFunctionError: true, maximumRetryAttempts: 0 });
    lane.page(arrived(1, 2, 3, 4), { isEnd: true });
    expect(events).toEqual([
      ['00:00', [0, 1, 2, 3], {}, ''],
      ['00:00', [0, 1], {}, ''],
      ['00:00', [0], {}, ''],
      ['00:00', [1], { count: 1 }, ''],
      ['00:00', [2, 3], { count: 1 }, ''],
      ['00:00', [], { count: 3 }, 'final'],
    ]);
    expect(lane.documents).toHaveLength(1);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('counts every record once in its window, whatever crashes and failures there are (seed %i)', (seed) => {
    const { counts, expected } = countWindows(seed, (store) => store.window);
    expect(counts).toEqual(expected);
  });

  it('would count wrongly if the state were not stored with the checkpoint', () => {
    const wrong = [1, 2, 3].filter((seed) => {
      const { counts, expected } = countWindows(seed, () => '');
      return JSON.stringify([...counts]) !== JSON.stringify([...expected]);
    });
    expect(wrong).not.toEqual([]);
  });
});

/** 200 records read by pollers that crash now and then. @returns what the last calls said, and what is true */
function countWindows(seed: number, stored: (store: StoredShard) => string): Record<'counts' | 'expected', Map<string, number>> {
  const random = seededRandom(seed);
  const counts = new Map<string, number>();
  const expected = new Map<string, number>();
  const records = Array.from({ length: 200 }, (_, n) => recordAt(n, n * 900 + Math.floor(random() * 300)));
  for (const { arrivedAtMs } of records) {
    const start = new Date(Math.floor(arrivedAtMs / 10_000) * 10_000).toISOString().replace('.000', '');
    expected.set(start, (expected.get(start) ?? 0) + 1);
  }
  const handler: Handler = (event) => {
    if (random() < 0.05) throw new Crash();
    if (random() < 0.1) return RAISED;
    if (event.isFinalInvokeForWindow) counts.set(event.window.start, Number(event.state['count'] ?? 0));
    if (random() < 0.05) throw new Crash();
    return random() < 0.1 ? {} : counted(event);
  };
  const store = fresh();
  for (let lives = 0; lives < 1_000; lives += 1) {
    try {
      const lane = new WindowedLane({ ...store, window: stored(store) }, handler, { batchSize: 1 + Math.floor(random() * 9) });
      const written = lane.store;
      try {
        lane.page(records.slice(store.checkpoint + 1), { isEnd: true });
        return { counts, expected };
      } finally {
        Object.assign(store, written);
      }
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
  throw new Error('the shard was never finished');
}
