import type { Surroundings, StopSignals } from '@wherry/core/clock';
import type { HeldLease, PermitStore, ScaleStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, SqsMapping } from '@wherry/core/mapping';
import type { QueueMessage, QueueSource } from '@wherry/core/queue-source';
import type { ByteBudget } from './byte-budget.ts';
import type { Semaphore } from './semaphore.ts';
import type { TargetGate } from './target-gate.ts';

export interface QueueMappingOptions {
  readonly surroundings: Surroundings;
  /** Only `kill` is used here: a drain reaches the slots through `HeldLease.yielded`. */
  readonly stop: StopSignals;
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
  /** FilterCriteria; absent means that every message matches. */
  readonly matches?: (message: QueueMessage) => boolean;
}

/** What `wherry status` shows of one mapping on one poller. */
export interface QueueMappingStatus {
  readonly slots: number;
  readonly inFlight: number;
  readonly bufferedBytes: number;
  readonly concurrencyLimit: number;
  /** Why the mapping does not fetch, if it does not. */
  readonly problem: string | undefined;
}

export declare class QueueMapping {
  constructor(options: QueueMappingOptions);
  /** One slot's life under one lease; resolves when the lease was yielded or lost, or on kill. Never rejects. */
  runSlot(lease: HeldLease): Promise<void>;
  /** Flushes deletes and releases, then closes source. Call after every `runSlot` has resolved. Never rejects. */
  close(): Promise<void>;
  status(): QueueMappingStatus;
}
