import type { Coordination, LeaseView, Pause } from '@wherry/core/coordination';
import { discoveryUnitId } from '@wherry/core/lease-unit';
import type { Mapping, SqsMapping, StreamMapping, WherryConfig } from '@wherry/core/mapping';
import { slotBounds, slotUnits } from '@wherry/core/slots';
import { type LeaseNote, readLeaseNote } from '@wherry/core/stream/lease-note';
import { readableShards } from '@wherry/core/stream/lineage';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import type { RegisteredShard, StreamRegister } from '@wherry/core/stream-store';
import { knownShards, rowOfView } from '@wherry/engine/stream/known-shards';
import { type BlockedReport, isoTime } from './blocked-text.ts';
import type { PauseReport } from './pause-text.ts';

/**
 * `reading`: somebody has the lease and all is well. `blocked`: a lane keeps failing on one batch. `draining`: it is being given up.
 * `ending`: read to its end, its children are not found yet. `ended`: over. `waitingForParent`: a parent is not over. `free`: nobody has
 * taken it yet. `paused`, `disabled`: nobody shall. `lost`: its checkpoint is gone. `damaged`: its checkpoint cannot be read.
 * `retired`: gone from the stream.
 */
export type ShardState =
  | Exclude<LeaseNote['state'], 'damaged'>
  | 'ended'
  | 'waitingForParent'
  | 'free'
  | 'paused'
  | 'disabled'
  | 'lost'
  | 'damaged'
  | 'retired';

/** One lease of a shard. Names are stable: programs read them. */
export interface ShardLease {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  readonly unit: string;
  readonly state: ShardState;
  /** Token of the poller that has the lease; null if none. */
  readonly owner: string | null;
  readonly epoch: number;
  /** A sequence number, `TRIM_HORIZON`, `AT_TIMESTAMP:<epoch ms>` or `AT_SEQUENCE_NUMBER:<number>`; null where nothing is stored. */
  readonly checkpoint: string | null;
  /** Milliseconds since an owner wrote the checkpoint. */
  readonly checkpointAgeMs: number | null;
  readonly blocked: BlockedReport | null;
  readonly behindMs: number | null;
  /** Share of a poller's capacity, as measured. */
  readonly weight: number;
}

/** The lease of a slot or a chore. */
export interface UnitLease {
  readonly unit: string;
  readonly state: 'held' | 'free';
  readonly owner: string | null;
  readonly epoch: number;
}

/** The leases of one mapping. */
export interface MappingLeases {
  readonly name: string;
  readonly uuid: string;
  readonly source: Mapping['source'];
  readonly eventSourceArn: string;
  readonly enabled: boolean;
  readonly paused: PauseReport | null;
  /** Of a stream, parents first as far as the register has them in that order; empty before the first look at it. */
  readonly shards: readonly ShardLease[];
  /** Of a queue. */
  readonly slots: readonly UnitLease[];
  /** `discover-<uuid>`: whoever has it lists the stream. */
  readonly chores: readonly UnitLease[];
}

/** What `wherry leases` shows; printed as it is by `--json`. */
export interface LeaseReport {
  readonly fleet: string;
  /** Tokens of the live pollers. */
  readonly pollers: readonly string[];
  readonly mappings: readonly MappingLeases[];
}

/** What leases are read from. */
type LeaseStores = Pick<Coordination, 'leases' | 'members' | 'pauses' | 'scale' | 'streams'>;

/** The leases of these mappings as Redis has them now. Throws `StoreError`. */
export async function collectLeases(config: WherryConfig, coordination: LeaseStores, mappings: readonly Mapping[]): Promise<LeaseReport> {
  const [members, leases] = await Promise.all([coordination.members.members(), readLeases(config, coordination, mappings)]);
  return { fleet: config.fleet.id, pollers: members.map(({ token }) => token), mappings: leases };
}

/** The leases of each of these mappings, in their order. Throws `StoreError`. */
export async function readLeases(
  config: WherryConfig,
  coordination: Omit<LeaseStores, 'members'>,
  mappings: readonly Mapping[],
): Promise<MappingLeases[]> {
  const streamMappings = mappings.filter((mapping) => mapping.source !== 'sqs');
  const queueMappings = mappings.filter((mapping) => mapping.source === 'sqs');
  const [pauses, registers, desired] = await Promise.all([
    coordination.pauses.pauses(),
    coordination.streams.read(streamMappings.map(({ uuid }) => ({ id: uuid }))),
    coordination.scale.desired(queueMappings.map((mapping) => ({ id: mapping.uuid, initial: initialSlots(mapping, config) }))),
  ]);
  const registerOf = new Map(streamMappings.map(({ uuid }, index) => [uuid, registers[index]]));
  const unitsOf = new Map(
    mappings.map((mapping) => [
      mapping.uuid,
      mapping.source === 'sqs' ? slotIds(mapping, desired) : shardIds(mapping, registerOf.get(mapping.uuid)),
    ]),
  );
  // One question for everything: thousands of them one after another would take longer than anybody waits.
  const views = await coordination.leases.view([...unitsOf.values()].flat());
  const viewOf = new Map(views.map((view) => [view.id, view]));
  return mappings.map((mapping): MappingLeases => {
    const { name, uuid, source, eventSourceArn, enabled } = mapping;
    const pause = pauses.get(uuid);
    const units = (unitsOf.get(uuid) ?? []).flatMap((id) => viewOf.get(id) ?? []);
    const chores = units.filter(({ id }) => id === discoveryUnitId(uuid));
    const register = registerOf.get(uuid);
    return {
      name,
      uuid,
      source,
      eventSourceArn,
      enabled,
      paused: pauseJson(pause),
      shards: source !== 'sqs' && isRegister(register) ? shardLeases(mapping, register, viewOf, pause) : [],
      slots: source === 'sqs' ? units.map(unitLease) : [],
      chores: chores.map(unitLease),
    };
  });
}

