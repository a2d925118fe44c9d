import { expect, test } from 'vitest';
import { sampleInvoked } from '@wherry/testkit/sample-event';
import { SimClock } from '@wherry/testkit/sim-clock';
import { Totals } from './totals.ts';

const polled = { type: 'polled', mapping: 'orders', outcome: 'events', events: 10, bytes: 1, durationMs: 1 } as const;
const invoked = { ...sampleInvoked, events: 10, ageMs: 700 };

test('totals add up and a mapping that did nothing reads zero', () => {
  const sim = new SimClock();
  const totals = new Totals(sim.clock());
  totals.observe(polled);
  totals.observe({ type: 'filtered', mapping: 'orders', events: 1 });
  totals.observe({ ...invoked, outcome: 'partial', failed: 2, error: 'two items' });
  totals.observe({ type: 'settled', mapping: 'orders', action: 'deleted', done: 8, gone: 0, failed: 0 });
  totals.observe({ type: 'settled', mapping: 'orders', action: 'released', done: 2, gone: 0, failed: 0 });
  expect(totals.read('orders')).toMatchObject({ polled: 10, filtered: 1, invoked: 10, succeeded: 8, failed: 2, deleted: 8 });
  expect(totals.read('orders').lastFailure).toEqual({ atMs: sim.nowMs(), outcome: 'partial', error: 'two items' });
  expect(totals.read('idle')).toEqual({
    polled: 0,
    filtered: 0,
    invoked: 0,
    succeeded: 0,
    failed: 0,
    deleted: 0,
    dropped: 0,
    delivered: 0,
    rates: { polled: 0, filtered: 0, succeeded: 0, failed: 0 },
  });
});

test('rates are taken over the last ten full seconds and fade to zero', async () => {
  const sim = new SimClock();
  const totals = new Totals(sim.clock());
  for (let second = 0; second < 30; second++) {
    totals.observe(polled);
    totals.observe({ type: 'filtered', mapping: 'orders', events: 2 });
    totals.observe({ ...invoked, failed: 1 });
    await sim.advance(1_000);
  }
  expect(totals.read('orders').rates).toEqual({ polled: 10, filtered: 2, succeeded: 9, failed: 1 });
  expect(totals.read('orders').oldestAgeMs).toBe(700);
  await sim.advance(5_000);
  expect(totals.read('orders').rates.polled).toBe(5);
  await sim.advance(60_000);
  expect(totals.read('orders').rates).toEqual({ polled: 0, filtered: 0, succeeded: 0, failed: 0 });
  expect(totals.read('orders').oldestAgeMs).toBeUndefined();
  expect(totals.read('orders').polled).toBe(300);
});

test('mappings that left the configuration are forgotten', () => {
  const totals = new Totals(new SimClock().clock());
  totals.observe(polled);
  totals.keep(['other']);
  expect(totals.read('orders').polled).toBe(0);
});

const SOURCE_TROUBLE = {
  type: 'problem',
  mapping: 'orders',
  code: 'accessDenied',
  message: 'not allowed to read',
  resolved: false,
} as const;

test('STA-02 the last result of a stream: none, then OK, the problem after a failure, OK after a partial response', () => {
  const totals = new Totals(new SimClock().clock());
  const result = () => totals.read('orders').lastProcessing?.result;
  expect(result()).toBeUndefined();
  totals.observe(invoked);
  expect(result()).toBe('OK');
  totals.observe({ ...invoked, outcome: 'function_error', failed: 10 });
  expect(result()).toBe('PROBLEM: Function call failed');
  totals.observe({ ...invoked, outcome: 'partial', failed: 1 });
  expect(result()).toBe('OK');
});

test('LIF-09 while a stream cannot be read its error text is the last result, and afterwards what the last invocation came to', () => {
  const totals = new Totals(new SimClock().clock());
  totals.observe(invoked);
  totals.observe(SOURCE_TROUBLE);
  expect(totals.read('orders').lastProcessing?.result).toBe('not allowed to read');
  totals.observe({ ...SOURCE_TROUBLE, resolved: true });
  expect(totals.read('orders').lastProcessing?.result).toBe('OK');
});

test('what is given up counts as delivered or dropped by what its destination says in the end', () => {
  const totals = new Totals(new SimClock().clock());
  const told = {
    type: 'destination',
    mapping: 'orders',
    shard: 's',
    destination: 'sqs',
    condition: 'RecordAgeExceeded',
    events: 3,
  } as const;
  totals.observe({ ...told, outcome: 'failed' });
  totals.observe({ ...told, outcome: 'delivered' });
  totals.observe({ ...told, outcome: 'dropped', events: 2 });
  totals.observe({ ...told, outcome: 'dropped', destination: 'none', events: 1 });
  expect(totals.read('orders')).toMatchObject({ delivered: 3, dropped: 3 });
});
