import type { Clock } from '@wherry/core/clock';
import type { HeldLease, LeaseProgress } from '@wherry/core/coordination';

/**
 * One lease this poller holds. The lease keeper renews, yields and fences it; the work under it only reads.
 *
 *   held ──yield──▶ yielding ──work ended──▶ released
 *     └────────────────┴──lose──▶ lost
 */
export class OwnLease implements HeldLease {
  readonly id: string;
  readonly epoch: number;
  readonly #clock: Clock;
  readonly #yielded = new AbortController();
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  #validUntilMs: number;
  #progress: LeaseProgress;
  #isProgressUsed = false;
  #weight: number | undefined;
  #isTaken = false;
  #isWanted = false;

  /**
   * @param acquired what the store answered
   * @param validUntilMs monotonic time the acquisition was *sent*, plus ttl, minus margin
   */
  constructor(id: string, acquired: { readonly epoch: number } & LeaseProgress, clock: Clock, validUntilMs: number) {
    this.id = id;
    this.epoch = acquired.epoch;
    this.#progress = acquired;
    this.#clock = clock;
    this.#validUntilMs = validUntilMs;
  }

  get checkpoint(): string | undefined {
    return this.#progress.checkpoint;
  }

  get window(): string {
    return this.#progress.window;
  }

  /** The work is about to begin at this progress. @returns false if it began before, and may have come further since */
  useProgress(): boolean {
    const isFirst = !this.#isProgressUsed;
    this.#isProgressUsed = true;
    return isFirst;
  }

  /** The store has been asked again how far the work is. */
  progressed(progress: LeaseProgress): void {
    this.#progress = progress;
  }

  weigh(weight: number): void {
    this.#weight = weight;
  }

  /** What a renewal tells of this lease. The weight that an earlier owner measured stands until this one has measured. */
  get renewal(): { readonly id: string; readonly epoch: number; readonly weight?: number } {
    const { id, epoch } = this;
    return this.#weight === undefined ? { id, epoch } : { id, epoch, weight: this.#weight };
  }

  get yielded(): AbortSignal {
    return this.#yielded.signal;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get validUntilMs(): number {
    return this.#validUntilMs;
  }

  isValid(): boolean {
    return !this.#lost.signal.aborted && this.#clock.monotonicMs() < this.#validUntilMs;
  }

  /** A renewal sent earlier may be answered later than its successor, so the validity never moves back. */
  extend(validUntilMs: number): void {
    this.#validUntilMs = Math.max(this.#validUntilMs, validUntilMs);
  }

  /** @param reason `wanted` when another poller asks for it */
  yield(reason?: 'wanted'): void {
    if (reason === 'wanted') this.#isWanted = true;
    this.#yielded.abort();
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** @param isTaken the store says that it is somebody else's, so there is nothing to give back */
  lose(isTaken: boolean): void {
    this.#isTaken = isTaken;
    this.#lost.abort();
  }

  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Lost, or its work has ended: not renewed any more. */
  get isOver(): boolean {
    return this.#lost.signal.aborted || this.#ended.signal.aborted;
  }

  /** The work under the lease has ended; nobody has to watch its validity any more. */
  end(): void {
    this.#ended.abort();
  }

  /**
   * Waits until the validity lapses or the lease is over.
   *
   * @returns true if it lapsed: the store has not confirmed the lease in time, whatever the reason
   */
  async lapses(): Promise<boolean> {
    while (!this.#ended.signal.aborted && !this.#lost.signal.aborted) {
      const leftMs = this.#validUntilMs - this.#clock.monotonicMs();
      if (leftMs <= 0) return true;
      await this.#clock.sleep(leftMs, this.#ended.signal);
    }
    return false;
  }
}
