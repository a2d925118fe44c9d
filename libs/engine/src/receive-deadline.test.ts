import type { ReceiveRequest } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';
import { FakeQueue } from '@wherry/testkit/fake-queue';
import { SimClock } from '@wherry/testkit/sim-clock';
import { expect, test } from 'vitest';
import { withReceiveDeadline } from './receive-deadline.ts';

function setup() {
  const sim = new SimClock();
  const clock = sim.clock();
  const queue = new FakeQueue({ clock, visibilityTimeoutSeconds: 30 });
  const kill = new AbortController();
  const seen: ReceiveRequest[] = [];
  const hole = new FakeQueue({ clock, visibilityTimeoutSeconds: 30 });
  hole.receive = (request) => {
    seen.push(request);
    return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  const request = (waitTimeSeconds: number): ReceiveRequest => ({ maxMessages: 10, waitTimeSeconds, signal: kill.signal });
  return { sim, queue: withReceiveDeadline(queue, clock), real: queue, hole: withReceiveDeadline(hole, clock), seen, kill, request };
}

test.each([
  [0, 10],
  [1, 11],
  [20, 30],
])('a poll of %i s that nobody answers is given up after %i s', async (waitTimeSeconds, seconds) => {
  const { sim, hole, seen, request } = setup();
  let outcome: unknown;
  hole.receive(request(waitTimeSeconds)).catch((error: unknown) => (outcome = error));
  await sim.advance(seconds * 1_000 - 1);
  expect(outcome).toBeUndefined();
  await sim.advance(1);
  expect(outcome).toBeInstanceOf(SourceError);
  expect(outcome).toMatchObject({ code: 'unavailable', message: `ReceiveMessage was not answered within ${seconds} s` });
  expect(seen[0]?.signal.aborted).toBe(true);
});

test('a long poll that the queue answers at its end is in time, and one with messages comes at once', async () => {
  const { sim, queue, real, request } = setup();
  const empty = queue.receive(request(20));
  await sim.advance(20_000);
  expect(await empty).toEqual([]);
  real.send({ body: 'x' });
  expect(await queue.receive(request(20))).toHaveLength(1);
});

test('a kill ends the receive at once, and an error of the source stays what it is', async () => {
  const { hole, kill, queue, real, request } = setup();
  const cut = hole.receive(request(20));
  kill.abort();
  await expect(cut).rejects.toThrow('aborted');
  real.receiveFault = new SourceError('throttled', 'RequestThrottled', 'slow down');
  await expect(queue.receive(request(0))).rejects.toMatchObject({ code: 'throttled' });
});
