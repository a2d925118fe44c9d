import { seededRandom } from '@wherry/testkit/seeded-random';
import { describe, expect, it } from 'vitest';
import type { StreamShard } from '../stream-source.ts';
import { type KnownShard, planShards, readableShards, VANISHED_AFTER_MS } from './lineage.ts';
import { planSeek, type SeekPlan, type SeekSnapshot, type SeekTarget } from './seek.ts';
import { readPosition, writePosition } from './stored-position.ts';

const NOW = 1_790_000_000_000;
const LATEST: SeekTarget = { kind: 'LATEST' };
const TRIM_HORIZON: SeekTarget = { kind: 'TRIM_HORIZON' };
const NOON: SeekTarget = { kind: 'AT_TIMESTAMP', timestampMs: NOW - 3_600_000 };
const at = (shardId: string): SeekTarget => ({ kind: 'AT_SEQUENCE_NUMBER', shardId, sequenceNumber: '7' });

const open = (shardId: string, ...parentShardIds: string[]): StreamShard => ({ shardId, parentShardIds, isOpen: true });
const closed = (shardId: string, ...parentShardIds: string[]): StreamShard => ({ shardId, parentShardIds, isOpen: false });

/** `known('left', '17', ['parent'])`: a registered shard with this checkpoint; `ENDED`, `damaged` and `gone` stand for the row. */
function known(shardId: string, row: string, parentShardIds: string[] = [], more: Partial<KnownShard> = {}): KnownShard {
  const position = readPosition(row === 'ENDED' ? '9' : row);
  const intact = position === undefined ? ('damaged' as const) : { position, isEnded: row === 'ENDED' };
  return { shardId, parentShardIds, isRegistered: true, row: row === 'gone' ? undefined : intact, ...more };
}

function plan(target: SeekTarget, snapshot: Partial<SeekSnapshot>): SeekPlan {
  const planned = planSeek({ listed: [], known: [], nowMs: NOW, ...snapshot, target });
  if (planned === undefined) throw new Error('nothing was planned');
  return planned;
}

/** The moves in their order, in short: `parent 9 -> TRIM_HORIZON`. */
function moves(planned: SeekPlan): string[] {
  return planned.moves.map(({ shardId, from, to }) => {
    const origin = typeof from === 'string' ? from : writePosition(from);
    return `${shardId} ${origin} -> ${to.isEnded ? 'ended' : writePosition(to.position)}`;
  });
}

// A root that was split and read to its end; one child was split as well and is read to its end, its children are under way.
const listed = [open('merged', 'left', 'right'), closed('right', 'root'), closed('left', 'root'), closed('root', 'trimmed'), open('alone')];
const registered = [
  known('root', 'ENDED', ['trimmed']),
  known('left', 'ENDED', ['root']),
  known('right', '17', ['root']),
  known('merged', 'TRIM_HORIZON', ['left', 'right']),
  known('alone', '5'),
];
const stream = { listed, known: registered };

describe('back to the oldest record', () => {
  it('every shard that still exists comes back, parents written before their children', () => {
    const planned = plan(TRIM_HORIZON, stream);
    expect(moves(planned)).toEqual([
      'root ended -> TRIM_HORIZON',
      'alone 5 -> TRIM_HORIZON',
      'right 17 -> TRIM_HORIZON',
      'left ended -> TRIM_HORIZON',
    ]);
    expect(planned).toMatchObject({ staying: 1, readable: ['root', 'alone'], waiting: ['right', 'left', 'merged'] });
  });

  it('what the stream holds no longer is left alone if it was read to its end, and goes with the others if not', () => {
    const gone = [known('over', 'ENDED'), known('adopted', '3', ['over']), known('retired', '3', [], { isRetired: true })];
    expect(moves(plan(TRIM_HORIZON, { known: gone }))).toEqual(['adopted 3 -> TRIM_HORIZON']);
  });

  it('rows that are lost or damaged get a position again', () => {
    const rows = [known('a', 'gone'), known('b', 'damaged')];
    expect(moves(plan(TRIM_HORIZON, { listed: [open('a'), open('b')], known: rows }))).toEqual([
      'a none -> TRIM_HORIZON',
      'b damaged -> TRIM_HORIZON',
    ]);
  });
});

describe('to the latest record', () => {
  it('open shards go to the time of the seek, closed ones end, children written before their parents', () => {
    const planned = plan(LATEST, stream);
    expect(moves(planned)).toEqual([`alone 5 -> AT_TIMESTAMP:${NOW}`, `merged TRIM_HORIZON -> AT_TIMESTAMP:${NOW}`, 'right 17 -> ended']);
    expect(planned).toMatchObject({ staying: 2, readable: ['alone', 'merged'], waiting: [] });
    // How far a shard was read stays to be seen.
    expect(planned.moves.at(-1)?.to).toEqual({ position: { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '17' }, isEnded: true });
  });

  it('a shard that discovery has not found yet gets its row here, and does not begin at its oldest record afterwards', () => {
    const planned = plan(LATEST, { listed: [...listed, open('new'), closed('old')], known: registered });
    expect(moves(planned)).toContain(`new none -> AT_TIMESTAMP:${NOW}`);
    expect(moves(planned)).toContain('old none -> ended');
    const after = registered.map((shard) => ({
      ...shard,
      row: planned.moves.find((move) => move.shardId === shard.shardId)?.to ?? shard.row,
    }));
    const found = planned.moves.filter(({ shardId }) => shardId === 'new' || shardId === 'old');
    const looked = planShards({
      listed: [...listed, open('new'), closed('old')],
      known: [...after, ...found.map(({ shardId, to }) => ({ shardId, parentShardIds: [], isRegistered: false, row: to }))],
      hasRegister: true,
      remembersReading: true,
      start: { kind: 'TRIM_HORIZON' },
      onCheckpointLoss: 'TRIM_HORIZON',
      nowMs: NOW,
    });
    expect(looked).toMatchObject({ create: [], lost: [], register: [{ shardId: 'new' }, { shardId: 'old' }] });
    expect(looked.readable.toSorted()).toEqual(['alone', 'merged', 'new']);
  });

  it('a shard that is registered and not listed is never ended: the listing may be behind', () => {
    const rows = [known('parent', 'ENDED'), known('child', 'TRIM_HORIZON', ['parent'], { missingSinceMs: NOW - VANISHED_AFTER_MS })];
    expect(moves(plan(LATEST, { listed: [closed('parent')], known: rows }))).toEqual([`child TRIM_HORIZON -> AT_TIMESTAMP:${NOW}`]);
  });

  it('a mapping that never ran begins at the time of the seek, wherever its configuration says', () => {
    const planned = plan(LATEST, { listed });
    expect(moves(planned).filter((move) => move.endsWith('ended'))).toHaveLength(3);
    expect(planned.readable).toEqual(['alone', 'merged']);
  });
});

