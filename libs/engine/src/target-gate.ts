/**
 * Whether one function may be called, and how often at a time, as one process sees it.
 *
 *   closed ──429──▶ throttled ──time──▶ closed
 *   closed ──5 failures in a row, or half of 20──▶ open ──time──▶ probing ──answer──▶ closed
 *                                                   ▲               │
 *                                                   └────failure────┘
 *
 * "Open" and "throttled" are shared by the fleet through the gate store: the poller that notices writes, the others read with
 * every claim scan (`refresh`). While the gate is shut nobody fetches for this function, so no receive count is spent on
 * invocations that would fail. When an open gate's wait is over, one poller of the fleet gets the probe.
 * The learned concurrency (`invocations`) is this process's own.
 */
import { type BackoffPolicy, backoffMs } from '@wherry/core/backoff';
import { type Breaker, CLOSED_BREAKER, PROBE_BACKOFF, countResult, healthOf } from '@wherry/core/breaker';
import type { Surroundings } from '@wherry/core/clock';
import { type Concurrency, UNLIMITED, learnConcurrency } from '@wherry/core/concurrency';
import type { GateState, GateStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { InvokeResult } from '@wherry/core/invoke';
import { Bell } from './bell.ts';
import { Semaphore } from './semaphore.ts';

/** Which function, seen by which poller. */
export interface TargetGateOptions {
  readonly surroundings: Surroundings;
  readonly store: GateStore;
  /** Name of the function; the key of the shared state. */
  readonly target: string;
  /** Token of this poller. */
  readonly owner: string;
  readonly observe: Observe;
}

/** `go`: fetch and invoke. `probe`: this caller alone may fetch one batch and invoke it. `stopped`: time or signal ended the wait. */
export type Passage = 'go' | 'probe' | 'stopped';

/** How long somebody waits at the gate. */
export interface WaitToPass {
  readonly signal: AbortSignal;
  /** Monotonic time at which to give up. */
  readonly untilMs: number;
  /** After how long a probe that was never reported goes to another poller. */
  readonly probeTtlMs: number;
}

/** The gate as `wherry status` shows it. */
export interface TargetGateStatus {
  readonly state: 'open' | 'throttled' | 'closed';
  readonly reason: string;
  readonly waitMs: number;
  /** Learned invocations at a time; `Infinity` while the target has not complained. */
  readonly concurrencyLimit: number;
}

type View =
  | { readonly kind: 'closed' }
  | { readonly kind: 'throttled'; readonly untilMs: number; readonly reason: string }
  | { readonly kind: 'open'; readonly untilMs: number; readonly reason: string; readonly failures: number };

/** How long nobody fetches after a throttle that names no `Retry-After`. Lambda does not document its own. */
const THROTTLE_BACKOFF: BackoffPolicy = { firstMs: 500, maxMs: 5_000, leastMs: 100 };
/** How often those who wait look again while another poller has the probe. */
const LOOK_AGAIN_MS = 1_000;

/** The gate of one function in one process. */
export class TargetGate {
  readonly target: string;
  /** Places for invocations, as many as the learned concurrency allows. */
  readonly invocations = new Semaphore(UNLIMITED.limit);
  readonly #options: TargetGateOptions;
  readonly #bell: Bell;
  #view: View = { kind: 'closed' };
  #breaker: Breaker = CLOSED_BREAKER;
  #concurrency: Concurrency = UNLIMITED;
  #throttlesInRow = 0;
  #isProbing = false;
  #writesPending = 0;
  /** When this process last changed the shared state; what the store said before that is out of date. */
  #wroteAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: TargetGateOptions) {
    this.#options = options;
    this.target = options.target;
    this.#bell = new Bell(options.surroundings.clock);
  }

  /**
   * Takes in what the store said about this target.
   * @param state `undefined`: closed, not throttled
   * @param askedAtMs monotonic time at which the store was asked
   */
  refresh(state: GateState | undefined, askedAtMs: number): void {
    if (this.#writesPending > 0 || askedAtMs < this.#wroteAtMs) return;
    const untilMs = askedAtMs + (state?.waitMs ?? 0);
    if (state?.state === 'open') this.#see({ kind: 'open', untilMs, reason: state.reason, failures: state.failures });
    else if (state !== undefined && untilMs > this.#now()) this.#see({ kind: 'throttled', untilMs, reason: state.reason });
    else this.#see({ kind: 'closed' });
  }

  /** True if a call may be made now, without a probe. */
  mayPass(): boolean {
    if (this.#view.kind === 'throttled' && this.#now() >= this.#view.untilMs) this.#see({ kind: 'closed' });
    return this.#view.kind === 'closed';
  }

  /**
   * Waits until a call may be made. Whoever gets `probe` must end it with `report` or `giveUpProbe`.
   * A closed gate lets even those pass who were told to stop: they may finish what can go on without waiting.
   */
  async waitToPass({ signal, untilMs, probeTtlMs }: WaitToPass): Promise<Passage> {
    for (;;) {
      if (this.mayPass()) return 'go';
      if (signal.aborted || this.#now() >= untilMs) return 'stopped';
      if (this.#isProbeDue() && (await this.#tryProbe(probeTtlMs))) {
        if (!signal.aborted) return 'probe';
        this.giveUpProbe();
      }
      if (this.mayPass()) return 'go';
      const waitMs = this.status().waitMs;
      await this.#bell.wait(Math.min(waitMs > 0 ? waitMs : LOOK_AGAIN_MS, untilMs - this.#now()), signal);
    }
  }

  /** Learns from an attempt that was made with this passage. Not for attempts that were aborted from this side. */
  report(result: InvokeResult, passage: Passage): void {
    const nowMs = this.#now();
    this.#concurrency = learnConcurrency(this.#concurrency, result, this.invocations.inUse, nowMs);
    this.invocations.resize(this.#concurrency.limit);
    const health = healthOf(result);
    if (health === 'alive') this.#throttlesInRow = 0;
    if (passage === 'probe') {
      this.#isProbing = false;
      const failures = this.#view.kind === 'open' ? this.#view.failures : 0;
      if (health === 'failed') return this.#open(failures + 1, reasonOf(result));
      this.#close();
    }
    // An attempt that began before the gate opened says nothing about now.
    if (this.#view.kind === 'open') return;
    if (result.kind === 'throttled') return this.#throttle(result.reason, result.retryAfterMs ?? 0);
    const counted = countResult(this.#breaker, health === 'failed', nowMs);
    this.#breaker = counted.breaker;
    if (counted.opens) this.#open(1, reasonOf(result));
  }

  /** Ends a probe that was not used, because there was no message to try it with. The gate stays open. */
  giveUpProbe(): void {
    this.#isProbing = false;
    if (this.#view.kind === 'open') this.#open(this.#view.failures, this.#view.reason);
  }

  status(): TargetGateStatus {
    const view = this.#view;
    const concurrencyLimit = this.#concurrency.limit;
    if (view.kind === 'closed') return { state: 'closed', reason: '', waitMs: 0, concurrencyLimit };
    return { state: view.kind, reason: view.reason, waitMs: Math.max(0, view.untilMs - this.#now()), concurrencyLimit };
  }

  #isProbeDue(): boolean {
    return this.#view.kind === 'open' && this.#now() >= this.#view.untilMs && !this.#isProbing;
  }

  async #tryProbe(ttlMs: number): Promise<boolean> {
    const { store, owner } = this.#options;
    this.#isProbing = true;
    try {
      this.#isProbing = await store.tryProbe(this.target, owner, ttlMs);
    } catch {
      // The store cannot be asked, so this poller cannot know that the probe is its own.
      this.#isProbing = false;
    }
    if (this.#isProbing) this.#tell('probing', this.#view.kind === 'closed' ? '' : this.#view.reason);
    return this.#isProbing;
  }

  #open(failures: number, reason: string): void {
    const waitMs = backoffMs(failures, PROBE_BACKOFF, this.#options.surroundings.random);
    this.#view = { kind: 'open', untilMs: this.#now() + waitMs, reason, failures };
    this.#breaker = CLOSED_BREAKER;
    this.#tell('open', reason);
    this.#write(() => this.#options.store.open(this.target, waitMs, failures, reason));
  }

  #throttle(reason: string, atLeastMs: number): void {
    this.#throttlesInRow += 1;
    const waitMs = Math.max(atLeastMs, backoffMs(this.#throttlesInRow, THROTTLE_BACKOFF, this.#options.surroundings.random));
    const untilMs = this.#now() + waitMs;
    if (this.#view.kind === 'throttled' && this.#view.untilMs >= untilMs) return;
    this.#see({ kind: 'throttled', untilMs, reason });
    this.#write(() => this.#options.store.throttle(this.target, waitMs, reason));
  }

  #close(): void {
    this.#see({ kind: 'closed' });
    this.#write(() => this.#options.store.close(this.target));
  }

  /** Changes the view, tells of a change of kind, and wakes those who wait. */
  #see(view: View): void {
    const changed = view.kind !== this.#view.kind;
    this.#view = view;
    if (!changed) return;
    if (view.kind === 'closed') this.#breaker = CLOSED_BREAKER;
    this.#tell(view.kind, view.kind === 'closed' ? '' : view.reason);
    this.#bell.ring();
  }

  #write(write: () => Promise<void>): void {
    this.#writesPending += 1;
    void write()
      // Without the store the others find out by themselves; this process keeps its own view.
      .catch(() => undefined)
      .then(() => {
        this.#writesPending -= 1;
        this.#wroteAtMs = this.#now();
      });
  }

  #tell(state: 'open' | 'probing' | 'closed' | 'throttled', reason: string): void {
    this.#options.observe({ type: 'gate', target: this.target, state, reason });
  }

  #now(): number {
    return this.#options.surroundings.clock.monotonicMs();
  }
}

function reasonOf(result: InvokeResult): string {
  return result.kind === 'unavailable' || result.kind === 'throttled' ? result.reason : 'no answer within the deadline';
}
