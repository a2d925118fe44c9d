import type { Clock } from '@wherry/core/clock';
import type { HeldLease, LeaseStore } from '@wherry/core/coordination';
import type { EngineEvent, Observe } from '@wherry/core/engine-event';
import { type LeaseNote, writeLeaseNote } from '@wherry/core/stream/lease-note';

/** Notes of a shard are for people: no more than one a second. */
const NOTE_EVERY_MS = 1_000;

/** Why a lane does not go on. */
export interface BlockedLane {
  readonly lane: number;
  readonly reason: Extract<EngineEvent, { readonly type: 'blocked' }>['reason'];
  /** Invocations of the batch so far, or tries at the destination. */
  readonly attempts: number;
  /** Error type or reason, never the function's payload. */
  readonly error: string;
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  /** When the next attempt is due, epoch milliseconds. */
  readonly nextAtMs: number;
}

/** Whose notices these are. */
export interface ShardNoticeOptions {
  readonly clock: Clock;
  readonly leases: LeaseStore;
  readonly owner: string;
  readonly lease: HeldLease;
  readonly mapping: string;
  readonly shardId: string;
  readonly observe: Observe;
  /** Aborts when nothing more may be written under the lease. */
  readonly over: AbortSignal;
}

/** Says why a shard does not go on: as events, as the lease's note, and for `status`. */
export class ShardNotice {
  readonly #options: ShardNoticeOptions;
  readonly #blocked = new Map<number, BlockedLane>();
  #phase: LeaseNote['state'] = 'reading';
  #behindMs: number | undefined;
  #note = '';
  #written = '';
  #isWriting = false;

  constructor(options: ShardNoticeOptions) {
    this.#options = options;
  }

  /** What the shard as a whole is doing. */
  get state(): LeaseNote['state'] {
    return this.#phase === 'reading' && this.#blocked.size > 0 ? 'blocked' : this.#phase;
  }

  get behindMs(): number | undefined {
    return this.#behindMs;
  }

  /** The lanes that do not go on, the one that is blocked longest first. */
  get blocked(): readonly BlockedLane[] {
    return [...this.#blocked.values()];
  }

  /** How far the reader is behind the tip; goes out with the next note. */
  behind(behindMs: number | undefined): void {
    this.#behindMs = behindMs;
  }

  /** The shard enters another phase of its life. */
  enter(phase: LeaseNote['state']): void {
    this.#phase = phase;
    this.#publish();
  }

  /** A lane waits for `pauseMs` before it tries again. */
  block(lane: number, { reason, attempts, error }: Pick<BlockedLane, 'reason' | 'attempts' | 'error'>, pauseMs: number): void {
    const nowMs = this.#options.clock.nowMs();
    const sinceMs = this.#blocked.get(lane)?.sinceMs ?? nowMs;
    this.#blocked.set(lane, { lane, reason, attempts, error, sinceMs, nextAtMs: nowMs + pauseMs });
    this.#tell(lane, reason, attempts, error);
    this.#publish();
  }

  /** The lane goes on. */
  unblock(lane: number): void {
    const blocked = this.#blocked.get(lane);
    if (blocked === undefined) return;
    this.#blocked.delete(lane);
    this.#tell(lane, blocked.reason, 0, '');
    this.#publish();
  }

  #tell(lane: number, reason: BlockedLane['reason'], attempts: number, error: string): void {
    const { mapping, shardId, observe } = this.#options;
    observe({ type: 'blocked', mapping, shard: shardId, lane, reason, attempts, error });
  }

  #publish(): void {
    this.#note = writeLeaseNote(this.#noteNow());
    if (!this.#isWriting) void this.#write();
  }

  #noteNow(): LeaseNote | undefined {
    const { state } = this;
    if (state === 'reading') return undefined;
    const behind = this.#behindMs === undefined ? {} : { behindMs: this.#behindMs };
    const first = this.blocked[0];
    if (first === undefined) return { state, ...behind };
    const { lane, sinceMs, attempts, reason, error, nextAtMs } = first;
    return { state, ...behind, lane, blockedSinceMs: sinceMs, attempts, reason, error, nextAtMs };
  }

  async #write(): Promise<void> {
    const { clock, leases, owner, lease, over } = this.#options;
    this.#isWriting = true;
    while (this.#note !== this.#written && !over.aborted && lease.isValid()) {
      const note = this.#note;
      // A note that did not arrive is no loss: the next one says more.
      await leases.note(lease.id, owner, lease.epoch, note).catch(() => undefined);
      this.#written = note;
      await clock.sleep(NOTE_EVERY_MS, over);
    }
    this.#isWriting = false;
  }
}
