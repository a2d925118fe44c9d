/**
 * Takes messages out of the queue, or gives them back to it, off the path of the next batch.
 *
 * Messages of all slots of a mapping are collected: ten go out at once, fewer after a short linger. A delete that fails is
 * tried again a few times while the message is still ours; what cannot be deleted comes back and is delivered again.
 * A delete after a success is always tried at least once, whatever has happened to the lease since.
 */
import { type BackoffPolicy, backoffMs } from '@wherry/core/backoff';
import type { Surroundings } from '@wherry/core/clock';
import type { Observe } from '@wherry/core/engine-event';
import type { QueueMessage, QueueSource, SettleOutcome } from '@wherry/core/queue-source';
import { Bell } from './bell.ts';
import type { HeldMessage } from './held-message.ts';

/** SQS takes at most 10 entries a call. */
const ENTRIES_MAX = 10;
/** How long a call waits for more messages. It grows while calls go out half empty, so that few messages at a time still share calls. */
const LINGER_FIRST_MS = 20;
const LINGER_LAST_MS = 100;
const LINGER_GROWTH = 1.5;
/** Messages with less visibility left than this do not wait. */
const URGENT_MS = 1_000;
const TRIES_MAX = 5;
const TRY_BACKOFF: BackoffPolicy = { firstMs: 200, maxMs: 2_000, leastMs: 50 };
/** Messages that may wait for their delete; beyond that, slots wait. */
const BACKLOG_MAX = 1_000;

/** Given to `abort` because without a reason it makes an error with a stack, for every tenth message. */
const FLUSHED = 'flushed';

/** The queue whose messages are settled. */
export interface SettlerOptions {
  readonly surroundings: Surroundings;
  readonly source: QueueSource;
  readonly mapping: string;
  /** FIFO groups are blocked until their messages are gone, so nothing lingers. */
  readonly fifo: boolean;
  readonly observe: Observe;
  readonly kill: AbortSignal;
}

interface Entry {
  /** Without the record's text, so that a backlog of deletes holds no payloads. */
  readonly message: QueueMessage;
  readonly visibleAgainAtMs: number;
}

type Action = 'deleted' | 'released';

/** Settles the messages of one mapping. */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #bell: Bell;
  readonly #calls = new Set<Promise<void>>();
  /** Messages handed over and not settled yet, waiting or in a call. */
  #open = 0;
  #waiting: Entry[] = [];
  #lingerMs = LINGER_FIRST_MS;
  #isLingering = false;
  #flushed = new AbortController();

  constructor(options: SettlerOptions) {
    this.#options = options;
    this.#bell = new Bell(options.surroundings.clock);
  }

  /** Hands messages over to be deleted. Resolves at once, unless too many are waiting already. */
  async delete(batch: readonly HeldMessage[]): Promise<void> {
    if (batch.length === 0) return;
    const { clock } = this.#options.surroundings;
    const urgentBeforeMs = clock.monotonicMs() + URGENT_MS;
    let isUrgent = this.#options.fifo;
    for (const held of batch) {
      this.#waiting.push(entryOf(held));
      isUrgent ||= held.visibleAgainAtMs < urgentBeforeMs;
    }
    this.#open += batch.length;
    // What is left came in just now, so its linger begins now.
    if (this.#sendFull()) this.#flushed.abort(FLUSHED);
    if (isUrgent) this.#sendAll();
    else this.#linger();
    while (this.#open > BACKLOG_MAX && !this.#options.kill.aborted) await this.#bell.wait(URGENT_MS, this.#options.kill);
  }

  /** Makes messages that were never invoked visible again at once. */
  release(batch: readonly HeldMessage[]): void {
    this.#open += batch.length;
    for (let start = 0; start < batch.length; start += ENTRIES_MAX) {
      this.#start('released', batch.slice(start, start + ENTRIES_MAX).map(entryOf));
    }
  }

  /** Sends what waits and resolves when every message is settled or given up. */
  async flush(): Promise<void> {
    this.#sendAll();
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }

  #sendFull(): boolean {
    const isFull = this.#waiting.length >= ENTRIES_MAX;
    while (this.#waiting.length >= ENTRIES_MAX) this.#start('deleted', this.#waiting.splice(0, ENTRIES_MAX));
    return isFull;
  }

  #sendAll(): void {
    this.#sendFull();
    if (this.#waiting.length > 0) this.#start('deleted', this.#waiting.splice(0));
    this.#flushed.abort(FLUSHED);
  }

  /** One timer for all that wait. */
  #linger(): void {
    if (this.#isLingering || this.#waiting.length === 0) return;
    this.#isLingering = true;
    this.#flushed = new AbortController();
    void this.#options.surroundings.clock.sleep(this.#lingerMs, this.#flushed.signal).then(() => {
      this.#isLingering = false;
      if (this.#flushed.signal.aborted) return this.#linger();
      this.#adaptLinger(this.#waiting.length);
      this.#sendAll();
    });
  }

  #adaptLinger(sent: number): void {
    if (sent <= 1 && this.#lingerMs === LINGER_LAST_MS) this.#lingerMs = LINGER_FIRST_MS;
    else if (sent < ENTRIES_MAX - 1) this.#lingerMs = Math.min(LINGER_LAST_MS, this.#lingerMs * LINGER_GROWTH);
  }

  #start(action: Action, entries: Entry[]): void {
    const call = this.#settle(action, entries).finally(() => {
      this.#calls.delete(call);
      this.#open -= entries.length;
      this.#bell.ring();
    });
    this.#calls.add(call);
  }

  /** Tries until every entry is done or gone, or there is no use in trying. Counts each message once. */
  async #settle(action: Action, entries: readonly Entry[]): Promise<void> {
    const { surroundings, kill, observe, mapping } = this.#options;
    let done = 0;
    let gone = 0;
    let left = entries;
    for (let tries = 1; left.length > 0; tries += 1) {
      const outcomes = await this.#call(action, left);
      done += outcomes.filter((outcome) => outcome === 'done').length;
      gone += outcomes.filter((outcome) => outcome === 'gone').length;
      left = left.filter((_, index) => outcomes[index] !== 'done' && outcomes[index] !== 'gone');
      if (left.length === 0 || tries >= TRIES_MAX || kill.aborted) break;
      await surroundings.clock.sleep(backoffMs(tries, TRY_BACKOFF, surroundings.random), kill);
      const nowMs = surroundings.clock.monotonicMs();
      if (left.every((entry) => entry.visibleAgainAtMs <= nowMs)) break;
    }
    observe({ type: 'settled', mapping, action, done, gone, failed: left.length });
  }

  async #call(action: Action, entries: readonly Entry[]): Promise<SettleOutcome[]> {
    const { source } = this.#options;
    const messages = entries.map((entry) => entry.message);
    try {
      return action === 'deleted' ? await source.delete(messages) : await source.changeVisibility(messages, 0);
    } catch {
      // Nobody knows whether it was done; asking again is harmless, and the count of failures tells if it stays so.
      return messages.map(() => 'failed');
    }
  }
}

function entryOf(held: HeldMessage): Entry {
  return { message: { ...held.message, recordJson: '' }, visibleAgainAtMs: held.visibleAgainAtMs };
}
