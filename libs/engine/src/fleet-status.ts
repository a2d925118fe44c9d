import type { LeaseView, MemberInfo, Pause } from '@wherry/core/coordination';
import type { MappingState } from '@wherry/core/engine-event';
import type { Mapping } from '@wherry/core/mapping';
import type { MappingEntry } from './mapping-entries.ts';
import { transitionReason } from './mapping-entries.ts';
import type { WorkStatus } from './mapping-run.ts';
import type { ShardStatus } from './stream/stream-shards.ts';
import type { ShardCounts } from './stream/stream-units.ts';
import type { TargetGate } from './target-gate.ts';

/** One mapping as this poller sees it. */
export interface MappingStatus {
  readonly name: string;
  readonly uuid: string;
  readonly source: Mapping['source'];
  readonly state: MappingState;
  readonly stateTransitionReason: string;
  /** Who has paused the mapping, and for how long still; `leftMs` is null when it lasts until somebody resumes. */
  readonly paused: (Omit<Pause, 'leftMs'> & { readonly leftMs: number | null }) | null;
  readonly eventSourceArn: string;
  readonly functionName: string;
  /** Slots the fleet wishes for, slots that some poller holds, and slots this poller works on; 0 for streams. */
  readonly slotsDesired: number;
  readonly slotsHeld: number;
  readonly slotsHere: number;
  /** The shards of a stream, those that some poller holds, and those this poller works on; null for queues. */
  readonly shards: (ShardCounts & { readonly held: number; readonly here: readonly ShardStatus[] }) | null;
  /** Invocations running and bytes buffered on this poller. */
  readonly inFlight: number;
  readonly bufferedBytes: number;
  /** What is wrong with the source, if this poller cannot read it; the target's troubles are in `gate`. */
  readonly problem: string | null;
  /** Circuit breaker, throttle and learned concurrency of the function. */
  readonly gate: ReturnType<TargetGate['status']> | null;
}

/** Everything `/v1/status` and `wherry status` are made from; plain data. */
export interface FleetStatus {
  readonly fleet: string;
  /** Owner token of this poller. */
  readonly poller: string;
  readonly configHash: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly storeUp: boolean;
  /** Invocations running in this process, and bytes accounted to messages and running receives. */
  readonly inFlight: number;
  readonly bufferedBytes: number;
  /** Records in memory. */
  readonly bufferedEvents: number;
  /** A receive waits because `limits.bufferedBytes` is used up. */
  readonly backpressure: boolean;
  /** Live members as of the last claim scan, this poller included. */
  readonly pollers: readonly (MemberInfo & { readonly token: string; readonly silentMs: number })[];
  readonly mappings: readonly MappingStatus[];
  /** Every unit of the configuration, as of the last claim scan. */
  readonly leases: readonly (LeaseView & { readonly mapping: string | null })[];
  /** Leases of this poller now. */
  readonly held: readonly { readonly id: string; readonly epoch: number; readonly valid: boolean; readonly yielding: boolean }[];
}

/** What is known of a mapping beside its entry. */
export interface MappingFacts {
  readonly pause: Pause | undefined;
  /** Slots the fleet wishes for. */
  readonly slots: number;
  readonly shards: ShardCounts;
  /** Slots or shards that some poller holds. */
  readonly unitsHeld: number;
  readonly gate: ReturnType<TargetGate['status']> | undefined;
}

/** One mapping's line of the status. */
export function mappingStatus(entry: MappingEntry, facts: MappingFacts): MappingStatus {
  const { mapping } = entry.setup;
  const { pause } = facts;
  const isQueue = mapping.source === 'sqs';
  const isPolled = entry.run !== undefined && pause === undefined;
  // What earlier versions still carry counts too: a mapping that is being disabled runs until its last batch has ended.
  const works = [...entry.retiring, ...(entry.run === undefined ? [] : [entry.run])].flatMap((run) => run.status() ?? []);
  const sum = (read: (work: WorkStatus) => number): number => works.reduce((total, work) => total + read(work), 0);
  return {
    name: mapping.name,
    uuid: mapping.uuid,
    source: mapping.source,
    state: entry.state,
    stateTransitionReason: transitionReason(mapping),
    paused: pause === undefined ? null : { ...pause, leftMs: Number.isFinite(pause.leftMs) ? pause.leftMs : null },
    eventSourceArn: mapping.eventSourceArn,
    functionName: mapping.functionName,
    slotsDesired: isQueue && isPolled ? facts.slots : 0,
    slotsHeld: isQueue ? facts.unitsHeld : 0,
    slotsHere: sum((work) => work.slots ?? 0),
    shards: isQueue
      ? null
      : {
          ...facts.shards,
          readable: isPolled ? facts.shards.readable : 0,
          held: facts.unitsHeld,
          here: works.flatMap((work) => work.shards ?? []),
        },
    inFlight: sum((work) => work.inFlight),
    bufferedBytes: sum((work) => work.bufferedBytes),
    problem: entry.run?.status()?.problem ?? null,
    gate: facts.gate ?? null,
  };
}
