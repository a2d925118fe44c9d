/** A shard and what it came from; `StreamShard` and `KnownShard` both are one. */
interface Descendant {
  readonly shardId: string;
  readonly parentShardIds: readonly string[];
}

/** The children of each shard, by the id of the parent, which need not be among the shards itself. */
export function childrenOf(shards: readonly Descendant[]): Map<string, string[]> {
  const children = new Map<string, string[]>();
  for (const { shardId, parentShardIds } of shards) {
    for (const parent of parentShardIds) {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [shardId]);
      else siblings.push(shardId);
    }
  }
  return children;
}

/**
 * The shards in an order in which every parent stands before its children. Without recursion, because a stream that is resharded
 * every hour has thousands of generations. A circle of ancestors, which no stream has, would be left at the end.
 */
export function parentsFirst<Shard extends Descendant>(shards: readonly Shard[]): Shard[] {
  const byId = new Map(shards.map((shard) => [shard.shardId, shard]));
  const children = childrenOf(shards);
  const waitingFor = new Map(shards.map((shard) => [shard.shardId, shard.parentShardIds.filter((id) => byId.has(id)).length]));
  const ordered = shards.filter(({ shardId }) => waitingFor.get(shardId) === 0);
  for (let next = 0; next < ordered.length; next += 1) {
    for (const id of children.get(ordered[next]?.shardId ?? '') ?? []) {
      const left = (waitingFor.get(id) ?? 0) - 1;
      waitingFor.set(id, left);
      const child = byId.get(id);
      if (left === 0 && child !== undefined) ordered.push(child);
    }
  }
  return ordered.length === shards.length ? ordered : [...new Set([...ordered, ...shards])];
}
