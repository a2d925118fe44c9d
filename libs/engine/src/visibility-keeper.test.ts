import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '@wherry/core/engine-event';
import { SourceError } from '@wherry/core/source-error';
import { FakeQueue } from '@wherry/testkit/fake-queue';
import { SimClock } from '@wherry/testkit/sim-clock';
import { type HeldMessage, holdMessage, oursUntilMs, stillOurs } from './held-message.ts';
import { VisibilityKeeper } from './visibility-keeper.ts';

const FOREVER = Number.POSITIVE_INFINITY;

function setup({ enabled = true } = {}) {
  const sim = new SimClock();
  const clock = sim.clock();
  const queue = new FakeQueue({ clock, visibilityTimeoutSeconds: 10 });
  const kill = new AbortController();
  const events: EngineEvent[] = [];
  const observe = (event: EngineEvent): void => void events.push(event);
  const keeper = new VisibilityKeeper({ clock, source: queue, mapping: 'orders', enabled, observe, kill: kill.signal });
  const receive = async (count: number): Promise<HeldMessage[]> => {
    for (let sent = 0; sent < count; sent += 1) queue.send({ body: 'x' });
    const messages = await queue.receive({ maxMessages: count, waitTimeSeconds: 0, signal: kill.signal });
    return messages.map((message) => holdMessage(message, 10));
  };
  return { sim, queue, keeper, receive, kill, events };
}

const hold = (messageId: string, messageGroupId: string, visibleAgainAtMs: number): HeldMessage => ({
  message: {
    messageId,
    messageGroupId,
    receiptHandle: '',
    recordJson: '',
    recordBytes: 0,
    sentAtMs: 0,
    receiveCount: 1,
    visibleAgainAtMs,
  },
  visibleAgainAtMs,
  heldUntilMaxMs: 0,
});

describe('the visibility keeper', () => {
  it('extends at half time, ten messages a call, and moves the deadlines on', async () => {
    const { sim, queue, keeper, receive } = setup();
    const held = await receive(25);
    keeper.hold(held, 10, FOREVER);
    await sim.advance(4_999);
    expect(queue.calls.changeVisibility).toBe(0);
    await sim.advance(1);
    expect(queue.calls.changeVisibility).toBe(3);
    expect(new Set(held.map((each) => each.visibleAgainAtMs - sim.nowMs()))).toEqual(new Set([10_000]));
    await sim.advance(5_000);
    expect(queue.calls.changeVisibility).toBe(6);
  });

  it('stops when messages are let go, and leaves no timer behind that does anything', async () => {
    const { sim, queue, keeper, receive } = setup();
    const held = await receive(3);
    keeper.hold(held, 10, FOREVER);
    keeper.letGo(held);
    await sim.advance(60_000);
    expect(queue.calls.changeVisibility).toBe(0);
  });

  it('leaves alone what will be done in time, and everything where it is switched off', async () => {
    const { sim, queue, keeper, receive } = setup();
    keeper.hold(await receive(3), 10, sim.nowMs() + 8_000);
    const off = setup({ enabled: false });
    off.keeper.hold(await off.receive(3), 10, FOREVER);
    await sim.advance(30_000);
    await off.sim.advance(30_000);
    expect([queue.calls.changeVisibility, off.queue.calls.changeVisibility]).toEqual([0, 0]);
  });

  it('tries again after a failure, and never touches a message that is not ours any more', async () => {
    const { sim, queue, keeper, receive } = setup();
    keeper.hold(await receive(1), 10, FOREVER);
    queue.changeVisibilityFault = new SourceError('unavailable', 'ECONNRESET', 'socket hang up');
    await sim.advance(7_500);
    expect(queue.calls.changeVisibility).toBe(3);
    await sim.advance(30_000);
    expect(queue.calls.changeVisibility).toBe(5);
  });

  it('gives a message up when its receipt is gone', async () => {
    const { sim, queue, keeper, receive, events } = setup();
    const held = await receive(1);
    await queue.delete(held.map(({ message }) => message));
    keeper.hold(held, 10, FOREVER);
    await sim.advance(20_000);
    expect(events).toEqual([{ type: 'settled', mapping: 'orders', action: 'extended', done: 0, gone: 1, failed: 0 }]);
    expect(stillOurs(held, sim.nowMs())).toEqual([]);
  });

  it('ends at the 12 hours of SQS', async () => {
    const { sim, queue, keeper, receive } = setup();
    const held = await receive(1);
    keeper.hold(held, 10, FOREVER);
    await sim.advance(12 * 3_600_000 - 1_000);
    expect(queue.remaining[0]?.isVisible).toBe(false);
    await sim.advance(60_000);
    expect(queue.remaining[0]?.isVisible).toBe(true);
    const last = queue.visibilityChanges.at(-1)!;
    expect(last.atMs + last.seconds * 1_000).toBeLessThanOrEqual(held[0]!.heldUntilMaxMs);
  });

  it('wakes earlier for a message that is due earlier', async () => {
    const { sim, queue, keeper, receive } = setup();
    const early = await receive(1);
    await sim.advance(3_000);
    keeper.hold(await receive(1), 10, FOREVER);
    keeper.hold(early, 10, FOREVER);
    await sim.advance(3_500);
    expect(queue.visibilityChanges.map((change) => change.messageId)).toEqual(['m-0']);
  });
});

describe('messages in hand', () => {
  it('gives up a whole message group with its first message that ran out', () => {
    const batch = [hold('a1', 'a', 1_000), hold('a2', 'a', 9_000), hold('b1', 'b', 9_000)];
    expect(stillOurs(batch, 900).map((held) => held.message.messageId)).toEqual(['b1']);
    expect(stillOurs(batch, 500)).toBe(batch);
    expect(oursUntilMs(batch)).toBe(8_750);
  });
});
