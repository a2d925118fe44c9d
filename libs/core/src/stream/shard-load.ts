/**
 * How much work a shard is, measured while it is read, so that busy shards come to lie on different pollers. A reader does this:
 *
 *     let load = firstLoad(clock.monotonicMs());
 *     // after each page
 *     load = loadAfter(load, payloadBytes, clock.monotonicMs());
 *     if (load.weight !== undefined) lease.weigh(load.weight);
 */

/** Time after which a burst counts for no more than 37 % (1/e) of what it was. Inferred: long against pauses between batches. */
const MEMORY_MS = 60_000;
/** For so long a new owner measures before it says anything: until then what the last owner measured stands. */
const MEASURED_AFTER_MS = 60_000;
/**
 * A shard that brings this many bytes a second is twice the work of an idle one, which costs about one empty read a second. Inferred:
 * measured on no particular machine, and only the proportion between shards matters.
 */
const BYTES_PER_SECOND_OF_TWO = 65_536;
/** A shard gives out 2 MiB a second at most, so nothing weighs more; a power of two. */
export const HEAVIEST_SHARD = 32;
/** A weight falls only when the load is this far below what raised it, so that a load near a border does not make shards wander. */
const FALLS_AT_PART = 0.6;

/** The load of a shard, as its present owner has measured it. */
export interface ShardLoad {
  readonly beganAtMs: number;
  readonly atMs: number;
  /** Moving average, bytes a second. */
  readonly bytesPerSecond: number;
  /** What the shard weighs: 1 when idle, a power of two up to `HEAVIEST_SHARD`. `undefined` until measured for long enough. */
  readonly weight: number | undefined;
}

/** The load of a shard that was just taken over. @param nowMs monotonic */
export function firstLoad(nowMs: number): ShardLoad {
  return { beganAtMs: nowMs, atMs: nowMs, bytesPerSecond: 0, weight: undefined };
}

/**
 * The load after a page.
 *
 * @param bytes what the page brought; 0 for an empty one
 * @param nowMs monotonic time at which it came
 */
export function loadAfter(load: ShardLoad, bytes: number, nowMs: number): ShardLoad {
  const passedMs = Math.max(0, nowMs - load.atMs);
  const bytesPerSecond = load.bytesPerSecond * Math.exp(-passedMs / MEMORY_MS) + bytes / (MEMORY_MS / 1_000);
  const isMeasured = nowMs - load.beganAtMs >= MEASURED_AFTER_MS;
  const weight = isMeasured ? weightOf(load.weight, bytesPerSecond) : undefined;
  return { beganAtMs: load.beganAtMs, atMs: nowMs, bytesPerSecond, weight };
}

function weightOf(before: number | undefined, bytesPerSecond: number): number {
  let weight = 1;
  while (weight < HEAVIEST_SHARD && bytesPerSecond >= lowerBorder(weight * 2)) weight *= 2;
  const isBarelyLower = before !== undefined && weight < before && bytesPerSecond >= lowerBorder(before) * FALLS_AT_PART;
  return isBarelyLower ? before : weight;
}

/** Bytes a second from which on a shard has this weight. */
function lowerBorder(weight: number): number {
  return (weight - 1) * BYTES_PER_SECOND_OF_TWO;
}
