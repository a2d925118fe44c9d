import type { Clock } from '@wherry/core/clock';
import type { Coordination, LeaseUnit, LeaseView } from '@wherry/core/coordination';
import { discoveryUnitId } from '@wherry/core/lease-unit';
import type { StreamMapping } from '@wherry/core/mapping';
import { readableShards } from '@wherry/core/stream/lineage';
import { isSourceOf, shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import type { StreamRegister } from '@wherry/core/stream-store';
import { ENDED_ROW, knownShards, rowOfView } from './known-shards.ts';
import type { StreamMemory } from './stream-memory.ts';

/** How often shards that have long ended are looked at again: a seek may have opened them. */
const REVIEW_EVERY_MS = 30_000;

/** What the units are made from. */
export interface StreamUnitsOptions {
  readonly leases: Pick<Coordination['leases'], 'view'>;
  readonly streams: Pick<Coordination['streams'], 'read'>;
  readonly clock: Clock;
  readonly memory: StreamMemory;
}

/** The units of stream mappings, and their leases as they were just read. */
export interface PlannedStreams {
  /** By mapping UUID. */
  readonly units: ReadonlyMap<string, readonly LeaseUnit[]>;
  readonly views: ReadonlyMap<string, LeaseView>;
}

/** Shards of a mapping. What is neither ended nor readable waits for its parents, for discovery, or for a person. */
export interface ShardCounts {
  /** Found in the stream and not yet gone from it. */
  readonly known: number;
  /** Read to their end. */
  readonly ended: number;
  readonly readable: number;
}

/** What this poller knows of the stream of one mapping. */
interface KnownStream {
  readonly register: StreamRegister;
  readonly key: string;
  /** Shards whose rows had ended when they were last looked at. */
  ended: Set<string>;
  reviewAtMs: number;
  readable: readonly string[];
}

/**
 * Which shards somebody has to hold now, asked at every claim scan of every poller. It costs one read of the registers' versions and one
 * view of the rows that can matter: a shard that has ended, and all of whose children have, is looked at only now and then. Its children
 * tell when that was wrong: nobody sends a child back behind its parents without them, so a parent that is open again shows among the
 * parents of open shards, and then everything is looked at.
 */
export class StreamUnits {
  readonly #options: StreamUnitsOptions;
  /** By mapping UUID. */
  #known: ReadonlyMap<string, KnownStream> = new Map();

  constructor(options: StreamUnitsOptions) {
    this.#options = options;
  }

  /** The chore and the readable shards of each of these mappings. Throws `StoreError`. */
  async plan(mappings: readonly StreamMapping[]): Promise<PlannedStreams> {
    if (mappings.length === 0) return { units: new Map(), views: new Map() };
    await this.#readRegisters(mappings);
    const views = await this.#viewRows();
    return { units: new Map(mappings.map(({ uuid }) => [uuid, this.#unitsOf(uuid)])), views };
  }

  /** How many shards a mapping has, as of the last plan. */
  count(mapping: string): ShardCounts {
    const stream = this.#known.get(mapping);
    if (stream === undefined) return { known: 0, ended: 0, readable: 0 };
    return { known: stream.register.shards.length, ended: stream.ended.size, readable: stream.readable.length };
  }

  #unitsOf(mapping: string): LeaseUnit[] {
    const stream = this.#known.get(mapping);
    const shards = stream?.readable.map((shardId) => shardUnitId(mapping, stream.key, shardId)) ?? [];
    return [discoveryUnitId(mapping), ...shards].map((id) => ({ id, weight: 1 }));
  }

  /**
   * Whether a shard may be begun now that its lease is ours. The plan was made from rows read one after the other, while somebody may
   * have sent parent and child back; what stood before the child is read again here. Throws `StoreError`.
   */
  async mayBegin(mapping: string, key: string, shardId: string): Promise<boolean> {
    const stream = this.#known.get(mapping);
    const shard = stream?.register.shards.find((registered) => registered.shardId === shardId);
    if (stream?.key !== key || shard === undefined) return false;
    const family = stream.register.shards.filter((other) => other === shard || shard.parentShardIds.includes(other.shardId));
    const views = await this.#options.leases.view(family.map((member) => shardUnitId(mapping, stream.key, member.shardId)));
    const rows = new Map(family.map((member, index) => [member.shardId, rowOfView(views[index])]));
    return readableShards(knownShards(family, [], (id) => rows.get(id))).includes(shardId);
  }

  async #readRegisters(mappings: readonly StreamMapping[]): Promise<void> {
    const { streams, memory } = this.#options;
    const before = this.#known;
    const asked = mappings.map(({ uuid }) => {
      const version = before.get(uuid)?.register.version;
      return { id: uuid, ...(version === undefined ? {} : { knownVersion: version }) };
    });
    const registers = await streams.read(asked);
    const known = new Map<string, KnownStream>();
    for (const [index, { uuid, eventSourceArn }] of mappings.entries()) {
      const register = registers[index];
      const stream = register === 'unchanged' ? before.get(uuid) : register && newlyKnown(register);
      // While a deployment rolls, another poller's configuration may name another stream.
      if (stream === undefined || !isSourceOf(stream.register.stream, eventSourceArn)) continue;
      memory.remember(uuid, stream.key);
      known.set(uuid, stream);
    }
    this.#known = known;
  }

  /** Reads the rows that can matter, and finds out what is readable. */
  async #viewRows(): Promise<Map<string, LeaseView>> {
    const nowMs = this.#options.clock.monotonicMs();
    for (const stream of this.#known.values()) {
      if (nowMs < stream.reviewAtMs) continue;
      stream.ended = new Set();
      stream.reviewAtMs = nowMs + REVIEW_EVERY_MS;
    }
    const views = new Map<string, LeaseView>();
    await this.#view(
      [...this.#known].flatMap(([uuid, stream]) => worthViewing(uuid, stream)),
      views,
    );
    const reopened = [...this.#known].filter(([uuid, stream]) => hasReopened(uuid, stream, views));
    for (const [, stream] of reopened) stream.ended = new Set();
    await this.#view(
      reopened.flatMap(([uuid, stream]) => worthViewing(uuid, stream)),
      views,
    );
    for (const [uuid, stream] of this.#known) {
      const rowOf = (shardId: string): ReturnType<typeof rowOfView> => {
        const view = views.get(shardUnitId(uuid, stream.key, shardId));
        return view === undefined && stream.ended.has(shardId) ? ENDED_ROW : rowOfView(view);
      };
      const shards = knownShards(stream.register.shards, [], rowOf);
      stream.readable = readableShards(shards);
      stream.ended = new Set(shards.flatMap(({ shardId, row }) => (row === ENDED_ROW ? [shardId] : [])));
    }
    return views;
  }

  async #view(ids: readonly string[], views: Map<string, LeaseView>): Promise<void> {
    if (ids.length === 0) return;
    for (const view of await this.#options.leases.view(ids)) views.set(view.id, view);
  }
}

function newlyKnown(register: StreamRegister): KnownStream {
  return { register, key: streamKey(register.stream), ended: new Set(), reviewAtMs: Number.NEGATIVE_INFINITY, readable: [] };
}

/** The unit ids of shards that had not ended, and of their parents. */
function worthViewing(mapping: string, { register, key, ended }: KnownStream): string[] {
  const open = register.shards.filter(({ shardId }) => !ended.has(shardId));
  const parents = new Set(open.flatMap(({ parentShardIds }) => parentShardIds));
  return register.shards
    .filter(({ shardId }) => !ended.has(shardId) || parents.has(shardId))
    .map(({ shardId }) => shardUnitId(mapping, key, shardId));
}

/** A shard that had ended has not any more. */
function hasReopened(mapping: string, { key, ended }: KnownStream, views: ReadonlyMap<string, LeaseView>): boolean {
  return [...ended].some((shardId) => views.get(shardUnitId(mapping, key, shardId))?.ended === false);
}
