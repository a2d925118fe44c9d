import type { Clock } from '@wherry/core/clock';
import type { QueueAttributes, QueueMessage, QueueSource, ReceiveRequest, SettleOutcome } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';

/** The queue's settings. */
export interface FakeQueueOptions {
  readonly clock: Clock;
  readonly visibilityTimeoutSeconds: number;
  readonly fifo?: boolean;
  /** Redrive policy: a message received this often goes to `deadLetters` instead of being received again. */
  readonly maxReceiveCount?: number;
}

/** What a producer sends. */
export interface FakeMessage {
  readonly body: string;
  /** Made up if absent. */
  readonly messageId?: string;
  readonly messageGroupId?: string;
  readonly traceHeader?: string;
}

interface Stored extends FakeMessage {
  readonly messageId: string;
  readonly sentAtMs: number;
  receiveCount: number;
  receiptHandle: string | undefined;
  invisibleUntilMs: number;
}

/** Which calls of a queue were made, in numbers. */
export interface FakeQueueCalls {
  receive: number;
  delete: number;
  changeVisibility: number;
  attributes: number;
}

/**
 * An SQS queue in memory, on any clock: long polls, visibility timeouts, receive counts, FIFO groups that are blocked while one
 * of their messages is in flight, and a dead-letter queue. The faults that a test sets stay until it takes them away.
 */
export class FakeQueue implements QueueSource {
  readonly deadLetters: { readonly messageId: string; readonly body: string; readonly receiveCount: number }[] = [];
  readonly deletedIds: string[] = [];
  /** Every change of visibility that took effect. */
  readonly visibilityChanges: { readonly messageId: string; readonly seconds: number; readonly atMs: number }[] = [];
  readonly requests: ReceiveRequest[] = [];
  readonly calls: FakeQueueCalls = { receive: 0, delete: 0, changeVisibility: 0, attributes: 0 };
  visibilityTimeoutSeconds: number;
  receiveFault: Error | undefined;
  /** How long the answer to a receive takes to arrive, after the queue has handed the messages out. */
  answerDelayMs = 0;
  deleteFault: SourceError | undefined;
  changeVisibilityFault: SourceError | undefined;
  attributesFault: SourceError | undefined;
  refreshes = 0;
  isClosed = false;
  readonly #options: FakeQueueOptions;
  readonly #polls = new Set<AbortController>();
  #messages: Stored[] = [];
  #sent = 0;
  #receipts = 0;

  constructor(options: FakeQueueOptions) {
    this.#options = options;
    this.visibilityTimeoutSeconds = options.visibilityTimeoutSeconds;
  }

  /** @returns the message's id */
  send(message: FakeMessage): string {
    const messageId = message.messageId ?? `m-${this.#sent++}`;
    const sentAtMs = this.#options.clock.nowMs();
    this.#messages.push({ ...message, messageId, sentAtMs, receiveCount: 0, receiptHandle: undefined, invisibleUntilMs: 0 });
    this.#wake();
    return messageId;
  }

