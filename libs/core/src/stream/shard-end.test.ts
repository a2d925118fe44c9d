import { describe, expect, it } from 'vitest';
import type { StreamShard } from '../stream-source.ts';
import { CHILD_WAIT_MS, CHILD_WAIT_STEP_MS, decideShardEnd } from './shard-end.ts';

const child = (shardId: string, ...parentShardIds: string[]): StreamShard => ({ shardId, parentShardIds, isOpen: true });
const register = (...entries: [string, string[]][]): Map<string, string[]> => new Map(entries);
const end = { shardId: 'parent', childShards: undefined, registered: register(['parent', []]), waitedMs: 0 };
const discover = { kind: 'discover', afterMs: CHILD_WAIT_STEP_MS };

describe('the answer names the children (Kinesis)', () => {
  it('both halves of a split get their leases, then the parent ends', () => {
    const childShards = [child('left', 'parent'), child('right', 'parent')];
    expect(decideShardEnd({ ...end, childShards })).toEqual({ kind: 'end', children: ['left', 'right'], adopt: childShards });
  });

  it('children that discovery was quicker to find are not adopted again', () => {
    const registered = register(['parent', []], ['left', ['parent']], ['right', ['parent']]);
    const childShards = [child('left', 'parent'), child('right', 'parent')];
    expect(decideShardEnd({ ...end, childShards, registered })).toEqual({ kind: 'end', children: ['left', 'right'], adopt: [] });
  });

  it('a merged shard is adopted when its other parent is registered', () => {
    const merged = child('merged', 'parent', 'neighbour');
    const registered = register(['parent', []], ['neighbour', []]);
    expect(decideShardEnd({ ...end, childShards: [merged], registered })).toEqual({ kind: 'end', children: ['merged'], adopt: [merged] });
  });

  it('a merged shard whose other parent nobody has found yet is left to discovery, or it would be read before that parent', () => {
    const childShards = [child('merged', 'parent', 'unseen')];
    expect(decideShardEnd({ ...end, childShards })).toEqual(discover);
    const registered = register(['parent', []], ['unseen', []], ['merged', ['parent', 'unseen']]);
    expect(decideShardEnd({ ...end, childShards, registered })).toEqual({ kind: 'end', children: ['merged'], adopt: [] });
    expect(decideShardEnd({ ...end, childShards, waitedMs: CHILD_WAIT_MS })).toEqual({ kind: 'end', children: [], adopt: [] });
  });
});

describe('the answer names nobody (DynamoDB)', () => {
  it.each([{ childShards: undefined }, { childShards: [] }])('children that are registered are enough: $childShards', ({ childShards }) => {
    const registered = register(['parent', []], ['next', ['parent']], ['other', ['elsewhere']]);
    expect(decideShardEnd({ ...end, childShards, registered })).toEqual({ kind: 'end', children: ['next'], adopt: [] });
  });

  it('without any, the stream is listed again for a minute; then the shard ends, for its stream may be switched off', () => {
    expect(decideShardEnd(end)).toEqual(discover);
    expect(decideShardEnd({ ...end, waitedMs: CHILD_WAIT_MS - 1 })).toEqual(discover);
    expect(decideShardEnd({ ...end, waitedMs: CHILD_WAIT_MS })).toEqual({ kind: 'end', children: [], adopt: [] });
  });
});
