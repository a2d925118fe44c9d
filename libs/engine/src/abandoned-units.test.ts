import { discoveryUnitId } from '@wherry/core/lease-unit';
import { slotUnits } from '@wherry/core/slots';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { AbandonedUnits } from './abandoned-units.ts';

const MINUTE = 60_000;
const OLD = { id: '22222222-2222-5222-8222-222222222222', slots: 6 };
const KEPT = { id: '11111111-1111-5111-8111-111111111111', slots: 5 };

async function setup() {
  const sim = new SimClock();
  const store = createMemoryCoordination(sim.clock());
  for (const mapping of [OLD, KEPT]) {
    for (const { id } of slotUnits({ uuid: mapping.id }, mapping.slots)) {
      await store.leases.acquire(id, 'poller', 10_000);
      await store.leases.release(id, 'poller', 1);
    }
  }
  const rowsOf = async ({ id, slots }: typeof OLD): Promise<number> =>
    (await store.leases.view(slotUnits({ uuid: id }, slots).map((unit) => unit.id))).filter((view) => view.epoch > 0).length;
  const poller = () => new AbandonedUnits(store, sim.clock());
  /** Claim scans of pollers with these mappings, for so long. */
  const scan = async (minutes: number, ...pollers: [AbandonedUnits, (typeof OLD)[]][]): Promise<void> => {
    for (let turn = 0; turn < minutes * 4; turn += 1) {
      for (const [units, mappings] of pollers) await units.sweep(mappings);
      await sim.advance(MINUTE / 4);
    }
  };
  return { sim, store, rowsOf, poller, scan };
}

test('a later poller removes what one that stopped at once could not', async () => {
  const { poller, scan, rowsOf } = await setup();
  await scan(1, [poller(), [OLD, KEPT]]);
  const next = poller();
  await scan(14, [next, [KEPT]]);
  expect(await rowsOf(OLD)).toBe(6);
  await scan(12, [next, [KEPT]]);
  expect([await rowsOf(OLD), await rowsOf(KEPT)]).toEqual([0, 5]);
});

test('an old poller that still knows the mapping keeps its rows for as long as it lives', async () => {
  const { poller, scan, rowsOf } = await setup();
  const [old, next] = [poller(), poller()];
  await scan(120, [old, [OLD, KEPT]], [next, [KEPT]]);
  expect(await rowsOf(OLD)).toBe(6);
  await scan(30, [next, [KEPT]]);
  expect(await rowsOf(OLD)).toBe(0);
});

test('after a long outage of the store nothing is removed that some poller still has', async () => {
  const { sim, poller, scan, rowsOf } = await setup();
  const [old, next] = [poller(), poller()];
  await scan(6, [old, [OLD, KEPT]], [next, [KEPT]]);
  await sim.advance(60 * MINUTE);
  // The one without the mapping is back first, and looks at once.
  await scan(1, [next, [KEPT]]);
  await scan(60, [next, [KEPT]], [old, [OLD, KEPT]]);
  expect(await rowsOf(OLD)).toBe(6);
});

test('a stream mapping leaves no row, no register and no pause behind, once nobody holds one of its shards', async () => {
  const { store, poller, scan } = await setup();
  const stream = { id: OLD.id, slots: 0 };
  const identities = [1, 2].map((createdAtMs) => ({ arn: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks', createdAtMs }));
  const shards = identities.map((identity) => shardUnitId(stream.id, streamKey(identity), 'shardId-000000000000'));
  const none = { missing: [], nowMs: 0, foundAgain: [], retire: [], unregister: [] };
  for (const [index, identity] of identities.entries()) {
    await store.leases.create([{ id: shards[index]!, checkpoint: '5', ended: false }]);
    await store.streams.change(stream.id, identity, { register: [{ shardId: 'shardId-000000000000', parentShardIds: [] }], ...none });
  }
  await store.leases.acquire(discoveryUnitId(stream.id), 'poller', 10_000);
  await store.leases.acquire(shards[1]!, 'holder', 24 * 60 * MINUTE);
  await store.pauses.pause(stream.id, 'ann', '', Infinity);
  await scan(1, [poller(), [stream]]);
  const next = poller();
  await scan(60, [next, [KEPT]]);
  expect(await store.streams.streams(stream.id)).toEqual([identities[1]]);
  expect((await store.leases.view(shards)).map(({ checkpoint }) => checkpoint)).toEqual([undefined, '5']);
  await store.leases.release(shards[1]!, 'holder', 1);
  await scan(6, [next, [KEPT]]);
  expect(await store.streams.streams(stream.id)).toEqual([]);
  expect((await store.leases.view([...shards, discoveryUnitId(stream.id)])).map(({ epoch }) => epoch)).toEqual([0, 0, 0]);
  expect((await store.pauses.pauses()).size).toBe(0);
});

test('rows that somebody holds stay', async () => {
  const { store, poller, scan, rowsOf } = await setup();
  await scan(1, [poller(), [OLD]]);
  await store.leases.acquire(`sqs-${OLD.id}-3`, 'holder', 24 * 60 * MINUTE);
  const next = poller();
  await scan(60, [next, [KEPT]]);
  expect(await rowsOf(OLD)).toBe(6);
  await store.leases.release(`sqs-${OLD.id}-3`, 'holder', 2);
  await scan(6, [next, [KEPT]]);
  expect(await rowsOf(OLD)).toBe(0);
});

test('slots that a mapping had only for a moment are remembered, and a note costs nothing between two of them', async () => {
  const { sim, store, poller, rowsOf, scan } = await setup();
  let notes = 0;
  const note = store.scale.note.bind(store.scale);
  store.scale.note = (mappings) => {
    notes += 1;
    return note(mappings);
  };
  const first = poller();
  for (const slots of [2, 6, 2, 2, 2]) {
    await first.sweep([{ ...OLD, slots }]);
    await sim.advance(1_000);
  }
  expect(notes).toBe(2);
  await scan(30, [poller(), [KEPT]]);
  expect(await rowsOf(OLD)).toBe(0);
});
