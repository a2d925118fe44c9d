import { describe, expect, it } from 'vitest';
import { type Handler, recordAt, WindowedLane } from '../../test-data/windowed-lane.ts';
import {
  belongsTo,
  finalCall,
  nextWindowStep,
  type OpenWindow,
  quietAfter,
  readWindow,
  STORED_WINDOW_BYTES_MAX,
  WINDOW_STATE_BYTES_MAX,
  windowOf,
  writeWindow,
} from './tumbling-window.ts';

const page = (records: number, behindMs?: number) => ({
  records: Array.from({ length: records }, (_, n) => recordAt(n, 1_000)),
  isEnd: false,
  ...(behindMs === undefined ? {} : { behindMs }),
});

/** A handler that notes the second in which the window of each event begins, and its records. */
function countedInto(events: string[]): Handler {
  return ({ window, Records, isFinalInvokeForWindow }) => {
    events.push(`${window.start.slice(17, 19)} ${isFinalInvokeForWindow ? 'final' : Records.map(({ n }) => n).join(',')}`);
    return { state: {} };
  };
}

describe('the end of a window by the clock', () => {
  const open: OpenWindow = windowOf(1_000, 10_000);
  const idle = { firstArrivedAtMs: undefined, isEnd: false };

  it.each([
    ['never quiet', undefined, 'wait'],
    ['quiet since long before the end, last read just before the grace is over', { sinceMs: 0, lastReadMs: 119_999 }, 'wait'],
    ['the same, read when it is over', { sinceMs: 0, lastReadMs: 120_000 }, 'finish'],
    ['quiet only since the reader has caught up', { sinceMs: 500_000, lastReadMs: 609_999 }, 'wait'],
    ['the same, a grace later', { sinceMs: 500_000, lastReadMs: 610_000 }, 'finish'],
  ] as const)('%s', (_, quiet, kind) => {
    expect(nextWindowStep(open, { ...idle, quiet }, 10_000).kind).toBe(kind);
  });

  it('has a grace that can be set', () => {
    expect(nextWindowStep(open, { ...idle, quiet: { sinceMs: 0, lastReadMs: 10_500 } }, 10_000, 500).kind).toBe('finish');
  });

  it('a source that says it is not behind is believed at once; else a run of pages without records is quiet from its first', () => {
    const run = { sinceMs: 5, lastReadMs: 5 };
    expect(quietAfter(undefined, page(0), 5)).toEqual(run);
    expect(quietAfter(run, page(0), 9)).toEqual({ sinceMs: 5, lastReadMs: 9 });
    expect(quietAfter(run, page(2), 9)).toBeUndefined();
    expect(quietAfter(run, page(0, 60_000), 9)).toBeUndefined();
    expect(quietAfter(run, page(2, 0), 9)).toBeUndefined();
    expect(quietAfter(undefined, page(0, 0), 9)).toEqual({ sinceMs: Number.NEGATIVE_INFINITY, lastReadMs: 9 });
  });

  it('comes at once to a new owner of a Kinesis shard, when its time came while nobody owned it', () => {
    const events: string[] = [];
    const store = { checkpoint: 3, window: '{"startMs":0,"endMs":10000,"state":{}}' };
    new WindowedLane(store, countedInto(events), {}, 200_000).page([], { behindMs: 0 });
    expect(events).toEqual(['00 final']);
    new WindowedLane({ ...store, window: '{"startMs":0,"endMs":10000,"state":{}}' }, countedInto(events), {}, 200_000).page([]);
    expect(events).toEqual(['00 final']);
  });

  it('never comes while the reader is behind, though the window ended long ago', () => {
    const events: string[] = [];
    const lane = new WindowedLane({ checkpoint: -1, window: '' }, countedInto(events), {}, 10_000_000);
    lane.page([recordAt(0, 1_000)], { behindMs: 9_000_000 });
    for (let i = 0; i < 500; i += 1, lane.nowMs += 1_000) lane.page([], { behindMs: 9_000_000 });
    lane.page([recordAt(1, 2_000)], { behindMs: 0 });
    expect(events).toEqual(['00 0', '00 1']);
  });

  it('an idle shard without a window does nothing', () => {
    expect(nextWindowStep(undefined, { ...idle, isEnd: true, quiet: { sinceMs: 0, lastReadMs: 1e12 } }, 10_000)).toEqual({ kind: 'wait' });
  });
});

