import type { Clock } from '@wherry/core/clock';
import type { QueueMessage, QueueSource, ReceiveRequest } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';

/** One queue of a backend and the source under test on it. */
export interface OpenQueue {
  readonly source: QueueSource;
  /** Puts messages into the queue, in order, by another way than the source. @returns their ids */
  send(messages: readonly { readonly body: string; readonly groupId?: string }[]): Promise<string[]>;
  /** Makes the queue that `exists: false` left out. */
  create(): Promise<void>;
}

/** Something that has queues. */
export interface QueueBackend {
  open(options: { fifo: boolean; visibilityTimeoutSeconds: number; exists: boolean; clock: Clock }): Promise<OpenQueue>;
  close(): Promise<void>;
}

/** What a backend can show. Everything else in the contract holds for all of them. */
export interface QueueBackendTraits {
  /** Says that a receipt was never given out, where others report success and do nothing. */
  readonly refusesStrangeReceipts: boolean;
  /**
   * Present where groups are ordered: several messages of one group in a receive, and the group closed until they are
   * settled. AWS refuses a receipt as soon as the visibility timeout has ended; emulators notice it in one state only, while
   * the message waits or after somebody else has received it.
   */
  readonly groups?: { readonly refusesExpiredReceipts: 'whileVisible' | 'onceReceivedAgain' };
}

/** A monotonic time that stands still, so that what is counted from it is exact. */
const NOW_MS = 5_000;
const stoppedClock: Clock = { nowMs: () => 1_700_000_000_000, monotonicMs: () => NOW_MS, sleep: () => Promise.resolve() };

/** Longer than any emulator needs to give a message back after a one-second visibility timeout. */
const LONG_POLL_SECONDS = 10;

type OpenOptions = Partial<Parameters<QueueBackend['open']>[0]>;

/**
 * What every queue-shaped source does, whatever is behind it.
 *
 * @param start the backend, or the reason why this machine has none; then every test is skipped with it
 */
export function describeQueueSource(name: string, traits: QueueBackendTraits, start: () => Promise<QueueBackend | string>): void {
  describe(name, () => {
    let backend: QueueBackend | string = 'not started';
    beforeAll(async () => {
      backend = await start();
    }, 300_000);
    afterAll(async () => {
      if (typeof backend !== 'string') await backend.close();
    });
    const open = async (context: TestContext, options: OpenOptions = {}): Promise<OpenQueue> => {
      if (typeof backend === 'string') return context.skip(backend);
      const queue = await backend.open({ fifo: false, visibilityTimeoutSeconds: 30, exists: true, clock: stoppedClock, ...options });
      context.onTestFinished(() => queue.source.close());
      return queue;
    };

    describeReceive(open);
    describeSettle(open, traits);
    describeQueue(open);
    if (traits.groups !== undefined) describeGroups(open, traits.groups);
  });
}

type Open = (context: TestContext, options?: OpenOptions) => Promise<OpenQueue>;

function receive(queue: OpenQueue, changes: Partial<ReceiveRequest> = {}): Promise<QueueMessage[]> {
  const signal = new AbortController().signal;
  return queue.source.receive({ maxMessages: 10, waitTimeSeconds: LONG_POLL_SECONDS, signal, ...changes });
}

function bodies(messages: readonly QueueMessage[]): string[] {
  return messages.map((message) => (JSON.parse(message.recordJson) as { body: string }).body);
}