function initialSlots(mapping: SqsMapping, config: WherryConfig): number {
  const fn = config.functions.get(mapping.functionName);
  return fn === undefined || !mapping.enabled ? 0 : slotBounds(mapping, fn).initial;
}

function slotIds(mapping: SqsMapping, desired: ReadonlyMap<string, number>): string[] {
  return slotUnits(mapping, mapping.enabled ? (desired.get(mapping.uuid) ?? 0) : 0).map(({ id }) => id);
}

function shardIds({ uuid }: StreamMapping, register: StreamRegister | 'unchanged' | undefined): string[] {
  const chore = discoveryUnitId(uuid);
  if (!isRegister(register)) return [chore];
  const key = streamKey(register.stream);
  return [...register.shards.map(({ shardId }) => shardUnitId(uuid, key, shardId)), chore];
}

function isRegister(register: StreamRegister | 'unchanged' | undefined): register is StreamRegister {
  return register !== undefined && register !== 'unchanged';
}

function shardLeases(
  mapping: Mapping,
  { stream, shards }: StreamRegister,
  viewOf: ReadonlyMap<string, LeaseView>,
  pause: Pause | undefined,
): ShardLease[] {
  const key = streamKey(stream);
  const viewOfShard = (shardId: string): LeaseView => viewOf.get(shardUnitId(mapping.uuid, key, shardId))!;
  const readable = new Set(readableShards(knownShards(shards, [], (shardId) => rowOfView(viewOfShard(shardId)))));
  return shards.map((shard): ShardLease => {
    const view = viewOfShard(shard.shardId);
    const note = view.live ? readLeaseNote(view.note) : undefined;
    const isWanted = readable.has(shard.shardId) && pause === undefined && mapping.enabled;
    return {
      shardId: shard.shardId,
      parentShardIds: shard.parentShardIds,
      unit: view.id,
      state: restingState(shard, view) ?? (view.live ? heldState(note, isWanted) : freeState(mapping, readable.has(shard.shardId), pause)),
      owner: view.live ? view.owner : null,
      epoch: view.epoch,
      checkpoint: view.checkpoint ?? null,
      checkpointAgeMs: Number.isFinite(view.sinceCheckpointMs) ? view.sinceCheckpointMs : null,
      blocked: blockedJson(note),
      behindMs: note?.behindMs ?? null,
      weight: view.weight,
    };
  });
}

/** States that do not depend on who has the lease. */
function restingState({ isRetired }: RegisteredShard, view: LeaseView): ShardState | undefined {
  if (isRetired === true) return 'retired';
  const row = rowOfView(view);
  if (row === undefined) return 'lost';
  if (row === 'damaged') return 'damaged';
  return row.isEnded ? 'ended' : undefined;
}

/** Whoever still has what nobody shall have is about to let go of it. */
function heldState(note: LeaseNote | undefined, isWanted: boolean): ShardState {
  if (!isWanted) return 'draining';
  return note?.state ?? 'reading';
}

function freeState({ enabled }: Mapping, isReadable: boolean, pause: Pause | undefined): ShardState {
  if (!isReadable) return 'waitingForParent';
  if (pause !== undefined) return 'paused';
  return enabled ? 'free' : 'disabled';
}

function blockedJson(note: LeaseNote | undefined): ShardLease['blocked'] {
  if (note?.state !== 'blocked') return null;
  const { blockedSinceMs, lane, attempts, reason, error, nextAtMs } = note;
  return {
    since: isoTime(blockedSinceMs),
    lane: lane ?? null,
    attempts: attempts ?? null,
    reason: reason ?? null,
    error: error ?? null,
    nextAttemptAt: isoTime(nextAtMs),
  };
}

function unitLease({ id, live, owner, epoch }: LeaseView): UnitLease {
  return { unit: id, state: live ? 'held' : 'free', owner: live ? owner : null, epoch };
}

function pauseJson(pause: Pause | undefined): MappingLeases['paused'] {
  if (pause === undefined) return null;
  const { by, reason, sinceMs, leftMs } = pause;
  return { by, reason, sinceMs, leftMs: Number.isFinite(leftMs) ? leftMs : null };
}
