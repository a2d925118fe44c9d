import type { Clock } from '@wherry/core/clock';
import { type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';
import type { RegisterChange, RegisteredShard, StreamRegister, StreamStore } from '@wherry/core/stream-store';

interface Streams {
  /** Key of the stream that the mapping reads now; empty when its register was removed. */
  present: string;
  version: string;
  readonly registers: Map<string, { readonly stream: StreamIdentity; readonly shards: Map<string, RegisteredShard> }>;
}

/** The behaviour of `RedisStreamStore` in one process, on the given clock. */
export class MemoryStreamStore implements StreamStore {
  readonly #mappings = new Map<string, Streams>();
  readonly #clock: Clock;
  #changes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(
    mappings: readonly { readonly id: string; readonly knownVersion?: string }[],
  ): Promise<readonly (StreamRegister | 'unchanged' | undefined)[]> {
    const registers = mappings.map(({ id, knownVersion }): StreamRegister | 'unchanged' | undefined => {
      const streams = this.#mappings.get(id);
      const register = streams?.registers.get(streams.present);
      if (streams === undefined || register === undefined) return undefined;
      if (streams.version === knownVersion) return 'unchanged';
      return { stream: register.stream, version: streams.version, shards: [...register.shards.values()] };
    });
    return Promise.resolve(registers);
  }

  readOf(mapping: string, stream: StreamIdentity): Promise<StreamRegister | undefined> {
    const streams = this.#mappings.get(mapping);
    const register = streams?.registers.get(streamKey(stream));
    if (streams === undefined || register === undefined) return Promise.resolve(undefined);
    return Promise.resolve({ stream: register.stream, version: streams.version, shards: [...register.shards.values()] });
  }

  change(mapping: string, stream: StreamIdentity, change: RegisterChange): Promise<void> {
    const key = streamKey(stream);
    const streams = this.#mappings.get(mapping) ?? { present: '', version: '', registers: new Map() };
    const shards = streams.registers.get(key)?.shards ?? new Map<string, RegisteredShard>();
    const isAltered = applyChange(shards, change);
    if (isAltered || streams.present !== key) {
      this.#changes += 1;
      // With the time: a count alone comes again in a store that takes the place of this one, as after a wipe or a failover.
      streams.version = `${this.#clock.nowMs()}-${this.#changes}`;
    }
    streams.present = key;
    streams.registers.set(key, { stream, shards });
    this.#mappings.set(mapping, streams);
    return Promise.resolve();
  }

  remove(mapping: string, stream: StreamIdentity): Promise<void> {
    const streams = this.#mappings.get(mapping);
    const key = streamKey(stream);
    streams?.registers.delete(key);
    if (streams?.present === key) streams.present = '';
    if (streams?.registers.size === 0) this.#mappings.delete(mapping);
    return Promise.resolve();
  }

  streams(mapping: string): Promise<readonly StreamIdentity[]> {
    return Promise.resolve([...(this.#mappings.get(mapping)?.registers.values() ?? [])].map(({ stream }) => stream));
  }
}

/** @returns whether anything is other than before */
function applyChange(shards: Map<string, RegisteredShard>, change: RegisterChange): boolean {
  let isAltered = false;
  const set = (shard: RegisteredShard): void => {
    shards.set(shard.shardId, shard);
    isAltered = true;
  };
  for (const { shardId, parentShardIds } of change.register) if (!shards.has(shardId)) set({ shardId, parentShardIds });
  for (const id of change.missing) {
    const shard = shards.get(id);
    if (shard !== undefined && shard.missingSinceMs === undefined) set({ ...shard, missingSinceMs: change.nowMs });
  }
  for (const id of change.foundAgain) {
    const shard = shards.get(id);
    if (shard?.missingSinceMs === undefined && shard?.isRetired !== true) continue;
    set({ shardId: shard.shardId, parentShardIds: shard.parentShardIds });
  }
  for (const id of change.retire) {
    const shard = shards.get(id);
    if (shard !== undefined && shard.isRetired !== true) set({ ...shard, isRetired: true });
  }
  for (const id of change.unregister) if (shards.delete(id)) isAltered = true;
  return isAltered;
}