describe('membership', () => {
  it.each([
    [0, 10_000, 0],
    [9_999, 10_000, 0],
    [10_000, 10_000, 10_000],
    [1_789_651_875_123, 10_000, 1_789_651_870_000],
    [1_789_651_875_123, 900_000, 1_789_651_800_000],
  ])('a record that arrived at %i is in the window of %i ms that begins at %i', (arrivedAtMs, windowMs, startMs) => {
    expect(windowOf(arrivedAtMs, windowMs)).toEqual({ startMs, endMs: startMs + windowMs, state: { json: '{}', bytes: 2 } });
  });

  it('a record that is a little older than the open window goes into it, so that no window is opened twice', () => {
    const events: string[] = [];
    new WindowedLane({ checkpoint: -1, window: '' }, countedInto(events)).page(
      [1_000, 10_001, 9_999, 10_002].map((at, n) => recordAt(n, at)),
    );
    expect(events).toEqual(['00 0', '00 final', '10 1,2,3']);
    expect(belongsTo(windowOf(10_000, 10_000), 20_000)).toBe(false);
  });
});

describe('the stored window', () => {
  const open: OpenWindow = { ...windowOf(1_789_651_875_123, 10_000), state: { json: '{"sum":12345678901234567890, "ü":"}"}', bytes: 38 } };

  it('comes back as it was written, digits, spaces and all', () => {
    const text = '{"startMs":1789651870000,"endMs":1789651880000,"state":{"sum":12345678901234567890, "ü":"}"}}';
    expect(writeWindow(open)).toBe(text);
    expect(readWindow(text)).toEqual({ kind: 'open', window: open });
    expect(writeWindow(undefined)).toBe('');
    expect(readWindow('')).toEqual({ kind: 'none' });
  });

  it('is never larger than it may be', () => {
    const json = `{"a":"${'x'.repeat(WINDOW_STATE_BYTES_MAX - 8)}"}`;
    const far = { startMs: 8_640_000_000_000_000 - 900_000, endMs: 8_640_000_000_000_000 };
    const bytes = new TextEncoder().encode(writeWindow({ ...far, state: { json, bytes: WINDOW_STATE_BYTES_MAX } })).length;
    expect(bytes).toBeLessThanOrEqual(STORED_WINDOW_BYTES_MAX);
  });

  it.each([
    'null',
    '{}',
    '{"startMs":1,"endMs":2,"state":[]}',
    '{"startMs":1,"endMs":2,"state":{"a":}}',
    '{"startMs":1,"endMs":2,"state":{}',
    '{"startMs":2,"endMs":2,"state":{}}',
    '{"startMs":1,"endMs":2,"state":{}} ',
  ])('is found to be damaged: %s', (text) => {
    expect(readWindow(text)).toEqual({ kind: 'damaged' });
  });

  it('keeps its length when TumblingWindowInSeconds is changed; the next one has the new length', () => {
    const stored = readWindow('{"startMs":0,"endMs":10000,"state":{"count":1}}');
    if (stored.kind !== 'open') throw new Error(stored.kind);
    const shard = { isEnd: false, quiet: undefined };
    expect(nextWindowStep(stored.window, { ...shard, firstArrivedAtMs: 9_000 }, 5_000)).toEqual({ kind: 'batch', window: stored.window });
    expect(nextWindowStep(stored.window, { ...shard, firstArrivedAtMs: 12_000 }, 5_000).kind).toBe('finish');
    expect(finalCall(stored.window)).toEqual({ ...stored.window, isFinalInvokeForWindow: true, isWindowTerminatedEarly: false });
    expect(nextWindowStep(undefined, { ...shard, firstArrivedAtMs: 12_000 }, 5_000)).toMatchObject({ window: { startMs: 10_000 } });
  });
});
