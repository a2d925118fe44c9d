import type { LeaseView, MemberInfo } from '@wherry/core/coordination';
import type { MappingState } from '@wherry/core/engine-event';
import type { TargetGate } from './target-gate.ts';

/** One mapping as this poller sees it. */
export interface MappingStatus {
  readonly name: string;
  readonly uuid: string;
  readonly state: MappingState;
  readonly stateTransitionReason: string;
  readonly eventSourceArn: string;
  readonly functionName: string;
  /** Slots the fleet wishes for, slots that some poller holds, and slots this poller works on. */
  readonly slotsDesired: number;
  readonly slotsHeld: number;
  readonly slotsHere: number;
  /** Invocations running and bytes buffered on this poller. */
  readonly inFlight: number;
  readonly bufferedBytes: number;
  /** What is wrong with the queue, if this poller cannot read it; the target's troubles are in `gate`. */
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
