import { describe, expect, it } from 'vitest';
import type { StreamShard } from '../stream-source.ts';
import { type KnownShard, type LineagePlan, type LineageSnapshot, planShards, readableShards, VANISHED_AFTER_MS } from './lineage.ts';
import { readPosition } from './stored-position.ts';

const NOW = 1_790_000_000_000;
const LONG_AGO = NOW - VANISHED_AFTER_MS;

/** `open('left', 'parent')`: an open shard with these parents. */
const open = (shardId: string, ...parentShardIds: string[]): StreamShard => ({ shardId, parentShardIds, isOpen: true });
const closed = (shardId: string, ...parentShardIds: string[]): StreamShard => ({ shardId, parentShardIds, isOpen: false });

/** `known('left', '17', ['parent'])`: a registered shard with this checkpoint; `ENDED`, `damaged` and `gone` stand for the row. */
function known(shardId: string, row: string, parentShardIds: string[] = [], more: Partial<KnownShard> = {}): KnownShard {
  const position = readPosition(row === 'ENDED' ? '9' : row);
  const intact = position === undefined ? ('damaged' as const) : { position, isEnded: row === 'ENDED' };
  return { shardId, parentShardIds, isRegistered: true, row: row === 'gone' ? undefined : intact, ...more };
}

function plan(snapshot: Partial<LineageSnapshot>): LineagePlan {
  const later = { hasRegister: true, remembersReading: false, nowMs: NOW };
  return planShards({ listed: [], known: [], start: { kind: 'LATEST' }, onCheckpointLoss: 'TRIM_HORIZON', ...later, ...snapshot });
}

/** The rows to create, in short: `{ left: 'TRIM_HORIZON', parent: 'ENDED' }`. */
function created({ create }: LineagePlan): Record<string, string> {
  return Object.fromEntries(create.map(({ shardId, row }) => [shardId, row.isEnded ? 'ENDED' : row.position.kind]));
}

const NOTHING: LineagePlan = {
  create: [],
  register: [],
  missing: [],
  foundAgain: [],
  retire: [],
  removeRows: [],
  unregister: [],
  readable: [],
  vanished: [],
  lost: [],
  stopped: [],
  damaged: [],
};

describe('the first look', () => {
  const stream = [open('left', 'parent'), open('right', 'parent'), closed('parent', 'trimmed')];
  const first = { listed: stream, hasRegister: false };

  it('LIF-01 TRIM_HORIZON takes every shard that still holds data, the roots first', () => {
    const decided = plan({ ...first, start: { kind: 'TRIM_HORIZON' } });
    expect(created(decided)).toEqual({ left: 'TRIM_HORIZON', right: 'TRIM_HORIZON', parent: 'TRIM_HORIZON' });
    expect(decided.readable).toEqual(['parent']);
    expect(decided.register.map(({ shardId }) => shardId)).toEqual(['left', 'right', 'parent']);
  });

  it('LATEST takes the open shards from the time of the look, and leaves the closed ones out for good', () => {
    const decided = plan(first);
    expect(created(decided)).toEqual({ left: 'AT_TIMESTAMP', right: 'AT_TIMESTAMP', parent: 'ENDED' });
    expect(decided.create[0]?.row.position).toMatchObject({ timestampMs: NOW });
    expect(decided.readable).toEqual(['left', 'right']);
  });

  it('AT_TIMESTAMP takes every shard from that time; one that ended before it is over after a read', () => {
    const decided = plan({ ...first, start: { kind: 'AT_TIMESTAMP', timestampMs: 5 } });
    expect(created(decided)).toEqual({ left: 'AT_TIMESTAMP', right: 'AT_TIMESTAMP', parent: 'AT_TIMESTAMP' });
    for (const { row } of decided.create) expect(row.position).toEqual({ kind: 'AT_TIMESTAMP', timestampMs: 5 });
    expect(decided.readable).toEqual(['parent']);
  });

  it('goes on where a look was cut short: rows that exist stay, the rest follows, and only then is anything read', () => {
    const halfWritten = known('left', `AT_TIMESTAMP:${NOW - 5_000}`, ['parent'], { isRegistered: false });
    expect(readableShards([halfWritten])).toEqual([]);
    const decided = plan({ ...first, known: [halfWritten] });
    expect(created(decided)).toEqual({ right: 'AT_TIMESTAMP', parent: 'ENDED' });
    expect(decided.lost).toEqual([]);
    expect(decided.readable).toEqual(['left', 'right']);
  });

  it('finds nothing in a stream without shards, and whatever comes then is new', () => {
    expect(plan({ listed: [], hasRegister: false })).toEqual(NOTHING);
    expect(created(plan({ listed: [open('a')] }))).toEqual({ a: 'TRIM_HORIZON' });
  });
});