it('to a time: every shard goes there, those that had been read to their end too', () => {
  const time = `AT_TIMESTAMP:${NOW - 3_600_000}`;
  expect(moves(plan(NOON, stream))).toEqual([
    `root ended -> ${time}`,
    `alone 5 -> ${time}`,
    `right 17 -> ${time}`,
    `left ended -> ${time}`,
    `merged TRIM_HORIZON -> ${time}`,
  ]);
});

describe('to one record', () => {
  it('its shard alone goes there, even if it was read to its end, and its children wait for it', () => {
    const planned = plan(at('left'), stream);
    expect(moves(planned)).toEqual(['left ended -> AT_SEQUENCE_NUMBER:7']);
    expect(planned).toMatchObject({ staying: 4, readable: ['alone', 'right', 'left'], waiting: ['merged'] });
  });

  it('a shard that nobody knows is none', () => {
    expect(planSeek({ ...stream, target: at('other'), nowMs: NOW })).toBeUndefined();
  });

  it('a shard that is gone from the stream is none either', () => {
    const rows = [known('retired', '3', [], { isRetired: true })];
    expect(planSeek({ listed: [], known: rows, target: at('retired'), nowMs: NOW })).toBeUndefined();
  });
});

it('a seek that is repeated at once moves only what may have gone on meanwhile', () => {
  for (const target of [TRIM_HORIZON, LATEST, NOON, at('left')]) {
    const planned = plan(target, stream);
    const rows = new Map(planned.moves.map(({ shardId, to }) => [shardId, to]));
    const after = registered.map((shard) => ({ ...shard, row: rows.get(shard.shardId) ?? shard.row }));
    const again = plan(target, { listed, known: after });
    const concerned = planned.readable.filter((id) => target.kind !== 'AT_SEQUENCE_NUMBER' || id === target.shardId);
    expect(again.moves.map(({ shardId }) => shardId).toSorted()).toEqual(concerned.toSorted());
  }
});

it.each([
  ['TRIM_HORIZON', TRIM_HORIZON],
  ['LATEST', LATEST],
  ['a time', NOON],
] as const)(
  '%s: however far the writing has come, a shard can be read from where it stood before, or from where it shall be',
  (_name, target) => {
    for (let seed = 0; seed < 300; seed += 1) {
      const { shards, rows } = randomStream(seed);
      const before = new Set(readableShards(rows));
      const planned = plan(target, { listed: shards, known: rows });
      const later = new Set(planned.readable);
      const now = new Map(rows.map((shard) => [shard.shardId, shard]));
      const toMove = new Set(planned.moves.map(({ shardId }) => shardId));
      const stays = new Set(rows.map(({ shardId }) => shardId).filter((id) => !toMove.has(id)));
      for (const { shardId, to } of planned.moves) {
        now.set(shardId, { ...now.get(shardId)!, row: to });
        toMove.delete(shardId);
        const strays = readableShards([...now.values()]).filter((id) => {
          return !((stays.has(id) || toMove.has(id)) && before.has(id)) && !(!toMove.has(id) && later.has(id));
        });
        expect({ seed, shardId, strays }).toEqual({ seed, shardId, strays: [] });
      }
      expect(planned.readable.toSorted()).toEqual(readableShards([...now.values()]).toSorted());
    }
  },
);

/** Generations of splits and merges, read as far as a fleet may have read them. */
function randomStream(seed: number): { shards: StreamShard[]; rows: KnownShard[] } {
  const random = seededRandom(seed);
  let tips = ['s0', 's1', 's2'];
  const shards = new Map(tips.map((id) => [id, open(id)]));
  for (let step = 0; step < 12; step += 1) {
    const parents = tips.filter(() => random() < 0.4).slice(0, 2);
    const children = parents.length === 2 && random() < 0.5 ? [`m${step}`] : parents.flatMap((id) => [`${id}a`, `${id}b`]);
    for (const id of parents) shards.set(id, { ...shards.get(id)!, isOpen: false });
    for (const id of children) shards.set(id, open(id, ...(children.length === 1 ? parents : [id.slice(0, -1)])));
    tips = [...tips.filter((id) => !parents.includes(id)), ...children];
  }
  const ended = new Set<string>();
  const rows = [...shards.values()].map(({ shardId, parentShardIds, isOpen }) => {
    const isReadable = parentShardIds.every((id) => ended.has(id));
    if (isReadable && !isOpen && random() < 0.7) ended.add(shardId);
    return known(shardId, ended.has(shardId) ? 'ENDED' : isReadable && random() < 0.7 ? '17' : 'TRIM_HORIZON', [...parentShardIds]);
  });
  return { shards: [...shards.values()], rows };
}