function describeReceive(open: Open): void {
  test('a message arrives as the record that the function will see', async (context) => {
    const queue = await open(context);
    const [id] = await queue.send([{ body: 'grüß dich' }]);
    const [message] = await receive(queue);
    expect(message).toMatchObject({ messageId: id, receiveCount: 1 });
    expect(JSON.parse(message!.recordJson)).toMatchObject({ messageId: id, receiptHandle: message!.receiptHandle, body: 'grüß dich' });
    expect(message!.recordBytes).toBe(Buffer.byteLength(message!.recordJson));
    expect(message!.sentAtMs).toBeGreaterThan(0);
  });

  test('never more messages than asked for', async (context) => {
    const queue = await open(context);
    await queue.send(Array.from({ length: 12 }, (_, index) => ({ body: String(index) })));
    expect((await receive(queue, { maxMessages: 3 })).length).toBeLessThanOrEqual(3);
    expect((await receive(queue)).length).toBeLessThanOrEqual(10);
  });

  test('an empty queue gives an empty list', async (context) => {
    const queue = await open(context);
    expect(await receive(queue, { waitTimeSeconds: 0 })).toEqual([]);
  });

  test('a long poll returns as soon as a message arrives', async (context) => {
    const queue = await open(context);
    const polled = receive(queue);
    await queue.send([{ body: 'late' }]);
    expect(bodies(await polled)).toEqual(['late']);
  });

  test('the visibility is counted from when the receive was sent, with the setting of the queue', async (context) => {
    const queue = await open(context, { visibilityTimeoutSeconds: 45 });
    await queue.send([{ body: 'a' }]);
    const [message] = await receive(queue);
    expect(message?.visibleAgainAtMs).toBe(NOW_MS + 45_000);
  });

  test('a receive with its own visibility timeout uses that one, and the queue gives the message back after it', async (context) => {
    const queue = await open(context, { visibilityTimeoutSeconds: 45 });
    await queue.send([{ body: 'a' }]);
    const [first] = await receive(queue, { visibilityTimeoutSeconds: 1 });
    expect(first?.visibleAgainAtMs).toBe(NOW_MS + 1_000);
    expect(await receive(queue)).toMatchObject([{ messageId: first?.messageId, receiveCount: 2 }]);
  });

  test('an aborted poll ends at once with an error', async (context) => {
    const queue = await open(context);
    await queue.source.attributes();
    const stop = new AbortController();
    const polled = receive(queue, { waitTimeSeconds: 20, signal: stop.signal });
    stop.abort();
    await expect(polled).rejects.toMatchObject({ name: 'SourceError', code: 'unavailable' });
  });
}

function describeSettle(open: Open, traits: QueueBackendTraits): void {
  test('deleted messages are done and do not come back', async (context) => {
    const queue = await open(context, { visibilityTimeoutSeconds: 1 });
    await queue.send([{ body: 'a' }, { body: 'b' }]);
    const messages = await receive(queue);
    expect(await queue.source.delete(messages)).toEqual(messages.map(() => 'done'));
    const rest = await receive(queue, { waitTimeSeconds: 2 });
    expect(messages.length + rest.length).toBe(2);
  });

  test('a visibility of 0 gives the message back at once, one receive older', async (context) => {
    const queue = await open(context);
    await queue.send([{ body: 'a' }]);
    const messages = await receive(queue);
    expect(await queue.source.changeVisibility(messages, 0)).toEqual(['done']);
    expect(await receive(queue)).toMatchObject([{ messageId: messages[0]?.messageId, receiveCount: 2 }]);
  });

  test('a longer visibility keeps the message away', async (context) => {
    const queue = await open(context, { visibilityTimeoutSeconds: 1 });
    await queue.send([{ body: 'a' }]);
    expect(await queue.source.changeVisibility(await receive(queue), 30)).toEqual(['done']);
    expect(await receive(queue, { waitTimeSeconds: 3 })).toEqual([]);
  });

  test('nothing to settle is no call', async (context) => {
    const queue = await open(context, { exists: false });
    expect(await queue.source.delete([])).toEqual([]);
    expect(await queue.source.changeVisibility([], 0)).toEqual([]);
  });

  test('more than ten at a time is a mistake of the caller', async (context) => {
    const queue = await open(context);
    await queue.send([{ body: 'a' }]);
    const [message] = await receive(queue);
    await expect(queue.source.delete(Array.from({ length: 11 }, () => message!))).rejects.toThrow('10 messages at most, not 11');
  });

  if (traits.refusesStrangeReceipts) {
    test('a receipt that was never given out is gone, and its neighbours are settled all the same', async (context) => {
      const queue = await open(context);
      await queue.send([{ body: 'a' }]);
      const [message] = await receive(queue);
      const stranger: QueueMessage = { ...message!, receiptHandle: 'bm90IGEgcmVjZWlwdA==' };
      expect(await queue.source.delete([stranger, message!])).toEqual(['gone', 'done']);
    });
  }
}

