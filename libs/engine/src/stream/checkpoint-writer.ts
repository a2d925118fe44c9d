/**
 * Writes the checkpoint of one shard. All lanes of the shard, and its reader, share it: whoever has made the shard's position move waits
 * until a write that covers it is known good, and one write covers all who came before it began.
 *
 *   saved ──position moved──▶ behind ──cover()──▶ writing ──written──▶ saved
 *                                ▲                   │ ├─ the store does not answer: again, while the lease is good
 *                                └───────────────────┘ └─ fenced, or the lease is not good any more ──▶ over
 *
 * A write that is refused means that the lease is somebody else's: the run is halted, and nothing more is written.
 */
import { type BackoffPolicy, backoffMs } from '@wherry/core/backoff';
import type { Surroundings } from '@wherry/core/clock';
import { type HeldLease, type LeaseStore, StoreError } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';

/** Pauses between tries while the store does not answer. */
const WRITE_BACKOFF: BackoffPolicy = { firstMs: 100, maxMs: 2_000, leastMs: 50 };
/**
 * How long a position may stay unwritten that moved without any invocation, because records were filtered out. After a crash they
 * are read and filtered again, which does nobody harm.
 */
export const UNWRITTEN_MS_MAX = 5_000;

/** What a shard's position is at the moment. */
export interface ShardProgress {
  /** The text for the lease; that of the lease itself until a record is terminal. */
  readonly checkpoint: string;
  /** The text of the open window that fits it. */
  readonly window: string;
  /** Records that are terminal and that it covers, since the run began. */
  readonly events: number;
}

/** Whose checkpoint it is. */
export interface CheckpointWriterOptions {
  readonly surroundings: Surroundings;
  readonly leases: LeaseStore;
  readonly owner: string;
  readonly lease: HeldLease;
  /** What the lease holds when the run begins. */
  readonly stored: Pick<ShardProgress, 'checkpoint' | 'window'>;
  readonly mapping: string;
  readonly shardId: string;
  readonly observe: Observe;
  readonly progress: () => ShardProgress;
  /** Aborts when nothing more may be written. */
  readonly over: AbortSignal;
  /** Called when the lease turns out not to be ours any more. */
  readonly halt: () => void;
}

/** The one writer of a shard's checkpoint. */
export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  /** What was last seen as wanted; each change of it has a number. */
  #wanted: Pick<ShardProgress, 'checkpoint' | 'window'>;
  #wantedNumber = 0;
  #writtenNumber = 0;
  #writtenEvents = 0;
  #writtenAtMs: number;
  #writing: Promise<boolean> | undefined;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
    this.#wanted = options.stored;
    this.#writtenAtMs = options.surroundings.clock.monotonicMs();
  }

  /** The present position is not written. */
  get isBehind(): boolean {
    return this.#number() > this.#writtenNumber;
  }

  /** A position that nobody waits for has been unwritten for long enough. */
  get isOverdue(): boolean {
    const sinceMs = this.#options.surroundings.clock.monotonicMs() - this.#writtenAtMs;
    return sinceMs >= UNWRITTEN_MS_MAX && this.isBehind;
  }

  /**
   * Resolves when a write that covers the present position is known good; at once if there is nothing to write.
   * @returns false if that will never be, because the lease is not ours any more
   */
  async cover(): Promise<boolean> {
    const number = this.#number();
    while (this.#writtenNumber < number) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
      if (!(await this.#writing)) return false;
    }
    return true;
  }

  /** The number of the present position. */
  #number(): number {
    const { checkpoint, window } = this.#options.progress();
    if (checkpoint !== this.#wanted.checkpoint || window !== this.#wanted.window) {
      this.#wanted = { checkpoint, window };
      this.#wantedNumber += 1;
    }
    return this.#wantedNumber;
  }

  async #write(): Promise<boolean> {
    const { surroundings, lease, over, halt } = this.#options;
    for (let failures = 1; ; failures += 1) {
      if (over.aborted) return false;
      if (!lease.isValid()) {
        halt();
        return false;
      }
      const result = await this.#tryWrite();
      if (result === 'written') return true;
      if (result === 'refused') {
        halt();
        return false;
      }
      await surroundings.clock.sleep(backoffMs(failures, WRITE_BACKOFF, surroundings.random), over);
    }
  }

  /** One write of the position as it is now. */
  async #tryWrite(): Promise<'written' | 'refused' | 'failed'> {
    const { surroundings, leases, lease, owner, mapping, shardId, observe, progress } = this.#options;
    const number = this.#number();
    const { checkpoint, window, events } = progress();
    const told = { type: 'checkpointed', mapping, shard: shardId } as const;
    try {
      const result = await leases.checkpoint(lease.id, owner, lease.epoch, checkpoint, window);
      if (result !== 'written') {
        observe({ ...told, result });
        return 'refused';
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      observe({ ...told, result: 'failed' });
      return 'failed';
    }
    observe({ ...told, result: 'written', events: events - this.#writtenEvents });
    this.#writtenEvents = events;
    this.#writtenNumber = number;
    this.#writtenAtMs = surroundings.clock.monotonicMs();
    return 'written';
  }
}
