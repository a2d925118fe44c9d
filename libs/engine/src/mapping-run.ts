/**
 * One version of one mapping in this process: its source, its queue loop and the slots that run on it. A changed
 * configuration makes a new run and retires this one; batches in flight end here, with the values they began with.
 *
 *   polling ──retire()──▶ retiring (slots finish their batch) ──▶ closed
 */
import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { HeldLease } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { MappingSetup } from '@wherry/core/reload-plan';
import type { QueueMapping, QueueMappingStatus } from './queue-mapping.ts';

/** Pause of a slot after its loop crashed: doubles from the first to the last value, so that a bug costs little and is seen. */
const CRASH_PAUSE_MS = { first: 1_000, last: 60_000 } as const;

/** What one version of a mapping runs with. */
export interface MappingRunOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  readonly setup: MappingSetup;
  /** Makes source and loop; called when the first slot is leased, so that clients exist only where they are needed. */
  readonly createQueue: () => QueueMapping;
  /** Called once after everything has ended. */
  readonly closed: () => void;
  readonly observe: Observe;
}

/** Starts slots, restarts them after a crash, and ends when it is retired. */
export class MappingRun {
  readonly setup: MappingSetup;
  readonly #options: MappingRunOptions;
  readonly #retired = new AbortController();
  readonly #slots = new Set<Promise<void>>();
  #queue: QueueMapping | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: MappingRunOptions) {
    this.#options = options;
    this.setup = options.setup;
  }

  status(): QueueMappingStatus | undefined {
    return this.#queue?.status();
  }

  /** One slot's life, restarted after a crash; ends when the lease is yielded or lost, this run is retired, or on kill. */
  async runSlot(lease: HeldLease): Promise<void> {
    const slot = this.#supervise(lease);
    this.#slots.add(slot);
    await slot;
    this.#slots.delete(slot);
  }

  /** Lets every slot finish its batch, then closes the loop and its source. Repeats return the same promise. */
  retire(): Promise<void> {
    this.#retired.abort();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#slots.size > 0) await Promise.all(this.#slots);
    await this.#queue?.close();
    this.#options.closed();
  }

  async #supervise(lease: HeldLease): Promise<void> {
    const { surroundings, stop, setup, observe } = this.#options;
    const ended = AbortSignal.any([lease.yielded, lease.lost, stop.kill, this.#retired.signal]);
    for (let pauseMs: number = CRASH_PAUSE_MS.first; !ended.aborted; pauseMs = Math.min(pauseMs * 2, CRASH_PAUSE_MS.last)) {
      try {
        this.#queue ??= this.#options.createQueue();
        await this.#queue.runSlot(lease, this.#retired.signal);
      } catch (error) {
        observe({ type: 'crashed', mapping: setup.mapping.name, error });
      }
      await surroundings.clock.sleep(pauseMs * (0.5 + 0.5 * surroundings.random()), ended);
    }
  }
}
