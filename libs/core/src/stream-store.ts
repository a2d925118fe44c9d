import type { StreamIdentity } from './stream/stream-identity.ts';

/** What the fleet remembers of one shard, beside its lease row. */
export interface RegisteredShard {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
  /** Wall clock of the first of the listings in a row that did not show it; epoch milliseconds. */
  readonly missingSinceMs?: number;
  /** Its lease row is being removed. */
  readonly isRetired?: boolean;
}

/** The stream that a mapping reads now, and its shards as far as they were found: the register of `stream/lineage.ts`. */
export interface StreamRegister {
  readonly stream: StreamIdentity;
  /** Another text after every change, also after everything was wiped, or lost since some moment, and written anew. */
  readonly version: string;
  readonly shards: readonly RegisteredShard[];
}

/**
 * One change of a register, in one atomic write; one of more than 200 shards in several, parents before their children, so that a
 * child is never seen without its parent. Shards that a list names without being registered are passed over, but for `register`.
 */
export interface RegisterChange {
  readonly register: readonly { readonly shardId: string; readonly parentShardIds: readonly string[] }[];
  readonly missing: readonly string[];
  /** `missingSinceMs` of those in `missing` that have none yet. */
  readonly nowMs: number;
  readonly foundAgain: readonly string[];
  readonly retire: readonly string[];
  readonly unregister: readonly string[];
}

/** The registers of stream mappings. Methods throw `StoreError`. */
export interface StreamStore {
  /**
   * The register of each mapping's present stream, in the order asked: `unchanged` where it still has the version that the caller
   * knows, `undefined` where the mapping has none.
   */
  read(
    mappings: readonly { readonly id: string; readonly knownVersion?: string }[],
  ): Promise<readonly (StreamRegister | 'unchanged' | undefined)[]>;
  /** The register of one of a mapping's streams, be it the present one or an earlier one. */
  readOf(mapping: string, stream: StreamIdentity): Promise<StreamRegister | undefined>;
  /**
   * Changes the register of a mapping's stream, creates it if there is none (an empty stream has one too), and makes this stream the
   * mapping's present one. A change that alters nothing keeps the version.
   */
  change(mapping: string, stream: StreamIdentity, change: RegisterChange): Promise<void>;
  /** Removes a register: of an earlier stream, or of a mapping that is gone. */
  remove(mapping: string, stream: StreamIdentity): Promise<void>;
  /** The streams of which this mapping has a register, the present one included. */
  streams(mapping: string): Promise<readonly StreamIdentity[]>;
}
