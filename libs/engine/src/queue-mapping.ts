import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { HeldLease, PermitStore, ScaleStore } from '@wherry/core/coordination';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { Observe } from '@wherry/core/engine-event';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, SqsMapping } from '@wherry/core/mapping';
import type { QueueAttributes, QueueMessage, QueueSource } from '@wherry/core/queue-source';
import { slotBounds } from '@wherry/core/slots';
import type { ByteBudget } from './byte-budget.ts';
import { FleetPermits } from './fleet-permits.ts';
import { PermissionDesk } from './permission.ts';
import type { QueueContext } from './queue-context.ts';
import { runQueueSlot } from './queue-slot.ts';
import { QueueWatch } from './queue-watch.ts';
import { withReceiveDeadline } from './receive-deadline.ts';
import type { Semaphore } from './semaphore.ts';
import { Settler } from './settler.ts';
import { SlotScaler } from './slot-scaler.ts';
import { SourceHealth } from './source-health.ts';
import type { TargetGate } from './target-gate.ts';
import { VisibilityKeeper } from './visibility-keeper.ts';

/** What one mapping needs; the poller makes it. */
export interface QueueMappingOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  /** How long a drain may take before everything is killed. */
  readonly shutdownGraceMs: number;
  readonly fleetId: string;
  readonly mapping: SqsMapping;
  readonly function: FunctionDefinition;
  readonly source: QueueSource;
  readonly invoker: Invoker;
  /** Shared by all mappings of this function in this process. */
  readonly gate: TargetGate;
  /** Shared by the whole process. */
  readonly bytes: ByteBudget;
  /** `limits.inFlight`: invocations at a time in this process, shared by all mappings. */
  readonly inFlight: Semaphore;
  readonly permits: PermitStore;
  readonly scale: ScaleStore;
  readonly observe: Observe;
  /** FilterCriteria; `undefined` means that every message matches. */
  readonly matches: ((message: QueueMessage) => boolean) | undefined;
}

/** What `wherry status` shows of one mapping on one poller. */
export interface QueueMappingStatus {
  readonly slots: number;
  readonly inFlight: number;
  readonly bufferedBytes: number;
  readonly concurrencyLimit: number;
  /** What is wrong with the queue, if it cannot be read; the target's troubles are in its gate. */
  readonly problem: string | undefined;
  /** The queue's own figures, up to some minutes old; `undefined` until they were read. */
  readonly queue: QueueAttributes | undefined;
}

/** One SQS event source mapping in one process: what its slots share, and the slots as they are leased. */
export class QueueMapping {
  readonly #context: QueueContext;

  constructor(options: QueueMappingOptions) {
    const { surroundings, stop, mapping, gate, observe } = options;
    const { clock } = surroundings;
    const source = withReceiveDeadline(options.source, clock);
    const kill = stop.kill;
    const { timeoutSeconds } = options.function;
    const bounds = slotBounds(mapping, options.function);
    const health = new SourceHealth({ surroundings, mapping: mapping.name, observe });
    const permits = new FleetPermits({ surroundings, store: options.permits, mapping, function: options.function, kill });
    this.#context = {
      surroundings,
      observe,
      kill,
      fleetId: options.fleetId,
      mapping,
      function: options.function,
      batchesPerSlot: bounds.batchesPerSlot,
      hasTimeForOneMore: () => !stop.drain.aborted || (mapping.waitTimeSeconds + timeoutSeconds) * 1_000 <= options.shutdownGraceMs,
      source,
      invoker: options.invoker,
      matches: options.matches,
      bytes: options.bytes.share(),
      gate,
      desk: new PermissionDesk({ surroundings, gate, inFlight: options.inFlight, permits, deadlineMs: deadlineMsOf(options.function) }),
      health,
      watch: new QueueWatch({ clock, source, timeoutSeconds, health }),
      settler: new Settler({ surroundings, source, mapping: mapping.name, fifo: mapping.fifo, observe, kill }),
      keeper: new VisibilityKeeper({ clock, source, mapping: mapping.name, enabled: mapping.extendVisibility, observe, kill }),
      scaler: new SlotScaler({ clock, store: options.scale, mapping, bounds, inFlightMax: () => options.inFlight.limit, observe }),
    };
  }

  /**
   * One slot's life under one lease; resolves when the lease was yielded or lost, the mapping is retired, or on kill.
   * Rejects on a programming error, after what the slot held has been given back; the caller tells of it and starts it again.
   */
  async runSlot(lease: HeldLease, retired: AbortSignal): Promise<void> {
    const { scaler } = this.#context;
    scaler.slotBegan();
    try {
      await runQueueSlot(this.#context, lease, retired);
    } finally {
      scaler.slotEnded();
    }
  }

  /** Flushes deletes and releases, then closes the source. Call after every `runSlot` has ended. Never rejects. */
  async close(): Promise<void> {
    const { settler, bytes, source } = this.#context;
    await settler.flush();
    bytes.close();
    source.close();
  }

  status(): QueueMappingStatus {
    const { scaler, desk, bytes, gate, health, watch } = this.#context;
    const { concurrencyLimit } = gate.status();
    return {
      slots: scaler.slotsHeld,
      inFlight: desk.running,
      bufferedBytes: bytes.heldBytes,
      concurrencyLimit,
      problem: health.problem,
      queue: watch.attributes,
    };
  }
}