function describeQueue(open: Open): void {
  test('the attributes tell the visibility timeout and what is in the queue', async (context) => {
    const queue = await open(context, { visibilityTimeoutSeconds: 77 });
    await queue.send([{ body: 'a' }, { body: 'b' }, { body: 'c' }]);
    await receive(queue, { maxMessages: 1 });
    expect(await queue.source.attributes()).toEqual({
      visibilityTimeoutSeconds: 77,
      approximateNumberOfMessages: 2,
      approximateNumberOfMessagesNotVisible: 1,
      approximateNumberOfMessagesDelayed: 0,
    });
  });

  test('a missing queue is reported as such, and found once it exists and the source has looked again', async (context) => {
    const queue = await open(context, { exists: false });
    const failed = receive(queue, { waitTimeSeconds: 0 });
    await expect(failed).rejects.toBeInstanceOf(SourceError);
    await expect(failed).rejects.toMatchObject({ code: 'notFound' });
    await queue.create();
    queue.source.refresh();
    await queue.send([{ body: 'a' }]);
    expect(bodies(await receive(queue))).toEqual(['a']);
  });
}

function describeGroups(open: Open, groups: NonNullable<QueueBackendTraits['groups']>): void {
  test('one receive holds several messages of a group in order, and the group stays closed until they are settled', async (context) => {
    const queue = await open(context, { fifo: true });
    await queue.send(Array.from({ length: 12 }, (_, index) => ({ body: String(index), groupId: 'g' })));
    const first = await receive(queue);
    expect(bodies(first)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(first.map((message) => message.messageGroupId)).toEqual(first.map(() => 'g'));
    expect(await receive(queue, { waitTimeSeconds: 0 })).toEqual([]);
    expect(await queue.source.delete(first)).toEqual(first.map(() => 'done'));
    expect(bodies(await receive(queue))).toEqual(['10', '11']);
  });

  test('a closed group does not hold up another one', async (context) => {
    const queue = await open(context, { fifo: true });
    await queue.send([
      { body: 'a1', groupId: 'a' },
      { body: 'a2', groupId: 'a' },
    ]);
    await receive(queue, { maxMessages: 1 });
    await queue.send([{ body: 'b1', groupId: 'b' }]);
    expect(bodies(await receive(queue))).toEqual(['b1']);
  });

  test('messages of a group that were given back come again in order', async (context) => {
    const queue = await open(context, { fifo: true });
    await queue.send(['1', '2', '3'].map((body) => ({ body, groupId: 'g' })));
    const [first, ...rest] = await receive(queue);
    expect(await queue.source.delete([first!])).toEqual(['done']);
    expect(await queue.source.changeVisibility(rest, 0)).toEqual(['done', 'done']);
    const again = await receive(queue);
    expect(again.map((message) => [...bodies([message]), message.receiveCount])).toEqual([
      ['2', 2],
      ['3', 2],
    ]);
  });

  test('the receipt of a message whose visibility has ended is gone', async (context) => {
    const queue = await open(context, { fifo: true });
    await queue.send([{ body: 'a', groupId: 'g' }]);
    const old = await receive(queue, { visibilityTimeoutSeconds: 1 });
    if (groups.refusesExpiredReceipts === 'onceReceivedAgain') {
      expect(await receive(queue)).toMatchObject([{ messageId: old[0]?.messageId, receiveCount: 2 }]);
      expect(await queue.source.delete(old)).toEqual(['gone']);
      return;
    }
    const isVisible = async () => (await queue.source.attributes()).approximateNumberOfMessages === 1;
    await expect.poll(isVisible, { timeout: LONG_POLL_SECONDS * 1000 }).toBe(true);
    expect(await queue.source.delete(old)).toEqual(['gone']);
    expect(await receive(queue)).toMatchObject([{ messageId: old[0]?.messageId, receiveCount: 2 }]);
  });
}
