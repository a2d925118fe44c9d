import { slotBounds } from '@wherry/core/slots';
import { sampleFunction, sampleMapping } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, it } from 'vitest';
import { SlotScaler } from './slot-scaler.ts';

const GROW_MS = 1_000;

it.each([
  ['as many again while there is a backlog', { slots: 5, inFlightMax: 200, provisioned: false }, [5]],
  ['no more than this process may have invocations in flight', { slots: 5, inFlightMax: 7, provisioned: false }, [2]],
  ['nothing when its slots can fill all of them', { slots: 5, inFlightMax: 5, provisioned: false }, []],
  ['nothing when it holds even more', { slots: 9, inFlightMax: 5, provisioned: false }, []],
  ['one provisioned poller for every ten of them', { slots: 2, inFlightMax: 25, provisioned: true }, [1]],
])('votes for %s', async (_what, { slots, inFlightMax, provisioned }, votes) => {
  const clock = new SimClock();
  const mapping = sampleMapping(provisioned ? { provisionedPollerConfig: { minimumPollers: 2, maximumPollers: 100 } } : {});
  const asked: number[] = [];
  const scaler = new SlotScaler({
    clock: clock.clock(),
    store: {
      adjust: (_id, delta) => {
        asked.push(delta);
        return Promise.resolve(10);
      },
    },
    mapping,
    bounds: slotBounds(mapping, sampleFunction()),
    inFlightMax: () => inFlightMax,
    observe: () => {},
  });
  for (let slot = 0; slot < slots; slot += 1) scaler.slotBegan();
  await clock.advance(GROW_MS);
  for (let slot = 0; slot < slots && asked.length === 0; slot += 1) scaler.received(10, 10);
  expect(asked).toEqual(votes);
});
