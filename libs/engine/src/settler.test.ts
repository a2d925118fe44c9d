import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import { SourceError } from '@wherry/core/source-error';
import { FakeQueue } from '@wherry/testkit/fake-queue';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';
import { type HeldMessage, holdMessage } from './held-message.ts';
import { Settler } from './settler.ts';

function setup(fifo = false) {
  const sim = new SimClock();
  const clock = sim.clock();
  const queue = new FakeQueue({ clock, visibilityTimeoutSeconds: 30 });
  const events: Extract<EngineEvent, { type: 'settled' }>[] = [];
  const kill = new AbortController();
  const settler = new Settler({
    surroundings: { clock, random: seededRandom(1), newId: () => 'id' },
    source: queue,
    mapping: 'orders',
    fifo,
    observe: (event) => void (event.type === 'settled' && events.push(event)),
    kill: kill.signal,
  });
  const receive = async (count: number): Promise<HeldMessage[]> => {
    for (let sent = 0; sent < count; sent += 1) queue.send({ body: 'x' });
    const messages = await queue.receive({ maxMessages: count, waitTimeSeconds: 0, signal: kill.signal });
    return messages.map((message) => holdMessage(message, 30));
  };
  return { sim, queue, settler, receive, events };
}

describe('the settler', () => {
  it.each([
    { fill: 1, everyMs: 4 },
    { fill: 1, everyMs: 10 },
    { fill: 3, everyMs: 5 },
    { fill: 3, everyMs: 22 },
    { fill: 5, everyMs: 20 },
    { fill: 7, everyMs: 4 },
    { fill: 7, everyMs: 60 },
    { fill: 10, everyMs: 200 },
  ])('needs at most 125 calls per 1,000 messages with $fill at a time every $everyMs ms', async ({ fill, everyMs }) => {
    const { sim, queue, settler, receive } = setup();
    let sent = 0;
    for (; sent < 2_000; sent += fill) {
      await settler.delete(await receive(fill));
      await sim.advance(everyMs);
    }
    await sim.advance(1_000);
    expect(queue.deletedIds).toHaveLength(sent);
    expect((queue.calls.delete * 1_000) / sent).toBeLessThanOrEqual(125);
  });

  it('lets few messages linger for 20 ms', async () => {
    const { sim, queue, settler, receive } = setup();
    await settler.delete(await receive(3));
    await sim.advance(19);
    expect(queue.calls.delete).toBe(0);
    await sim.advance(1);
    expect(queue.calls.delete).toBe(1);
  });

  it('lets nothing linger that blocks a message group, or that is about to be visible again', async () => {
    const fifo = setup(true);
    await fifo.settler.delete(await fifo.receive(1));
    expect(fifo.queue.calls.delete).toBe(1);
    const standard = setup();
    const late = await standard.receive(1);
    await standard.sim.advance(29_500);
    await standard.settler.delete(late);
    expect(standard.queue.calls.delete).toBe(1);
  });

  it('flushes at once and resolves when all is settled', async () => {
    const { queue, settler, receive } = setup();
    await settler.delete(await receive(3));
    settler.release(await receive(2));
    await settler.flush();
    expect(queue.deletedIds).toHaveLength(3);
    expect(queue.remaining.map((message) => message.isVisible)).toEqual([true, true]);
  });

  it('tries a failed delete again and counts each message once', async () => {
    const { sim, queue, settler, receive, events } = setup();
    queue.deleteFault = new SourceError('unavailable', 'ECONNRESET', 'socket hang up');
    await settler.delete(await receive(10));
    await sim.advance(300);
    queue.deleteFault = undefined;
    await sim.advance(10_000);
    expect(queue.deletedIds).toHaveLength(10);
    expect(events).toEqual([{ type: 'settled', mapping: 'orders', action: 'deleted', done: 10, gone: 0, failed: 0 }]);
  });

  it('gives up after a few tries', async () => {
    const { sim, queue, settler, receive, events } = setup();
    queue.deleteFault = new SourceError('unavailable', 'ECONNRESET', 'socket hang up');
    await settler.delete(await receive(1));
    await sim.advance(30_000);
    expect(queue.calls.delete).toBe(5);
    expect(events).toMatchObject([{ done: 0, failed: 1 }]);
  });

  it('counts a receipt that was replaced as gone, not as an error', async () => {
    const { sim, settler, receive, events } = setup();
    const held = await receive(1);
    await sim.advance(31_000);
    await receive(1);
    await settler.delete(held);
    await settler.flush();
    expect(events).toMatchObject([{ done: 0, gone: 1, failed: 0 }]);
  });

  it('makes slots wait when too many deletes are pending', async () => {
    const { sim, queue, settler, receive } = setup();
    queue.deleteFault = new SourceError('throttled', 'ThrottlingException', 'slow down');
    let accepted = 0;
    const feed = async (): Promise<void> => {
      for (; accepted < 300; accepted += 1) await settler.delete(await receive(10));
    };
    const feeding = feed();
    await sim.advance(0);
    expect(accepted).toBe(100);
    await sim.advance(120_000);
    await feeding;
    expect(accepted).toBe(300);
  });
});