describe('order across resharding', () => {
  it('LIF-03 a child is not read while its parent has a batch that is not terminal', () => {
    const listed = [closed('parent'), open('left', 'parent'), open('right', 'parent')];
    const children = [known('left', 'TRIM_HORIZON', ['parent']), known('right', 'TRIM_HORIZON', ['parent'])];
    expect(plan({ listed, known: [known('parent', '17'), ...children] }).readable).toEqual(['parent']);
    expect(plan({ listed, known: [known('parent', 'ENDED'), ...children] }).readable).toEqual(['left', 'right']);
  });

  it.each([
    { left: '17', right: '18', readable: ['left', 'right'] },
    { left: 'ENDED', right: '18', readable: ['right'] },
    { left: '17', right: 'ENDED', readable: ['left'] },
    { left: 'ENDED', right: 'ENDED', readable: ['merged'] },
  ])('LIF-04 a merged shard waits for both parents: left $left, right $right', ({ left, right, readable }) => {
    const shards = [known('left', left), known('right', right), known('merged', 'TRIM_HORIZON', ['left', 'right'])];
    expect(readableShards(shards)).toEqual(readable);
  });

  it('LIF-02 through a split and a merge, whoever finds the shards and whenever', () => {
    const listed = [closed('root'), closed('left', 'root'), closed('right', 'root'), open('merged', 'left', 'right')];
    const decided = plan({ listed, known: [known('root', '17')] });
    expect(created(decided)).toEqual({ left: 'TRIM_HORIZON', right: 'TRIM_HORIZON', merged: 'TRIM_HORIZON' });
    expect(decided.readable).toEqual(['root']);
  });

  it.each([
    ['is not listed and was never known: it is trimmed', [known('child', '17', ['parent'])], ['child']],
    ['is known and not listed: it may only be missing', [known('parent', '3'), known('child', '17', ['parent'])], ['parent']],
    ['has lost its row', [known('parent', 'gone'), known('child', 'TRIM_HORIZON', ['parent'])], []],
    ['is damaged', [known('parent', 'abc'), known('child', 'TRIM_HORIZON', ['parent'])], []],
    ['is retired, its row not yet gone', [known('parent', '3', [], { isRetired: true }), known('child', '17', ['parent'])], []],
    ['is retired and its row gone', [known('parent', 'gone', [], { isRetired: true }), known('child', '1', ['parent'])], ['child']],
  ])('the parent %s', (_, shards, readable) => {
    expect(readableShards(shards)).toEqual(readable);
  });
});

describe('later looks', () => {
  it('a stream that did not change changes nothing', () => {
    const listed = [open('a'), closed('b'), open('c', 'b')];
    const shards = [known('a', '17'), known('b', 'ENDED'), known('c', 'TRIM_HORIZON', ['b'])];
    expect(plan({ listed, known: shards })).toEqual({ ...NOTHING, readable: ['a', 'c'] });
  });

  it('a shard found later begins at its oldest record, also with LATEST, and also when its parent ended without naming it', () => {
    const decided = plan({ listed: [closed('parent'), open('late', 'parent')], known: [known('parent', 'ENDED')] });
    expect(decided).toMatchObject({ register: [{ shardId: 'late', parentShardIds: ['parent'] }], readable: ['late'], lost: [] });
    expect(created(decided)).toEqual({ late: 'TRIM_HORIZON' });
  });

  it('a shard whose row was written and whose registration was not is registered', () => {
    const decided = plan({ listed: [open('a')], known: [known('a', 'TRIM_HORIZON', [], { isRegistered: false })] });
    expect(decided).toEqual({ ...NOTHING, register: [{ shardId: 'a', parentShardIds: [] }], readable: ['a'] });
  });
});