  /** Messages that are neither deleted nor dead-lettered. */
  get remaining(): readonly { readonly messageId: string; readonly receiveCount: number; readonly isVisible: boolean }[] {
    const nowMs = this.#now();
    return this.#messages.map(({ messageId, receiveCount, invisibleUntilMs }) => ({
      messageId,
      receiveCount,
      isVisible: invisibleUntilMs <= nowMs,
    }));
  }

  async receive(request: ReceiveRequest): Promise<QueueMessage[]> {
    this.calls.receive += 1;
    this.requests.push(request);
    const sentAtMs = this.#now();
    const untilMs = sentAtMs + request.waitTimeSeconds * 1_000;
    for (;;) {
      if (this.receiveFault !== undefined) throw this.receiveFault;
      if (request.signal.aborted) throw new SourceError('unavailable', 'AbortError', 'the poll was aborted');
      const messages = this.#take(request, sentAtMs);
      if (messages.length > 0 || this.#now() >= untilMs) {
        if (this.answerDelayMs > 0) await this.#options.clock.sleep(this.answerDelayMs, request.signal);
        return messages;
      }
      await this.#sleep(Math.min(untilMs, this.#nextVisibleAtMs()) - this.#now(), request.signal);
    }
  }

  async delete(messages: readonly QueueMessage[]): Promise<SettleOutcome[]> {
    this.calls.delete += 1;
    if (this.deleteFault !== undefined) throw this.deleteFault;
    const outcomes = messages.map((message): SettleOutcome => {
      const stored = this.#messages.find(({ messageId }) => messageId === message.messageId);
      // As SQS does: deleting what is gone already succeeds; only a receipt that was replaced is refused.
      if (stored === undefined) return 'done';
      if (!this.#isCurrent(stored, message)) return 'gone';
      this.#messages = this.#messages.filter((each) => each !== stored);
      this.deletedIds.push(stored.messageId);
      return 'done';
    });
    this.#wake();
    return outcomes;
  }

  async changeVisibility(messages: readonly QueueMessage[], timeoutSeconds: number): Promise<SettleOutcome[]> {
    this.calls.changeVisibility += 1;
    if (this.changeVisibilityFault !== undefined) throw this.changeVisibilityFault;
    const outcomes = messages.map((message): SettleOutcome => {
      const stored = this.#messages.find(({ messageId }) => messageId === message.messageId);
      if (stored === undefined || !this.#isCurrent(stored, message) || stored.invisibleUntilMs <= this.#now()) return 'gone';
      stored.invisibleUntilMs = this.#now() + timeoutSeconds * 1_000;
      this.visibilityChanges.push({ messageId: stored.messageId, seconds: timeoutSeconds, atMs: this.#now() });
      return 'done';
    });
    this.#wake();
    return outcomes;
  }

  async attributes(): Promise<QueueAttributes> {
    this.calls.attributes += 1;
    if (this.attributesFault !== undefined) throw this.attributesFault;
    const visible = this.remaining.filter((message) => message.isVisible).length;
    return {
      visibilityTimeoutSeconds: this.visibilityTimeoutSeconds,
      approximateNumberOfMessages: visible,
      approximateNumberOfMessagesNotVisible: this.#messages.length - visible,
      approximateNumberOfMessagesDelayed: 0,
    };
  }

  refresh(): void {
    this.refreshes += 1;
  }

  close(): void {
    this.isClosed = true;
  }

  #take(request: ReceiveRequest, sentAtMs: number): QueueMessage[] {
    const nowMs = this.#now();
    const seconds = request.visibilityTimeoutSeconds ?? this.visibilityTimeoutSeconds;
    const blocked = new Set<string | undefined>();
    if (this.#options.fifo === true) {
      for (const stored of this.#messages) if (stored.invisibleUntilMs > nowMs) blocked.add(stored.messageGroupId);
    }
    const taken: QueueMessage[] = [];
    for (const stored of this.#messages) {
      if (taken.length >= request.maxMessages) break;
      if (stored.invisibleUntilMs > nowMs || (this.#options.fifo === true && blocked.has(stored.messageGroupId))) continue;
      if (stored.receiveCount >= (this.#options.maxReceiveCount ?? Number.POSITIVE_INFINITY)) {
        this.deadLetters.push({ messageId: stored.messageId, body: stored.body, receiveCount: stored.receiveCount });
        this.#messages = this.#messages.filter((each) => each !== stored);
        continue;
      }
      stored.receiveCount += 1;
      stored.receiptHandle = `r-${this.#receipts++}`;
      stored.invisibleUntilMs = nowMs + seconds * 1_000;
      taken.push(messageOf(stored, stored.receiptHandle, sentAtMs + seconds * 1_000));
    }
    return taken;
  }

  #isCurrent(stored: Stored, message: QueueMessage): boolean {
    const isExpired = this.#options.fifo === true && stored.invisibleUntilMs <= this.#now();
    return stored.receiptHandle === message.receiptHandle && !isExpired;
  }

  #nextVisibleAtMs(): number {
    const nowMs = this.#now();
    const times = this.#messages.map((stored) => stored.invisibleUntilMs).filter((atMs) => atMs > nowMs);
    return Math.min(Number.POSITIVE_INFINITY, ...times);
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const poll = new AbortController();
    const stop = (): void => poll.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.#polls.add(poll);
    await this.#options.clock.sleep(ms, poll.signal);
    this.#polls.delete(poll);
    signal.removeEventListener('abort', stop);
  }

  #wake(): void {
    for (const poll of this.#polls) poll.abort();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

function messageOf(stored: Stored, receiptHandle: string, visibleAgainAtMs: number): QueueMessage {
  const { messageId, body, messageGroupId, traceHeader, receiveCount, sentAtMs } = stored;
  const attributes = { ApproximateReceiveCount: String(receiveCount), SentTimestamp: String(sentAtMs) };
  const recordJson = JSON.stringify({ messageId, receiptHandle, body, attributes, eventSource: 'aws:sqs' });
  return {
    messageId,
    receiptHandle,
    recordJson,
    recordBytes: new TextEncoder().encode(recordJson).length,
    sentAtMs,
    receiveCount,
    visibleAgainAtMs,
    ...(messageGroupId === undefined ? {} : { messageGroupId }),
    ...(traceHeader === undefined ? {} : { traceHeader }),
  };
}
