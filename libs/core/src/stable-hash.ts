/**
 * A 32-bit hash that is the same in every process, version and machine: partitions of the store and the target assignment
 * are computed from it by each poller for itself. FNV-1a over the UTF-16 code units, then murmur3's finaliser, because FNV
 * alone leaves the high bits of short, similar ids (`…-1`, `…-2`) almost equal.
 *
 * Never change it: a fleet in the middle of a rolling update would disagree about where its leases are.
 *
 * @returns an integer in [0, 2^32)
 */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix(hash);
}

/** One hash of two, for scoring pairs without building a string for each. */
export function stableHashPair(a: number, b: number): number {
  return mix(Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul((b << 13) | (b >>> 19), 0xc2b2ae35));
}

/** In how many parts the leases of a fleet are spread, each of them one hash slot of a Redis Cluster. Never change it either. */
export const PARTITIONS = 64;

/** The partition, 0 to 63, in which the state of `id` lives. */
export function partitionOf(id: string): number {
  return stableHash(id) % PARTITIONS;
}

/** murmur3's 32-bit finaliser: every input bit reaches every output bit. */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
