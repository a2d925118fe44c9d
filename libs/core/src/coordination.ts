/**
 * The ports through which pollers share state: leases, members, permits, target gates and the wished-for number of slots.
 * `libs/leases` implements them on Redis and `libs/testkit` in memory; one contract suite holds both to the same behaviour.
 * All methods throw `StoreError` when the store cannot be asked; callers then trust nothing they have not renewed.
 */

import type { StreamStore } from './stream-store.ts';

/** The store did not answer, or answered in a way that leaves the outcome unknown. */
export class StoreError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
  }
}

/** A thing that one poller at a time may hold: a slot of a queue mapping, a shard, a chore. */
export interface LeaseUnit {
  /** Fixed-alphabet id such as `sqs-<mapping uuid>-3`; never raw user text. */
  readonly id: string;
  /** Share of a poller's capacity it takes; 1 unless measured. */
  readonly weight: number;
}

/** What is stored with a lease about the work under it. */
export interface LeaseProgress {
  /** Where a shard is read from: the text of `writePosition`. `undefined` where nothing is stored: a queue's slot, or a shard whose row was lost. */
  readonly checkpoint: string | undefined;
  /** The open tumbling window that fits the checkpoint: the text of `writeWindow`; empty without one. */
  readonly window: string;
}

/** What came of asking for a lease: mine now, with the progress of its last owner, or still somebody else's. */
export type AcquireResult =
  | ({ readonly kind: 'acquired'; readonly epoch: number } & LeaseProgress)
  | { readonly kind: 'held'; readonly owner: string }
  /** The shard has been read to its end. */
  | { readonly kind: 'ended' };

/** `lost`: somebody else owns it, or it expired. `wanted`: renewed, and another poller asks for it. */
export type RenewResult = 'lost' | 'renewed' | 'wanted';

/** `fenced`: owner or epoch is stale. `regression`: the checkpoint would move backwards. */
export type CheckpointResult = 'written' | 'fenced' | 'regression';

/** One lease as the claim scan sees it. */
export interface LeaseView {
  readonly id: string;
  /** Owner token; empty when nobody holds it. */
  readonly owner: string;
  readonly epoch: number;
  /** False when the owner's time is up by the store's clock. */
  readonly live: boolean;
  readonly checkpoint: string | undefined;
  readonly ended: boolean;
  /** Who asked for it, if a live request stands. */
  readonly wantedBy: string | undefined;
  /** Milliseconds by the store's clock since it last changed owner; for the 60 s damping of rebalancing. */
  readonly sinceMovedMs: number;
  /** What its owner measured, as a share of a poller's capacity; 1 until measured. It stays when the owner changes. */
  readonly weight: number;
  /** Milliseconds by the store's clock since the checkpoint was last written by an owner; `Infinity` if never. */
  readonly sinceCheckpointMs: number;
  /** What its owner says about it, as JSON text for people; empty when it says nothing. Gone with the owner. */
  readonly note: string;
}

/** A lease row as discovery and `seek` write it. */
export interface LeaseRow {
  readonly id: string;
  /** The text of `writePosition`. */
  readonly checkpoint: string;
  readonly ended: boolean;
}

/** Who owns which unit, as a lease with an epoch. Calls reject when the store cannot be reached; the lease then lives on the local clock alone. */
export interface LeaseStore {
  /** Free, expired, or already mine: the epoch grows by one, except that a repeat by the owner (lost reply) returns its epoch. */
  acquire(id: string, owner: string, ttlMs: number): Promise<AcquireResult>;
  /** Renews many leases, one script call per partition. Results in the order given. */
  renew(
    owner: string,
    leases: readonly { readonly id: string; readonly epoch: number; readonly weight?: number }[],
    ttlMs: number,
  ): Promise<RenewResult[]>;
  /** Gives a lease up. It is reserved for 5 s for `next`, or else for whoever asked for it. True if it was still ours. */
  release(id: string, owner: string, epoch: number, next?: string): Promise<boolean>;
  /** Asks the live owner to hand the lease over; false when somebody else's request stands or nobody owns it. */
  want(id: string, claimant: string, ttlMs: number): Promise<boolean>;
  /**
   * Stores how far the shard is done, and its open window in the same write. Sequence numbers compare by length, then bytes (they
   * exceed 2^53); any other position that is stored is lower than each of them.
   * @param window the text of `writeWindow`; empty clears it
   */
  checkpoint(id: string, owner: string, epoch: number, checkpoint: string, window: string): Promise<CheckpointResult>;
  /** Marks a shard as read to its end. The leases of its children have to be there before. */
  end(id: string, owner: string, epoch: number): Promise<CheckpointResult>;
  /** Creates rows that are not there, and fills in the position of those that have none; others stay as they are. */
  create(rows: readonly LeaseRow[]): Promise<void>;
  /**
   * Moves leases to other positions, back or forth, whoever owns them: epochs grow and owners are put out, so that nothing they still
   * write counts. Windows and notes are cleared. In the order given, so that parents are there before their children.
   */
  reposition(rows: readonly LeaseRow[]): Promise<void>;
  /** Says something about a lease to people, in place of what was said before; false if owner or epoch is stale. */
  note(id: string, owner: string, epoch: number, note: string): Promise<boolean>;
  /** The given leases as they are now; leases never taken yet come back with epoch 0 and no owner. */
  view(ids: readonly string[]): Promise<LeaseView[]>;
  /** Removes rows of units that no configuration names any more; those with a live owner stay until it lets go. */
  remove(ids: readonly string[]): Promise<void>;
}

