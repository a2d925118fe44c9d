import { seededRandom } from '@wherry/testkit/seeded-random';
import { expect, it } from 'vitest';
import { childrenOf, parentsFirst } from './shard-tree.ts';

const shard = (shardId: string, ...parentShardIds: string[]) => ({ shardId, parentShardIds });
const ids = (shards: readonly { readonly shardId: string }[]): string[] => shards.map(({ shardId }) => shardId);

it('parents stand before their children, however the listing has them', () => {
  const listed = [
    shard('merged', 'left', 'right'),
    shard('right', 'root'),
    shard('left', 'root'),
    shard('root', 'trimmed'),
    shard('alone'),
  ];
  expect(ids(parentsFirst(listed))).toEqual(['root', 'alone', 'right', 'left', 'merged']);
  expect(childrenOf(listed).get('root')).toEqual(['right', 'left']);
  expect(childrenOf(listed).get('trimmed')).toEqual(['root']);
});

it('thousands of generations are put in order', () => {
  const random = seededRandom(1);
  const line = Array.from({ length: 20_000 }, (_, i) => (i === 0 ? shard('0') : shard(String(i), String(i - 1))));
  const shuffled = line.map((each) => ({ each, key: random() })).sort((a, b) => a.key - b.key);
  expect(ids(parentsFirst(shuffled.map(({ each }) => each)))).toEqual(ids(line));
});

it('shards that are each others ancestors, which no stream has, are not forgotten', () => {
  expect(ids(parentsFirst([shard('a', 'b'), shard('b', 'a'), shard('c')]))).toEqual(['c', 'a', 'b']);
});
