import { expect, it } from 'vitest';
import type { FunctionDefinition } from '@wherry/core/mapping';
import { FakeInvoker } from '@wherry/testkit/fake-invoker';
import { MemoryGateStore } from '@wherry/testkit/memory-gate-store';
import { sampleFunction } from '@wherry/testkit/sample-config';
import { SimClock } from '@wherry/testkit/sim-clock';
import { FunctionRuns } from './function-runs.ts';

function setup() {
  const clock = new SimClock().clock();
  const gates = new MemoryGateStore(clock);
  const closed: number[] = [];
  const createInvoker = (fn: FunctionDefinition): FakeInvoker => {
    const invoker = new FakeInvoker({ clock });
    invoker.close = async () => void closed.push(fn.timeoutSeconds);
    return invoker;
  };
  const surroundings = { clock, random: () => 0.5, newId: () => 'id' };
  return { runs: new FunctionRuns({ surroundings, gates, owner: 'poller-1', createInvoker, observe: () => {} }), gates, closed };
}

it('shares a function between the mappings that name it, and closes it after the last', async () => {
  const { runs, closed } = setup();
  const [one, other] = [runs.use(sampleFunction()), runs.use(sampleFunction())];
  expect(other).toBe(one);
  await runs.leave(one);
  expect(closed).toEqual([]);
  await runs.leave(other);
  expect(closed).toEqual([sampleFunction().timeoutSeconds]);
  expect(runs.gateStatus('orders')).toBeUndefined();
});

it('makes a changed function anew, while the old one lasts for those that began with it', async () => {
  const { runs, closed } = setup();
  const before = runs.use(sampleFunction({ timeoutSeconds: 3 }));
  const after = runs.use(sampleFunction({ timeoutSeconds: 4 }));
  expect(after.invoker).not.toBe(before.invoker);
  await runs.leave(before);
  expect(closed).toEqual([3]);
  expect(runs.use(sampleFunction({ timeoutSeconds: 4 }))).toBe(after);
});

it('takes in what the fleet knows of the targets in use', async () => {
  const { runs, gates } = setup();
  runs.use(sampleFunction());
  await gates.open('orders', 10_000, 1, 'connection refused');
  await runs.refreshGates();
  expect(runs.gateStatus('orders')).toMatchObject({ state: 'open', reason: 'connection refused' });
  gates.isAway = true;
  await expect(runs.refreshGates()).rejects.toThrow('away');
});