/** What a poller tells the others with each heartbeat. */
export interface MemberInfo {
  readonly version: string;
  readonly configHash: string;
  /** Relative capacity; 1 unless configured. */
  readonly capacity: number;
  readonly draining: boolean;
  readonly startedAtMs: number;
  /** For `wherry status`: leases held, invocations running, bytes buffered. */
  readonly leases: number;
  readonly inFlight: number;
  readonly bufferedBytes: number;
  /** Address of the admin listener, for `wherry status`. */
  readonly adminUrl: string;
}

/** One live poller as the others see it. */
export interface Member {
  /** Owner token: poller name plus a random id of this process. */
  readonly token: string;
  readonly info: MemberInfo;
  /** Milliseconds since the last heartbeat by the store's clock. */
  readonly silentMs: number;
}

/** The live pollers of the fleet. A poller is a member while its heartbeats come. */
export interface MemberStore {
  heartbeat(token: string, info: MemberInfo, ttlMs: number): Promise<void>;
  /** Members whose heartbeat is younger than their ttl, draining ones included, sorted by token. */
  members(): Promise<Member[]>;
  leave(token: string): Promise<void>;
}

/**
 * Fleet-wide counting semaphores: `MaximumConcurrency`, `ReservedConcurrentExecutions`, one request at a time per RIE endpoint.
 * A permit outlives the poller that took it until its own expiry, which is set past the deadline of the invocation it covers:
 * an orphaned invocation still counts, so a cap holds through crashes.
 */
export interface PermitStore {
  /**
   * Takes one permit in each scope, or none. Scopes of one call belong to one function (one Redis partition).
   * @returns true if taken; a repeat with the same token is true and counts once
   */
  acquire(
    partition: string,
    scopes: readonly { readonly scope: string; readonly limit: number }[],
    token: string,
    ttlMs: number,
  ): Promise<boolean>;
  release(partition: string, scopes: readonly string[], token: string): Promise<void>;
  /** Live permits in a scope, for `status`. */
  inUse(partition: string, scope: string): Promise<number>;
}

/** Fleet-shared state of one target's circuit breaker and throttle (spec 6.4). */
export interface GateState {
  readonly state: 'closed' | 'open';
  /** Milliseconds until a probe may be sent (open) or fetching may go on (throttled); 0 when it may now. */
  readonly waitMs: number;
  readonly reason: string;
  /** How often in a row a probe failed; feeds the backoff. */
  readonly failures: number;
}

/**
 * How long after its wait an open gate that nobody probes or opens again is remembered, so that targets which left the
 * configuration leave nothing behind. Long against any probe interval.
 */
export const GATE_FORGOTTEN_MS = 3_600_000;

/** Circuit breakers and throttles of targets, shared by the fleet. */
export interface GateStore {
  /** States of the gates that are not simply closed. */
  gates(targets: readonly string[]): Promise<Map<string, GateState>>;
  /** Opens (or keeps open) the breaker for `waitMs`. */
  open(target: string, waitMs: number, failures: number, reason: string): Promise<void>;
  /** Closed, but nobody fetches for `waitMs`; never shortens a longer pause. */
  throttle(target: string, waitMs: number, reason: string): Promise<void>;
  /** True for exactly one poller when the wait is over; the probe is given up for others after `ttlMs`. */
  tryProbe(target: string, owner: string, ttlMs: number): Promise<boolean>;
  close(target: string): Promise<void>;
}

