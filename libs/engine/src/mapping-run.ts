/**
 * One version of one mapping in this process: its source, its loop and the units that run on it. A changed configuration makes a new
 * run and retires this one; batches in flight end here, with the values they began with.
 *
 *   polling ──retire()──▶ retiring (units finish their batch) ──▶ closed
 */
import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { HeldLease } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { UnitName } from '@wherry/core/lease-unit';
import type { OwnLease } from './held-lease.ts';
import type { ShardStatus } from './stream/stream-shards.ts';

/** Pause of a unit after its loop crashed: doubles from the first to the last value, so that a bug costs little and is seen. */
const CRASH_PAUSE_MS = { first: 1_000, last: 60_000 } as const;

/** What `wherry status` shows of one mapping's work on one poller. */
export interface WorkStatus {
  /** Queues: slots that this poller works on. */
  readonly slots?: number;
  /** Streams: shards that this poller works on. */
  readonly shards?: readonly ShardStatus[];
  readonly inFlight: number;
  readonly bufferedBytes: number;
  /** What is wrong with the source, if it cannot be read. */
  readonly problem: string | undefined;
}

/** The loops of one mapping, whatever its source. */
export interface MappingWork {
  /**
   * Works under one lease until it is yielded or lost, the run is retired, the process is killed, or nothing is left to do under it.
   * Rejects on a programming error, after what it held has been given back.
   */
  run(lease: HeldLease, unit: UnitName, retired: AbortSignal): Promise<void>;
  /** Called after every `run` has ended. */
  close(): Promise<void>;
  status(): WorkStatus;
}

/** What one version of a mapping runs with. */
export interface MappingRunOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  /** Name of the mapping. */
  readonly mapping: string;
  /** Makes source and loops; called when the first unit is leased, so that clients exist only where they are needed. */
  readonly createWork: () => MappingWork;
  /** Asked before each beginning of the work under a lease, the first one and those after a crash. */
  readonly mayBegin: (lease: OwnLease, unit: UnitName) => Promise<boolean>;
  /** Called once after everything has ended. */
  readonly closed: () => void;
  readonly observe: Observe;
}

/** Starts the work on units, restarts it after a crash, and ends when it is retired. */
export class MappingRun {
  readonly #options: MappingRunOptions;
  readonly #retired = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #work: MappingWork | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: MappingRunOptions) {
    this.#options = options;
  }

  status(): WorkStatus | undefined {
    return this.#work?.status();
  }

  /** True once it takes nothing new. */
  get isRetired(): boolean {
    return this.#retired.signal.aborted;
  }

  /** The work under one lease, restarted after a crash; ends as `MappingWork.run` does. Never rejects. */
  async runUnit(lease: OwnLease, unit: UnitName): Promise<void> {
    const running = this.#supervise(lease, unit);
    this.#running.add(running);
    await running;
    this.#running.delete(running);
  }

  /** Lets every unit finish its batch, then closes the loops and their source. Repeats return the same promise. */
  retire(): Promise<void> {
    this.#retired.abort();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    await this.#work?.close();
    this.#options.closed();
  }

  async #supervise(lease: OwnLease, unit: UnitName): Promise<void> {
    const { surroundings, stop, mapping, observe } = this.#options;
    const ended = AbortSignal.any([lease.yielded, lease.lost, stop.kill, this.#retired.signal]);
    for (let pauseMs: number = CRASH_PAUSE_MS.first; !ended.aborted; pauseMs = Math.min(pauseMs * 2, CRASH_PAUSE_MS.last)) {
      if (!(await this.#options.mayBegin(lease, unit)) || ended.aborted) return;
      try {
        this.#work ??= this.#options.createWork();
        await this.#work.run(lease, unit, this.#retired.signal);
        // A lease whose time is up is lost in a moment; until then there is nothing to do.
        if (lease.isValid()) return;
      } catch (error) {
        observe({ type: 'crashed', mapping, error });
      }
      await surroundings.clock.sleep(pauseMs * (0.5 + 0.5 * surroundings.random()), ended);
    }
  }
}
