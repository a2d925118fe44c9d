import { expect, test } from 'vitest';
import type { Coordination } from '@wherry/core/coordination';
import { SimClock } from '@wherry/testkit/sim-clock';
import { timedCoordination } from './timed-coordination.ts';

test('each call is timed under its port and name, failed ones too, and keeps its own this', async () => {
  const sim = new SimClock();
  class Members {
    readonly #answer = 'mine';
    async members(): Promise<string[]> {
      await sim.sleep(250);
      return [this.#answer];
    }
    leave(): Promise<void> {
      return Promise.reject(new Error('down'));
    }
  }
  const recorded: (readonly [string, number])[] = [];
  const coordination = {
    leases: {},
    members: new Members(),
    permits: {},
    gates: {},
    scale: {},
    streams: {},
    pauses: {},
    audit: {},
  } as unknown as Coordination;
  const timed = timedCoordination(coordination, sim.clock(), (command, seconds) => recorded.push([command, seconds]));
  const members = timed.members.members();
  await sim.advance(250);
  expect(await members).toEqual(['mine']);
  await expect(timed.members.leave('p1')).rejects.toThrow('down');
  expect(recorded).toEqual([
    ['members.members', 0.25],
    ['members.leave', 0],
  ]);
});