/**
 * The fleet-wide wished-for number of slots per mapping (AWS: 5 to start with, +300 a minute, at most 1,250), and which mappings
 * there are: what a mapping leaves behind in the store can only be removed by somebody who knows that nobody needs it any more.
 */
export interface ScaleStore {
  /** Current wish per mapping; `initial` where none was stored. */
  desired(mappings: readonly { readonly id: string; readonly initial: number }[]): Promise<Map<string, number>>;
  /**
   * Moves the wish by `delta` within [floor, ceiling]; growth is limited to `growthPerMinute` across the fleet.
   * @returns the wish after the change
   */
  adjust(
    id: string,
    delta: number,
    bounds: { readonly initial: number; readonly floor: number; readonly ceiling: number; readonly growthPerMinute: number },
  ): Promise<number>;
  /** Says that somebody's configuration names these mappings now. The most slots that were ever noted of each are remembered. */
  note(mappings: readonly NotedMapping[]): Promise<void>;
  /** Up to 100 mappings that nobody has noted for `quietMs` by the store's clock, the longest forgotten first. */
  forgotten(quietMs: number): Promise<NotedMapping[]>;
  /** Removes the wish and the note of a mapping, unless it was noted again within `quietMs`. */
  forget(id: string, quietMs: number): Promise<void>;
}

/** A mapping that some poller's configuration names, or named. */
export interface NotedMapping {
  /** The mapping's UUID. */
  readonly id: string;
  /** The most slots it has had, so that all their lease rows are found again. */
  readonly slots: number;
}

/** A mapping that people have stopped for a while, whatever its configuration says. */
export interface Pause {
  /** Who did it, as the command names them. */
  readonly by: string;
  readonly reason: string;
  /** Milliseconds by the store's clock since it began. */
  readonly sinceMs: number;
  /** Milliseconds by the store's clock until it ends by itself; `Infinity` if it does not. */
  readonly leftMs: number;
}

/** Pauses of mappings, by UUID. They outlive pollers and reloads until they end or somebody resumes. */
export interface PauseStore {
  /** Every pause that stands. */
  pauses(): Promise<ReadonlyMap<string, Pause>>;
  /** Pauses a mapping, in place of an earlier pause. @param forMs `Infinity` until somebody resumes */
  pause(mapping: string, by: string, reason: string, forMs: number): Promise<void>;
  /** @returns false if it was not paused */
  resume(mapping: string): Promise<boolean>;
}

/** One line of the audit trail, with CloudTrail's names. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly eventTime: string;
  /** Such as `MappingPaused`, `CheckpointReset`, `Redrive`, `FailedDiscarded`. */
  readonly eventName: string;
  readonly userIdentity: string;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: Readonly<Record<string, unknown>> | null;
  readonly errorCode: string | null;
  readonly requestID: string;
  readonly readOnly: false;
}

/** What people changed. The newest entries are kept. */
export interface AuditStore {
  append(entry: AuditEntry): Promise<void>;
  /** The newest first. */
  newest(count: number): Promise<AuditEntry[]>;
}

/** Everything a poller shares with the others. */
export interface Coordination {
  readonly leases: LeaseStore;
  readonly members: MemberStore;
  readonly permits: PermitStore;
  readonly gates: GateStore;
  readonly scale: ScaleStore;
  readonly streams: StreamStore;
  readonly pauses: PauseStore;
  readonly audit: AuditStore;
}

/**
 * A lease as the work under it sees it. The lease keeper owns it; a slot or shard loop only asks. Its progress is that of the moment at
 * which the work under it began, also when that begins anew under the same lease after a reload or a crash.
 */
export interface HeldLease extends LeaseProgress {
  readonly id: string;
  readonly epoch: number;
  /**
   * True while the last good renewal, counted from when it was *sent*, is younger than ttl - margin on this process's
   * monotonic clock (invariant 3). Ask right before every new invoke, delete, checkpoint or destination write.
   */
  isValid(): boolean;
  /** Says how much of a poller's capacity the work takes; 1 unless said. The next renewal tells the others. */
  weigh(weight: number): void;
  /** Finish the batch in flight, settle it and return: drain, hand-over to another poller, or the unit is gone from the configuration. */
  readonly yielded: AbortSignal;
  /** The lease is no longer ours: start nothing; what is on the wire may end but nothing more is written under it. */
  readonly lost: AbortSignal;
}
