/**
 * Looks after the shards of one stream mapping: lists the stream, has `planShards` decide what that means, and writes lease rows and
 * register in the plan's order. Whoever holds the mapping's chore lease looks from time to time; a shard loop that came to the end of
 * its shard looks at once. Looks may overlap with those of other pollers and may break off anywhere: all writes can be repeated.
 *
 *   identity ──▶ listing ──▶ register and rows ──▶ planShards ──▶ rows created ──▶ register changed ──▶ rows removed
 */
import type { Surroundings } from '@wherry/core/clock';
import { type Coordination, type HeldLease, type LeaseView, StoreError } from '@wherry/core/coordination';
import type { EngineEvent, Observe } from '@wherry/core/engine-event';
import type { StreamMapping } from '@wherry/core/mapping';
import { SourceError } from '@wherry/core/source-error';
import { type LineagePlan, planShards } from '@wherry/core/stream/lineage';
import { writePosition } from '@wherry/core/stream/stored-position';
import { shardUnitId, startingPositionAt, type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';
import type { StreamShard, StreamSource } from '@wherry/core/stream-source';
import type { StreamRegister } from '@wherry/core/stream-store';
import { SourceHealth } from '../source-health.ts';
import { EarlierStreams } from './earlier-streams.ts';
import { knownShards, rowOfView, viewShards } from './known-shards.ts';
import type { StreamMemory } from './stream-memory.ts';

/**
 * Between two looks. Shards that end are followed at once by whoever reads them, so this bounds only how long a lost row, a stream that
 * was created again, or a listing that was out of date goes unnoticed. Inferred: `DescribeStream` allows ten calls a second to an account.
 */
export const LOOK_EVERY_MS = 30_000;
/** After a look that found something new, because listings of a stream that is being resharded come late. Inferred. */
const LOOK_AFTER_NEWS_MS = 5_000;
/** After a look that failed in the store; a source that failed has pauses of its own. */
const LOOK_AGAIN_MS = 2_000;
/** Looks of pollers drift apart by this part. */
const SPREAD = 0.1;
/** Shards named in a sentence for people. */
const NAMED_SHARDS = 5;

/** What a mapping's discovery works with. */
export interface StreamDiscoveryOptions {
  readonly surroundings: Surroundings;
  readonly mapping: StreamMapping;
  readonly source: StreamSource;
  readonly leases: Coordination['leases'];
  readonly streams: Coordination['streams'];
  /** Shared by the whole process. */
  readonly memory: StreamMemory;
  readonly observe: Observe;
}

/** What a look has seen of the stream. */
interface Listing {
  readonly identity: StreamIdentity;
  readonly shards: readonly StreamShard[];
  /** Wall clock, read after the listing came back; whole milliseconds, because a position is stored in them. */
  readonly nowMs: number;
}

/** Discovery of one mapping's shards in one process. */
export class StreamDiscovery {
  readonly #options: StreamDiscoveryOptions;
  readonly #health: SourceHealth;
  readonly #earlier: EarlierStreams;
  #looking: Promise<unknown> | undefined;
  /** Looks that have begun, and the number of the last one that was complete. */
  #begun = 0;
  #lastComplete = 0;
  #hasNews = false;
  #stopped: readonly string[] = [];
  #damaged: readonly string[] = [];

  constructor(options: StreamDiscoveryOptions) {
    const { surroundings, mapping, observe } = options;
    this.#options = options;
    this.#health = new SourceHealth({ surroundings, mapping: mapping.name, observe });
    this.#earlier = new EarlierStreams(options, surroundings.clock, mapping.uuid);
  }

  /** Why the stream cannot be listed, or which of its shards wait for a person. */
  get problem(): string | undefined {
    if (this.#health.problem !== undefined) return this.#health.problem;
    if (this.#damaged.length > 0) return `the stored positions of ${nameSome(this.#damaged)} cannot be read`;
    if (this.#stopped.length > 0) return `the checkpoints of ${nameSome(this.#stopped)} are gone (onCheckpointLoss: stop)`;
    return undefined;
  }

  /**
   * One whole look. Who asks while another is under way waits for one that begins afterwards, and shares it with all who ask
   * meanwhile. Never rejects for trouble of the source or the store.
   *
   * @returns false if it was not complete: nothing can be concluded from what it did not find
   */
  look(signal: AbortSignal): Promise<boolean> {
    return this.#lookInTurn(signal, () => !signal.aborted);
  }

  /** The chore: looks from time to time until the lease is yielded or lost, or the mapping's run is retired. */
  async run(lease: HeldLease, retired: AbortSignal): Promise<void> {
    const { clock, random } = this.#options.surroundings;
    const ended = AbortSignal.any([lease.yielded, lease.lost, retired]);
    while (!ended.aborted) {
      const isComplete = await this.#lookInTurn(ended, () => !ended.aborted && lease.isValid());
      const pauseMs = this.#hasNews ? LOOK_AFTER_NEWS_MS : LOOK_EVERY_MS;
      await clock.sleep((isComplete ? pauseMs : LOOK_AGAIN_MS) * (1 - SPREAD + 2 * SPREAD * random()), ended);
    }
  }

  async #lookInTurn(signal: AbortSignal, mayWrite: () => boolean): Promise<boolean> {
    const begunBefore = this.#begun;
    while (this.#looking !== undefined) await this.#looking;
    if (this.#lastComplete > begunBefore) return true;
    const look = this.#lookOnce(signal, mayWrite);
    // Those who wait look for themselves; the one who began it hears how it ended.
    this.#looking = look.then(
      () => (this.#looking = undefined),
      () => (this.#looking = undefined),
    );
    return await look;
  }

  async #lookOnce(signal: AbortSignal, mayWrite: () => boolean): Promise<boolean> {
    this.#begun += 1;
    const number = this.#begun;
    try {
      const listing = await this.#list(signal);
      if (listing === undefined || !mayWrite()) return false;
      if (!(await this.#apply(listing, mayWrite))) return false;
      this.#lastComplete = number;
      return true;
    } catch (error) {
      if (error instanceof StoreError) return false;
      throw error;
    }
  }

  async #list(signal: AbortSignal): Promise<Listing | undefined> {
    const { surroundings, source } = this.#options;
    const { clock } = surroundings;
    await this.#health.waitOutPause(signal);
    if (signal.aborted) return undefined;
    const sentAtMs = clock.monotonicMs();
    try {
      const identity = await source.identity(signal);
      const shards = await source.listShards(signal);
      this.#health.worked(sentAtMs);
      return { identity, shards, nowMs: Math.floor(clock.nowMs()) };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (!signal.aborted) this.#health.failed(error, sentAtMs);
      return undefined;
    }
  }

  /** @returns false if it had to stop in between */
  async #apply(listing: Listing, mayWrite: () => boolean): Promise<boolean> {
    const { mapping, leases, memory } = this.#options;
    const key = streamKey(listing.identity);
    const { present, register } = await this.#registers(listing.identity);
    const isPresent = present !== undefined && streamKey(present.stream) === key;
    if (register !== undefined) memory.remember(mapping.uuid, key);
    const ids = new Set([...listing.shards, ...(register?.shards ?? [])].map(({ shardId }) => shardId));
    const views = await viewShards(leases, mapping.uuid, key, [...ids]);
    const plan = planShards({
      listed: listing.shards,
      known: knownShards(register?.shards ?? [], listing.shards, (shardId) => rowOfView(views.get(shardId))),
      hasRegister: register !== undefined,
      remembersReading: memory.remembers(mapping.uuid, key),
      start: startingPositionAt(listing.identity, present?.stream, mapping.startingPosition),
      onCheckpointLoss: mapping.onCheckpointLoss,
      nowMs: listing.nowMs,
    });
    if (!(await this.#write(listing, plan, views, isPresent, mayWrite))) return false;
    memory.remember(mapping.uuid, key);
    this.#tell(plan);
    this.#hasNews = plan.register.length > 0 || plan.missing.length > 0;
    // Not in the look that made the stream the present one: others may still act on the register they know.
    if (isPresent && mayWrite()) await this.#earlier.sweep(key);
    return true;
  }

  /** The register of the stream that the mapping reads at present, and of the one that was just listed, if they differ. */
  async #registers(identity: StreamIdentity): Promise<Record<'present' | 'register', StreamRegister | undefined>> {
    const { mapping, streams } = this.#options;
    const [read] = await streams.read([{ id: mapping.uuid }]);
    const present = read === 'unchanged' ? undefined : read;
    if (present === undefined) return { present, register: undefined };
    const isSame = streamKey(present.stream) === streamKey(identity);
    return { present, register: isSame ? present : await streams.readOf(mapping.uuid, identity) };
  }

  async #write(
    { identity, nowMs }: Listing,
    plan: LineagePlan,
    views: ReadonlyMap<string, LeaseView>,
    isPresent: boolean,
    mayWrite: () => boolean,
  ): Promise<boolean> {
    const { mapping, leases, streams } = this.#options;
    const unitOf = (shardId: string): string => shardUnitId(mapping.uuid, streamKey(identity), shardId);
    if (!mayWrite()) return false;
    if (plan.create.length > 0)
      await leases.create(
        plan.create.map(({ shardId, row }) => ({ id: unitOf(shardId), checkpoint: writePosition(row.position), ended: row.isEnded })),
      );
    // Who took a shard while its row was being removed has left a row without a position, which must not outlive the register.
    const unregister = plan.unregister.filter((shardId) => views.get(shardId)?.live !== true);
    if (!mayWrite()) return false;
    if (unregister.length > 0) await leases.remove(unregister.map(unitOf));
    const { register, missing, foundAgain, retire } = plan;
    const isChange = [register, missing, foundAgain, retire, unregister].some((list) => list.length > 0);
    if (!mayWrite()) return false;
    if (isChange || !isPresent) await streams.change(mapping.uuid, identity, { register, missing, nowMs, foundAgain, retire, unregister });
    if (!mayWrite()) return false;
    if (plan.removeRows.length > 0) await leases.remove(plan.removeRows.map(unitOf));
    return true;
  }

  #tell(plan: LineagePlan): void {
    const leftOut = plan.create.filter(({ row }) => row.isEnded).map(({ shardId }) => shardId);
    const notFound = new Set([...leftOut, ...plan.lost, ...plan.stopped]);
    this.#tellOf(
      'found',
      plan.register.map(({ shardId }) => shardId).filter((shardId) => !notFound.has(shardId)),
    );
    this.#tellOf('lost', plan.lost);
    this.#tellOf('vanished', plan.vanished);
    this.#tellOf(
      'retired',
      plan.retire.filter((shardId) => !plan.vanished.includes(shardId)),
    );
    // These wait for a person and turn up at every look: each is told once.
    this.#tellOf(
      'stopped',
      plan.stopped.filter((shardId) => !this.#stopped.includes(shardId)),
    );
    this.#tellOf(
      'damaged',
      plan.damaged.filter((shardId) => !this.#damaged.includes(shardId)),
    );
    this.#stopped = plan.stopped;
    this.#damaged = plan.damaged;
  }

  #tellOf(change: Extract<EngineEvent, { readonly type: 'shards' }>['change'], shards: readonly string[]): void {
    const { mapping, observe } = this.#options;
    if (shards.length > 0) observe({ type: 'shards', mapping: mapping.name, change, shards });
  }
}

function nameSome(shards: readonly string[]): string {
  const named = shards.slice(0, NAMED_SHARDS).join(', ');
  return shards.length > NAMED_SHARDS ? `${named} and ${shards.length - NAMED_SHARDS} more shards` : named;
}
