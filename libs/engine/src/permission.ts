/**
 * The right to make one invocation: the target's gate, the target's learned concurrency, the process's own limit, and the
 * fleet-wide caps, in this order. While a cap is reached nothing is held, so that a mapping at its cap takes no place from another.
 *
 * While a batch of this mapping waits for it, no slot of the mapping fetches: more messages could only lose visibility here.
 */
import { type BackoffPolicy, backoffMs } from '@wherry/core/backoff';
import type { Surroundings } from '@wherry/core/clock';
import { Bell } from './bell.ts';
import type { FleetPermits } from './fleet-permits.ts';
import type { Patience, Semaphore } from './semaphore.ts';
import type { Passage, TargetGate } from './target-gate.ts';

/** Pauses between tries for a permit of a cap that is reached. */
const CAP_BACKOFF: BackoffPolicy = { firstMs: 100, maxMs: 1_000, leastMs: 20 };
/**
 * How long a place that was waited for is kept for the fetch that follows. A queue that has messages answers within this time, and
 * the batch then has its place; one that has none keeps nobody from invoking for longer than this.
 */
const HEAD_START_MS = 500;
/** What a probe may take beyond the invocation itself: its receive, and slow calls. */
const PROBE_MARGIN_MS = 15_000;

/** The right to make one invocation. */
export interface Permission {
  readonly passage: Passage;
  /** Gives everything back. Call once, when the answer is there. */
  end(): void;
}

/** The limits that apply to one mapping. */
export interface PermissionDeskOptions {
  readonly surroundings: Surroundings;
  readonly gate: TargetGate;
  readonly inFlight: Semaphore;
  readonly permits: FleetPermits;
  /** How long one invocation may take. */
  readonly deadlineMs: number;
}

/** Hands out the right to invoke to the slots of one mapping. */
export class PermissionDesk {
  readonly #options: PermissionDeskOptions;
  readonly #bell: Bell;
  readonly #probeTtlMs: number;
  /** Places kept for fetches that have just begun; aborted when a batch takes the place over. */
  readonly #headStarts: AbortController[] = [];
  #waiting = 0;
  #running = 0;

  constructor(options: PermissionDeskOptions) {
    this.#options = options;
    this.#bell = new Bell(options.surroundings.clock);
    this.#probeTtlMs = options.deadlineMs + PROBE_MARGIN_MS;
  }

  /** Invocations of this mapping in flight in this process. */
  get running(): number {
    return this.#running;
  }

  /** True if more messages may be fetched right now. */
  mayFetch(): boolean {
    return this.#waiting === 0 && this.#options.gate.mayPass();
  }

