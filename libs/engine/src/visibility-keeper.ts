/**
 * Keeps messages ours while a batch of them waits for its turn or runs longer than their visibility, by lengthening the
 * visibility timeout when half of it is left, ten messages a call. One sleeping loop for the whole mapping, no timer per message.
 *
 * It never touches a message whose visibility has run out by our count (somebody else may have it), never reaches beyond SQS's
 * limit of 12 hours, and leaves alone what will be done in time anyhow.
 */
import type { Clock } from '@wherry/core/clock';
import type { Observe } from '@wherry/core/engine-event';
import type { QueueSource, SettleOutcome } from '@wherry/core/queue-source';
import { Bell } from './bell.ts';
import type { HeldMessage } from './held-message.ts';

const ENTRIES_MAX = 10;
/** What is due within this time goes out together with what is due now. */
const TOGETHER_MS = 1_000;
/** Part of the visibility after which a failed extension is tried again. */
const RETRY_PART = 0.1;
/** What must be left of the visibility when the invocation's deadline comes, for the delete. */
const SPARE_MS = 2_000;

/** The queue whose messages are kept. */
export interface VisibilityKeeperOptions {
  readonly clock: Clock;
  readonly source: QueueSource;
  readonly mapping: string;
  /** `sqs.extendVisibility`; if false, nothing is ever extended. */
  readonly enabled: boolean;
  readonly observe: Observe;
  readonly kill: AbortSignal;
}

/** A message under care. */
interface Care {
  readonly held: HeldMessage;
  readonly visibilitySeconds: number;
  dueAtMs: number;
}

/** Keeps the messages of one mapping ours. */
export class VisibilityKeeper {
  readonly #options: VisibilityKeeperOptions;
  readonly #bell: Bell;
  readonly #cares = new Map<HeldMessage, Care>();
  #isRunning = false;
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(options: VisibilityKeeperOptions) {
    this.#options = options;
    this.#bell = new Bell(options.clock);
  }

  /**
   * Takes messages under care until `letGo`.
   * @param endsByMs monotonic time by which they will be done with; `Infinity` if nobody can say. Messages that are ours for
   *   longer are left alone.
   */
  hold(batch: readonly HeldMessage[], visibilitySeconds: number, endsByMs: number): void {
    if (!this.#options.enabled) return;
    const nowMs = this.#options.clock.monotonicMs();
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const held of batch) {
      if (held.visibleAgainAtMs >= endsByMs + SPARE_MS) continue;
      // Half of what is left, not half of the whole: a quick answer late in the visibility, such as a throttle, needs no extension.
      const dueAtMs = (nowMs + held.visibleAgainAtMs) / 2;
      this.#cares.set(held, { held, visibilitySeconds, dueAtMs });
      earliestMs = Math.min(earliestMs, dueAtMs);
    }
    if (earliestMs === Number.POSITIVE_INFINITY) return;
    if (!this.#isRunning) void this.#run();
    else if (earliestMs < this.#wakesAtMs) this.#bell.ring();
  }

  letGo(batch: readonly HeldMessage[]): void {
    for (const held of batch) this.#cares.delete(held);
  }

  /** Lives while there is something to care for. */
  async #run(): Promise<void> {
    const { clock, kill } = this.#options;
    this.#isRunning = true;
    while (this.#cares.size > 0 && !kill.aborted) {
      this.#wakesAtMs = Math.min(...[...this.#cares.values()].map((care) => care.dueAtMs));
      await this.#bell.wait(Math.max(0, this.#wakesAtMs - clock.monotonicMs()), kill);
      await this.#extendDue();
    }
    this.#isRunning = false;
  }

  async #extendDue(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const bySeconds = new Map<number, Care[]>();
    for (const care of this.#cares.values()) {
      const seconds = Math.min(care.visibilitySeconds, Math.floor((care.held.heldUntilMaxMs - nowMs) / 1_000));
      if (care.held.visibleAgainAtMs <= nowMs || nowMs + seconds * 1_000 <= care.held.visibleAgainAtMs) {
        if (care.dueAtMs <= nowMs) this.#cares.delete(care.held);
        continue;
      }
      if (care.dueAtMs > nowMs + TOGETHER_MS) continue;
      const others = bySeconds.get(seconds) ?? [];
      others.push(care);
      bySeconds.set(seconds, others);
    }
    const calls: Promise<void>[] = [];
    for (const [seconds, cares] of bySeconds) {
      if (cares.every((care) => care.dueAtMs > nowMs)) continue;
      for (let start = 0; start < cares.length; start += ENTRIES_MAX)
        calls.push(this.#extend(cares.slice(start, start + ENTRIES_MAX), seconds));
    }
    await Promise.all(calls);
  }

  async #extend(cares: readonly Care[], seconds: number): Promise<void> {
    const { clock, source, mapping, observe } = this.#options;
    const sentAtMs = clock.monotonicMs();
    const outcomes = await source
      .changeVisibility(
        cares.map(({ held }) => held.message),
        seconds,
      )
      .catch(() => cares.map((): SettleOutcome => 'failed'));
    for (const [index, care] of cares.entries()) {
      switch (outcomes[index] ?? 'failed') {
        case 'done':
          care.held.visibleAgainAtMs = sentAtMs + seconds * 1_000;
          care.dueAtMs = care.held.visibleAgainAtMs - seconds * 500;
          break;
        case 'gone':
          // The receipt is no longer good, so the message is not ours.
          care.held.visibleAgainAtMs = sentAtMs;
          this.#cares.delete(care.held);
          break;
        case 'failed':
          care.dueAtMs = clock.monotonicMs() + Math.max(1_000, care.visibilitySeconds * 1_000 * RETRY_PART);
          break;
      }
    }
    const count = (outcome: SettleOutcome): number => outcomes.filter((each) => each === outcome).length;
    observe({ type: 'settled', mapping, action: 'extended', done: count('done'), gone: count('gone'), failed: count('failed') });
  }
}