describe('shards that are no longer listed', () => {
  const missing = { missingSinceMs: LONG_AGO };

  it('the row of a shard that has ended stays while the stream lists it, however long', () => {
    expect(plan({ listed: [closed('a'), open('b', 'a')], known: [known('a', 'ENDED'), known('b', '17', ['a'])] })).toEqual({
      ...NOTHING,
      readable: ['b'],
    });
  });

  it('is missed first, forgotten after ten minutes, and found again in between', () => {
    const shards = (more: Partial<KnownShard>): KnownShard[] => [known('a', 'ENDED', [], more)];
    expect(plan({ known: shards({}) })).toEqual({ ...NOTHING, missing: ['a'] });
    expect(plan({ known: shards({ missingSinceMs: LONG_AGO + 1 }) })).toEqual(NOTHING);
    expect(plan({ known: shards({ missingSinceMs: LONG_AGO + 1 }), listed: [closed('a')] })).toEqual({ ...NOTHING, foundAgain: ['a'] });
    expect(plan({ known: shards(missing) })).toEqual({ ...NOTHING, retire: ['a'], removeRows: ['a'] });
    expect(plan({ known: shards({ ...missing, isRetired: true }) })).toEqual({ ...NOTHING, removeRows: ['a'] });
    expect(plan({ known: [known('a', 'gone', [], { ...missing, isRetired: true })] })).toEqual({ ...NOTHING, unregister: ['a'] });
  });

  it('the row of an ended parent stays until every child has begun', () => {
    const listed = [open('left', 'a'), open('right', 'a')];
    const begun = [known('a', 'ENDED', [], missing), known('left', '17', ['a'])];
    const idle = [...begun, known('right', 'TRIM_HORIZON', ['a'])];
    expect(plan({ listed, known: idle })).toEqual({ ...NOTHING, readable: ['left', 'right'] });
    const both = [...begun, known('right', '18', ['a'])];
    expect(plan({ listed, known: both })).toMatchObject({ retire: ['a'], removeRows: ['a'], readable: ['left', 'right'] });
  });

  it('a shard that was trimmed before it was read through is retired with a word, and then its children are read', () => {
    const child = known('child', 'TRIM_HORIZON', ['a']);
    const first = plan({ listed: [open('child', 'a')], known: [known('a', '17', [], missing), child] });
    expect(first).toEqual({ ...NOTHING, retire: ['a'], removeRows: ['a'], vanished: ['a'] });
    const then = plan({ listed: [open('child', 'a')], known: [known('a', 'gone', [], { ...missing, isRetired: true }), child] });
    expect(then).toEqual({ ...NOTHING, unregister: ['a'], readable: ['child'] });
  });

  it('a stream that was replaced by one with other shards is read from its oldest records at once', () => {
    const decided = plan({ listed: [open('x'), open('y')], known: [known('a', '17'), known('b', '18')] });
    expect(created(decided)).toEqual({ x: 'TRIM_HORIZON', y: 'TRIM_HORIZON' });
    expect(decided.missing).toEqual(['a', 'b']);
    expect(decided.readable).toEqual(expect.arrayContaining(['x', 'y']));
  });
});

