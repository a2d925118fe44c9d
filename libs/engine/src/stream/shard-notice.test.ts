import { StoreError } from '@wherry/core/coordination';
import type { EngineEvent } from '@wherry/core/engine-event';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, it } from 'vitest';
import { BenchLease, ShardBench } from '../../test-data/shard-bench.ts';
import { ShardNotice } from './shard-notice.ts';

function setup(isDown = () => false) {
  const sim = new SimClock();
  const notes: { readonly text: string; readonly atMs: number }[] = [];
  const events: EngineEvent[] = [];
  const over = new AbortController();
  const startMs = sim.nowMs();
  const leases = new ShardBench().leases;
  leases.note = (_id, _owner, _epoch, text) => {
    notes.push({ text, atMs: sim.nowMs() - startMs });
    return isDown() ? Promise.reject(new StoreError('down')) : Promise.resolve(true);
  };
  const lease = new BenchLease('unit', 1, 'TRIM_HORIZON', '');
  const notice = new ShardNotice({
    clock: sim.clock(),
    leases,
    owner: 'poller-1',
    lease,
    mapping: 'clicks',
    shardId: 'shard',
    observe: (event) => void events.push(event),
    over: over.signal,
  });
  return { sim, notes, events, over, notice, startMs };
}

const failed = { reason: 'functionError', attempts: 1, error: 'Error' } as const;

it('writes no more than one note a second, always the newest, and takes the last back', async () => {
  const { sim, notice, notes } = setup();
  for (let attempts = 1; attempts <= 8; attempts += 1) {
    notice.block(0, { ...failed, attempts }, 250);
    await sim.advance(250);
  }
  notice.unblock(0);
  await sim.advance(5_000);
  expect(notes.map(({ atMs }) => atMs)).toEqual([0, 1_000, 2_000, 3_000]);
  expect(notes.map(({ text }) => (text === '' ? '' : (JSON.parse(text) as { attempts: number }).attempts))).toEqual([1, 4, 8, '']);
});

it('tells of the lane that is blocked longest, since when, and when it tries again', async () => {
  const { sim, notice, notes, startMs } = setup();
  notice.behind(7_000);
  notice.block(3, failed, 60_000);
  await sim.advance(10_000);
  notice.block(1, { reason: 'destination', attempts: 2, error: 'AccessDenied' }, 500);
  expect(notice.blocked.map(({ lane }) => lane)).toEqual([3, 1]);
  await sim.advance(5_000);
  expect(JSON.parse(notes.at(-1)!.text)).toEqual({
    state: 'blocked',
    behindMs: 7_000,
    lane: 3,
    blockedSinceMs: startMs,
    attempts: 1,
    reason: 'functionError',
    error: 'Error',
    nextAtMs: startMs + 60_000,
  });
});

it('a lane that goes on is told once', () => {
  const { notice, events } = setup();
  notice.unblock(0);
  notice.block(0, failed, 250);
  notice.unblock(0);
  notice.unblock(0);
  expect(events).toMatchObject([
    { type: 'blocked', attempts: 1, lane: 0 },
    { type: 'blocked', attempts: 0, lane: 0 },
  ]);
});

it('a store that does not answer costs nobody anything, and a lease that is over gets no note', async () => {
  const { sim, notice, notes, over } = setup(() => true);
  notice.block(0, failed, 250);
  await sim.advance(3_000);
  over.abort();
  notice.unblock(0);
  await sim.advance(3_000);
  expect(notes).toHaveLength(1);
});