  /**
   * Waits until it makes sense to fetch messages: the gate lets pass, and an invocation could begin at once. Where others wait for
   * that too, the place is kept for a moment. Otherwise one free place would send them all to fetch, and their messages would wait
   * for it in memory: without `sqs.extendVisibility` until the queue takes them back, which counts as one more receive.
   */
  async waitToFetch(signal: AbortSignal): Promise<Passage> {
    const { surroundings, gate } = this.#options;
    const patience: Patience = { clock: surroundings.clock, untilMs: Number.POSITIVE_INFINITY, signal };
    while (!signal.aborted) {
      if (this.#waiting > 0) {
        await this.#bell.wait(CAP_BACKOFF.maxMs, signal);
        continue;
      }
      const passage = await gate.waitToPass({ ...patience, probeTtlMs: this.#probeTtlMs });
      if (passage !== 'go') return passage;
      const isFree = this.#tryPlaces();
      if (!isFree && !(await this.#waitForPlaces(patience))) return 'stopped';
      if (!isFree && this.mayFetch()) this.#keepForFetch(signal);
      else this.#leavePlaces();
      if (this.mayFetch()) return 'go';
    }
    return 'stopped';
  }

  /** Keeps the places just taken until a batch of this mapping takes them over, the time is up, or the signal aborts. */
  #keepForFetch(signal: AbortSignal): void {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.#headStarts.push(over);
    void this.#options.surroundings.clock.sleep(signal.aborted ? 0 : HEAD_START_MS, over.signal).then(() => {
      signal.removeEventListener('abort', stop);
      const index = this.#headStarts.indexOf(over);
      if (index === -1) return;
      this.#headStarts.splice(index, 1);
      this.#leavePlaces();
    });
  }

  /** The right to invoke, if it can be had at once and without asking the fleet. */
  takeNow(): Permission | undefined {
    const { gate, permits } = this.#options;
    if (permits.isCapped || !gate.mayPass() || !this.#takeOverPlaces()) return undefined;
    return this.#permission('go', () => undefined);
  }

  /**
   * Takes the right to invoke for a batch that is in hand, and waits for it.
   * @param passage `probe` if the batch was fetched as the probe
   * @param untilMs when the batch's messages are no longer ours; asked again after each wait, since visibility may be extended
   * @returns `undefined` if the time was up or the signal aborted, unless the right could be had without waiting
   */
  async take(passage: Passage, untilMs: () => number, signal: AbortSignal): Promise<Permission | undefined> {
    let held: Passage = passage;
    let isQueued = false;
    try {
      for (let refusals = 1; ; refusals += 1) {
        held = await this.#pass(held, untilMs(), signal);
        const permission = held === 'stopped' ? undefined : await this.#tryAll(held, untilMs(), signal);
        if (permission !== undefined) {
          held = 'stopped';
          return permission;
        }
        if (signal.aborted || this.#now() >= untilMs()) return undefined;
        if (!isQueued) this.#waiting += 1;
        isQueued = true;
        const pauseMs = backoffMs(refusals, CAP_BACKOFF, this.#options.surroundings.random);
        await this.#options.surroundings.clock.sleep(Math.min(pauseMs, untilMs() - this.#now()), signal);
      }
    } finally {
      if (held === 'probe') this.#options.gate.giveUpProbe();
      if (isQueued) this.#waiting -= 1;
      if (isQueued && this.#waiting === 0) this.#bell.ring();
    }
  }

  async #pass(held: Passage, untilMs: number, signal: AbortSignal): Promise<Passage> {
    if (held === 'probe') return held;
    const { gate } = this.#options;
    if (gate.mayPass()) return 'go';
    return await this.#queued(() => gate.waitToPass({ signal, untilMs, probeTtlMs: this.#probeTtlMs }));
  }

  async #tryAll(passage: Passage, untilMs: number, signal: AbortSignal): Promise<Permission | undefined> {
    const { surroundings, gate, permits } = this.#options;
    if (!this.#takeOverPlaces()) {
      const patience: Patience = { clock: surroundings.clock, untilMs, signal };
      if (!(await this.#queued(() => this.#waitForPlaces(patience)))) return undefined;
    }
    const giveBack = passage === 'probe' || gate.mayPass() ? await permits.tryTake() : undefined;
    if (giveBack !== undefined) return this.#permission(passage, giveBack);
    this.#leavePlaces();
    return undefined;
  }

  /** Counts the batch as waiting, so that its mapping fetches no more meanwhile. */
  async #queued<T>(wait: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    try {
      return await wait();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#bell.ring();
    }
  }

  /** For a batch in hand: places that were kept for its fetch, or free ones. Which fetch they were kept for is all the same. */
  #takeOverPlaces(): boolean {
    const kept = this.#headStarts.shift();
    kept?.abort();
    return kept !== undefined || this.#tryPlaces();
  }

  #tryPlaces(): boolean {
    const { gate, inFlight } = this.#options;
    if (!gate.invocations.tryAcquire()) return false;
    if (inFlight.tryAcquire()) return true;
    gate.invocations.release();
    return false;
  }

  /** The place at the target first: waiting with it for the process's own limit keeps out only the same function. */
  async #waitForPlaces(patience: Patience): Promise<boolean> {
    const { gate, inFlight } = this.#options;
    if (!(await gate.invocations.acquire(patience))) return false;
    if (await inFlight.acquire(patience)) return true;
    gate.invocations.release();
    return false;
  }

  #leavePlaces(): void {
    this.#options.gate.invocations.release();
    this.#options.inFlight.release();
  }

  #permission(passage: Passage, giveBack: () => void): Permission {
    this.#running += 1;
    return {
      passage,
      end: () => {
        this.#running -= 1;
        this.#leavePlaces();
        giveBack();
      },
    };
  }

  #now(): number {
    return this.#options.surroundings.clock.monotonicMs();
  }
}