describe('lost checkpoints', () => {
  const listed = [closed('parent'), open('child', 'parent'), open('other')];
  const others = [known('child', 'TRIM_HORIZON', ['parent']), known('other', '17')];

  it('a registered shard without a row begins at its oldest record, with LATEST too', () => {
    const decided = plan({ listed, known: [known('parent', 'gone'), ...others] });
    expect(created(decided)).toEqual({ parent: 'TRIM_HORIZON' });
    expect(decided).toMatchObject({ lost: ['parent'], stopped: [], readable: ['parent', 'other'] });
  });

  it('or waits for a decision, and so do its descendants, with onCheckpointLoss: stop; the others go on', () => {
    const decided = plan({ listed, known: [known('parent', 'gone'), ...others], onCheckpointLoss: 'stop' });
    expect(decided).toEqual({ ...NOTHING, stopped: ['parent'], readable: ['other'] });
  });

  it.each(['17', 'ENDED'])('a parent whose child is at %s was over, and is not read again', (child) => {
    const shards = [known('parent', 'gone'), known('child', child, ['parent']), known('other', '17')];
    for (const onCheckpointLoss of ['TRIM_HORIZON', 'stop'] as const) {
      const decided = plan({ listed, known: shards, onCheckpointLoss });
      expect(created(decided)).toEqual({ parent: 'ENDED' });
      expect(decided).toMatchObject({ lost: [], stopped: [] });
      expect(decided.readable).toContain('other');
    }
  });

  it('neither is a chain of lost ancestors, listed or not', () => {
    const shards = [known('a', 'gone'), known('b', 'gone', ['a']), known('c', '17', ['b'])];
    expect(created(plan({ listed: [closed('b', 'a'), open('c', 'b')], known: shards }))).toEqual({ a: 'ENDED', b: 'ENDED' });
  });

  it.each([
    ['this process remembers reading', { remembersReading: true }],
    ['a row shows a checkpoint', { known: [known('other', '17', [], { isRegistered: false })] }],
  ])('the register is gone, and %s: all shards without a row have lost theirs', (_, evidence) => {
    const wiped = { listed, hasRegister: false, ...evidence };
    expect(plan(wiped).lost).toEqual(expect.arrayContaining(['child', 'parent']));
    expect(Object.values(created(plan(wiped)))).not.toContain('AT_TIMESTAMP');
    const stopped = plan({ ...wiped, onCheckpointLoss: 'stop' });
    expect(stopped.stopped).toEqual(expect.arrayContaining(['child', 'parent']));
    expect(stopped.create).toEqual([]);
    expect(stopped.register.map(({ shardId }) => shardId)).toEqual(['parent', 'child', 'other']);
  });

  it('what stopped stays stopped at the next look, when nobody remembers any more; a new shard is new all the same', () => {
    const shards = [known('parent', 'gone'), known('child', 'gone', ['parent']), known('other', '17')];
    const decided = plan({ listed: [...listed, open('fresh', 'other')], known: shards, onCheckpointLoss: 'stop' });
    expect(decided.stopped).toEqual(expect.arrayContaining(['parent', 'child']));
    expect(created(decided)).toEqual({ fresh: 'TRIM_HORIZON' });
    expect(decided.readable).toEqual(['other']);
  });

  it('a damaged row is left to a person: not read, not replaced, not removed, and its children wait', () => {
    const shards = [known('parent', 'abc', [], { missingSinceMs: 0 }), known('child', 'TRIM_HORIZON', ['parent'])];
    expect(plan({ listed: [open('child', 'parent')], known: shards })).toEqual({ ...NOTHING, damaged: ['parent'] });
  });
});

/** How often a look at so many shards reads a property of one. */
function readsOf(count: number): number {
  let reads = 0;
  const shards = Array.from({ length: count }, (_, i) => {
    const parentShardIds = i === 0 ? [] : [`s-${Math.floor(i / 2)}`, `s-${i - 1}`];
    return { isOpen: i > count / 2, isRegistered: i % 3 > 0, row: undefined, shardId: `s-${i}`, parentShardIds };
  });
  const counting = shards.map((shard) => new Proxy(shard, { get: (target, key) => ((reads += 1), Reflect.get(target, key)) }));
  plan({ listed: counting, known: counting.filter((_, i) => i % 3 > 0) });
  return reads;
}

it('the cost of a look grows in step with the number of shards', () => {
  expect(readsOf(8_000) / readsOf(1_000)).toBeLessThan(8.1);
});
