import type { StreamShard } from '@wherry/core/stream-source';
import { describe, expect, test } from 'vitest';
import { IteratorSource } from './iterator-source.ts';
import type { ShardList, StreamCalls } from './stream-calls.ts';

const signal = new AbortController().signal;

function shard(shardId: string): StreamShard {
  return { shardId, parentShardIds: [], isOpen: true };
}

/** A source whose list of shards comes in these parts, and what was asked for. */
function open(list: (after: string | undefined) => ShardList): { source: IteratorSource; asked: (string | undefined)[]; events: string[] } {
  const asked: (string | undefined)[] = [];
  const events: string[] = [];
  const calls: StreamCalls = {
    recordsPerCall: 1,
    hasTimestamps: true,
    identity: () => Promise.reject(Object.assign(new Error('not you'), { name: 'AccessDeniedException' })),
    listShards: async (after) => {
      asked.push(after);
      return list(after);
    },
    getShardIterator: () => Promise.resolve('i'),
    getRecords: () => Promise.resolve({ records: [] }),
  };
  const source = new IteratorSource({
    listOperation: 'ListShards',
    clock: { nowMs: () => 0 },
    open: async () => {
      events.push('open');
      return calls;
    },
    release: () => void events.push('release'),
  });
  return { source, asked, events };
}

describe('the list of shards', () => {
  test('is put together from all its parts', async () => {
    const parts: Record<string, ShardList> = {
      first: { shards: [shard('a'), shard('b')], continueAfter: 'b' },
      b: { shards: [], continueAfter: 'c' },
      c: { shards: [shard('d')] },
    };
    const { source, asked } = open((after) => parts[after ?? 'first']!);
    expect((await source.listShards(signal)).map(({ shardId }) => shardId)).toEqual(['a', 'b', 'd']);
    expect(asked).toEqual([undefined, 'b', 'c']);
  });

  test('that never gets further is an error and not a loop', async () => {
    const { source, asked } = open(() => ({ shards: [shard('a')], continueAfter: 'a' }));
    await expect(source.listShards(signal)).rejects.toMatchObject({
      name: 'SourceError',
      message: 'ListShards failed: the list does not get past shard a',
    });
    expect(asked).toHaveLength(2);
  });

  test('that is refused is a source error that names the call', async () => {
    const { source } = open(() => {
      throw Object.assign(new Error('not you'), { name: 'AccessDeniedException' });
    });
    await expect(source.listShards(signal)).rejects.toMatchObject({ code: 'accessDenied', message: 'ListShards failed: not you' });
  });
});

test('an identity that is refused is a source error that names the call', async () => {
  const { source } = open(() => ({ shards: [] }));
  await expect(source.identity(signal)).rejects.toMatchObject({ code: 'accessDenied', message: 'DescribeStreamSummary failed: not you' });
});

test('the calls are opened by the first use alone, and given back at the end', async () => {
  const { source, events } = open(() => ({ shards: [] }));
  const reader = source.openReader('a', { kind: 'LATEST' });
  expect(events).toEqual([]);
  expect(await reader.read(1, signal)).toEqual({ records: [], isEnd: true });
  await source.listShards(signal);
  source.close();
  expect(events).toEqual(['open', 'release']);
});
