import { PARTITIONS, partitionOf } from '@wherry/core/stable-hash';

/**
 * Names of Redis keys: `{<keyPrefix>:<fleet>:<partition>}:<kind>:<id>`. The braces are a hash tag: all keys of one partition
 * live in one slot of a Redis Cluster, so that one script may touch many of them. Leases and permits are spread over 64
 * numbered partitions, and so are the registers of stream mappings; members, gates, scale, pauses, the audit trail and the failed
 * batches have one each.
 */
export class Keys {
  readonly #prefix: string;
  readonly #tags: string[];

  /** @throws RangeError when prefix or fleet holds a brace, which would end the hash tag early */
  constructor(keyPrefix: string, fleet: string) {
    if (/[{}]/.test(keyPrefix + fleet)) {
      throw new RangeError(`redis.keyPrefix ${JSON.stringify(keyPrefix)} and fleet.id ${JSON.stringify(fleet)} must not contain { or }`);
    }
    this.#prefix = `${keyPrefix}:${fleet}`;
    this.#tags = Array.from({ length: PARTITIONS }, (_, partition) => `{${this.#prefix}:${partition}}`);
  }

  lease(id: string): string {
    return this.leaseIn(partitionOf(id), id);
  }

  /** As `lease`, for callers that have computed the partition already. */
  leaseIn(partition: number, id: string): string {
    return `${this.#tags[partition]}:lease:${id}`;
  }

  /** Lowest epoch of a partition; operators raise it after a restore from a backup. */
  epochFloor(partition: number): string {
    return `${this.#tags[partition]}:epochfloor`;
  }

  /** Live members by deadline, and what each of them says about itself. */
  members(): [string, string] {
    const tag = `{${this.#prefix}:members}`;
    return [`${tag}:members`, `${tag}:member`];
  }

  permit(partition: string, scope: string): string {
    return `${this.#tags[partitionOf(partition)]}:permit:${scope}`;
  }

  gate(target: string): string {
    return `{${this.#prefix}:gates}:gate:${target}`;
  }

  scale(mapping: string): string {
    return `{${this.#prefix}:scale}:scale:${mapping}`;
  }

  /** When each mapping was last noted, and the most slots of each; in one slot with the rows of `scale`. */
  noted(): [string, string] {
    const tag = `{${this.#prefix}:scale}`;
    return [`${tag}:noted`, `${tag}:slots`];
  }

  /** Which streams a mapping has a register of, and which of them it reads now. */
  streams(mapping: string): string {
    return `${this.#tags[partitionOf(mapping)]}:streams:${mapping}`;
  }

  /** The register of one stream of a mapping; in one slot with its `streams`. */
  shards(mapping: string, streamKey: string): string {
    return `${this.#tags[partitionOf(mapping)]}:shards:${mapping}:${streamKey}`;
  }

  pauses(): string {
    return `{${this.#prefix}:pauses}:pauses`;
  }

  audit(): string {
    return `{${this.#prefix}:audit}:audit`;
  }

  /** Failed batches: their order, facts, rows and counts; all of them in one slot, so that counts and rows change together. */
  failed(): [order: string, facts: string, rows: string, counts: string] {
    const tag = `{${this.#prefix}:failed}`;
    return [`${tag}:order`, `${tag}:facts`, `${tag}:rows`, `${tag}:counts`];
  }

  /** The event of one failed batch. */
  failedEvent(id: string): string {
    return `{${this.#prefix}:failed}:event:${id}`;
  }

  /** Where a removed batch stood in the order, for whoever lists on from there. */
  failedGone(id: string): string {
    return `{${this.#prefix}:failed}:gone:${id}`;
  }
}
