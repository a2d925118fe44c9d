import type { Surroundings } from '@wherry/core/clock';
import type { Observe } from '@wherry/core/engine-event';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, SqsMapping } from '@wherry/core/mapping';
import type { QueueMessage, QueueSource } from '@wherry/core/queue-source';
import type { ByteShare } from './byte-budget.ts';
import type { PermissionDesk } from './permission.ts';
import type { QueueWatch } from './queue-watch.ts';
import type { Settler } from './settler.ts';
import type { SlotScaler } from './slot-scaler.ts';
import type { SourceHealth } from './source-health.ts';
import type { TargetGate } from './target-gate.ts';
import type { VisibilityKeeper } from './visibility-keeper.ts';

/** What all slots of one mapping share in one process. Made by `QueueMapping`. */
export interface QueueContext {
  readonly surroundings: Surroundings;
  readonly observe: Observe;
  readonly kill: AbortSignal;
  readonly fleetId: string;
  readonly mapping: SqsMapping;
  readonly function: FunctionDefinition;
  readonly batchesPerSlot: number;
  /** False from the moment on when a batch begun now might outlive the process. */
  readonly hasTimeForOneMore: () => boolean;
  readonly source: QueueSource;
  readonly invoker: Invoker;
  readonly matches: ((message: QueueMessage) => boolean) | undefined;
  readonly bytes: ByteShare;
  readonly gate: TargetGate;
  readonly desk: PermissionDesk;
  readonly health: SourceHealth;
  readonly watch: QueueWatch;
  readonly settler: Settler;
  readonly keeper: VisibilityKeeper;
  readonly scaler: SlotScaler;
}

/** One slot under one lease. */
export interface SlotStop {
  /** Aborts when the slot has to end for any reason: drain, hand-over, lost lease, kill. Waits end with it. */
  readonly stopping: AbortSignal;
  /** True while the lease is good and nobody asked to stop: only then messages are taken from the queue. */
  mayTake(): boolean;
  /**
   * True if what the last long poll of an ending slot brings is still carried. Giving it back would cost each message a receive,
   * which a dead-letter queue counts; but a mapping that was switched off or changed begins nothing any more, nor does a drain
   * whose grace might end first.
   */
  mayFinish(): boolean;
}
