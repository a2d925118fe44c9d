import type { Surroundings } from '@wherry/core/clock';
import type { LeaseStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { FailureDestination } from '@wherry/core/failure-destination';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, StreamMapping } from '@wherry/core/mapping';
import type { PollRates } from '@wherry/core/stream/poll-pace';
import type { StreamRecord, StreamSource } from '@wherry/core/stream-source';
import type { StreamStore } from '@wherry/core/stream-store';
import type { ByteShare } from '../byte-budget.ts';
import type { PermissionDesk } from '../permission.ts';
import type { TargetGate } from '../target-gate.ts';
import type { FilterTurns } from './filter-turns.ts';
import type { IdleShards } from './idle-shards.ts';
import type { ShardTroubles } from './shard-troubles.ts';

/** What all shards of one mapping share in one process. Made by `StreamShards`. */
export interface StreamContext {
  readonly surroundings: Surroundings;
  readonly observe: Observe;
  readonly kill: AbortSignal;
  readonly fleetId: string;
  /** Owner token of this process, for writes under a lease. */
  readonly owner: string;
  readonly mapping: StreamMapping;
  readonly function: FunctionDefinition;
  readonly source: StreamSource;
  readonly invoker: Invoker;
  readonly destination: FailureDestination | undefined;
  readonly matches: ((record: StreamRecord) => boolean) | undefined;
  readonly bytes: ByteShare;
  readonly gate: TargetGate;
  readonly desk: PermissionDesk;
  readonly leases: LeaseStore;
  readonly streams: StreamStore;
  readonly troubles: ShardTroubles;
  readonly rates: PollRates;
  readonly idleShards: IdleShards;
  readonly filterTurns: FilterTurns;
  /** Has the stream listed now, and what was found written. @returns false if that failed; it never throws for outside reasons */
  readonly look: (signal: AbortSignal) => Promise<boolean>;
}
