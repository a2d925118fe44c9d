import { PARTITIONS, partitionOf } from '@wherry/core/stable-hash';

/**
 * Names of Redis keys: `{<keyPrefix>:<fleet>:<partition>}:<kind>:<id>`. The braces are a hash tag: all keys of one partition
 * live in one slot of a Redis Cluster, so that one script may touch many of them. Leases and permits are spread over 64
 * numbered partitions; members, gates and scale, which are read whole, have one each.
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
}
