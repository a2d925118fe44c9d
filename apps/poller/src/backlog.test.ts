import { expect, test } from 'vitest';
import type { QueueSource } from '@wherry/core/queue-source';
import { sampleMapping } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { Backlog } from './backlog.ts';

const SLOT_0 = `sqs-${sampleMapping().uuid}-0`;

function setup() {
  const sim = new SimClock();
  const state = { held: [SLOT_0], mappings: [sampleMapping()], reads: 0, closed: 0, isBroken: false };
  const attributes = () => {
    state.reads += 1;
    if (state.isBroken) return Promise.reject(new Error('no queue'));
    return Promise.resolve({
      visibilityTimeoutSeconds: 30,
      approximateNumberOfMessages: 40,
      approximateNumberOfMessagesNotVisible: 20,
      approximateNumberOfMessagesDelayed: 1,
    });
  };
  const createSource = () => ({ attributes, refresh: () => {}, close: () => (state.closed += 1) }) as unknown as QueueSource;
  const backlog = new Backlog({ clock: sim.clock(), createSource, heldUnits: () => state.held, mappings: () => state.mappings });
  return { sim, state, backlog };
}

test('the holder of slot 0 reads the queue at once and then every half minute', async () => {
  const { backlog, state, sim } = setup();
  await backlog.tick();
  expect(backlog.read('orders')).toEqual({ visible: 40, inFlight: 20, delayed: 1 });
  await sim.advance(29_000);
  await backlog.tick();
  expect(state.reads).toBe(1);
  await sim.advance(1_000);
  await backlog.tick();
  expect(state.reads).toBe(2);
});

test('a poller with other slots alone reads nothing, and a lost slot 0 takes the reading with it', async () => {
  const { backlog, state } = setup();
  state.held = [SLOT_0.replace(/0$/, '1')];
  await backlog.tick();
  expect(state.reads).toBe(0);
  state.held = [SLOT_0];
  await backlog.tick();
  state.held = [];
  await backlog.tick();
  expect(backlog.read('orders')).toBeUndefined();
  expect(state.closed).toBe(1);
});

test('a queue that cannot be read has no reading, and a changed mapping gets a new source', async () => {
  const { backlog, state, sim } = setup();
  await backlog.tick();
  state.isBroken = true;
  await sim.advance(30_000);
  await backlog.tick();
  expect(backlog.read('orders')).toBeUndefined();
  state.isBroken = false;
  state.mappings = [sampleMapping({ batchSize: 5 })];
  await backlog.tick();
  expect(state.closed).toBe(1);
  expect(backlog.read('orders')?.visible).toBe(40);
  backlog.close();
  expect(state.closed).toBe(2);
});
