/** Random lives of a mapping on a stream that splits and merges all the time: order, completeness, liveness, cleaning up. */
import { seededRandom } from '@wherry/testkit/seeded-random';
import { type LifeOptions, type LineageRules, ShardLife } from '@wherry/testkit/shard-life';
import { describe, expect, it } from 'vitest';
import { planShards, readableShards, VANISHED_AFTER_MS } from './lineage.ts';
import { decideShardEnd } from './shard-end.ts';

const rules: LineageRules = { planShards, readableShards, decideShardEnd };
const SEEDS = Array.from({ length: 15 }, (_, seed) => seed);
const faultless = { rules, shards: 3, listingDelayMs: 120_000, turns: 0.4, crashes: 0, losses: 0 };
const STARTS = [{ kind: 'TRIM_HORIZON' }, { kind: 'LATEST' }, { kind: 'AT_TIMESTAMP', timestampMs: 1_790_000_600_000 }] as const;
const MAPPINGS = [
  { source: 'kinesis', start: STARTS[0] },
  { source: 'kinesis', start: STARTS[1] },
  { source: 'kinesis', start: STARTS[2] },
  { source: 'dynamodb', start: STARTS[0] },
  { source: 'dynamodb', start: STARTS[1] },
] as const;

type Options = Omit<LifeOptions, 'random'> & { readonly onCheckpointLoss?: 'stop' };

/** A stream that existed for a while, then a mapping on it for `steps` steps. */
function live(seed: number, options: Options, steps = 150, retentionMs = Infinity): ShardLife {
  const random = seededRandom(seed);
  const life = new ShardLife({ random, ...options });
  life.onCheckpointLoss = options.onCheckpointLoss ?? 'TRIM_HORIZON';
  for (let i = 0; i < 30; i += 1) {
    life.nowMs += 20_000;
    life.stream.put(random, life.nowMs);
    if (random() < 0.1) life.stream.split(random, life.nowMs);
    if (random() < 0.1) life.stream.merge(random, life.nowMs);
  }
  for (let i = 0; i < steps; i += 1) {
    life.step();
    life.stream.trim(retentionMs, life.nowMs);
  }
  return life;
}

function repeated(life: ShardLife): number[] {
  return [...life.deliveries].filter(([, times]) => times > 1).map(([number]) => number);
}

describe.each(MAPPINGS)('$source from $start.kind', (mapping) => {
  it('without faults every record is delivered once, parents first, whatever listings show', () => {
    for (const seed of SEEDS) {
      const life = live(seed, { ...faultless, ...mapping });
      expect({ seed, isDone: life.settle(), missing: life.undelivered() }).toEqual({ seed, isDone: true, missing: [] });
      expect({ seed, outOfOrder: life.outOfOrder, repeated: repeated(life) }).toEqual({ seed, outOfOrder: [], repeated: [] });
    }
  });

  it('with crashes between any two writes nothing is lost or out of order', () => {
    for (const seed of SEEDS) {
      const life = live(seed, { ...faultless, ...mapping, crashes: 0.2 });
      expect({ seed, isDone: life.settle(), missing: life.undelivered() }).toEqual({ seed, isDone: true, missing: [] });
      expect({ seed, outOfOrder: life.outOfOrder }).toEqual({ seed, outOfOrder: [] });
    }
  });

  it('with lost rows and wiped stores too', () => {
    for (const seed of SEEDS) {
      const life = live(seed, { ...faultless, ...mapping, crashes: 0.1, losses: 0.1 });
      expect({ seed, isDone: life.settle(), missing: life.undelivered() }).toEqual({ seed, isDone: true, missing: [] });
      expect({ seed, outOfOrder: life.outOfOrder }).toEqual({ seed, outOfOrder: [] });
    }
  });

  it('with onCheckpointLoss: stop nothing is read twice on its own account, and all is read once somebody decides', () => {
    for (const seed of SEEDS) {
      const life = live(seed, { ...faultless, ...mapping, losses: 0.02, onCheckpointLoss: 'stop' });
      expect({ seed, repeated: repeated(life), outOfOrder: life.outOfOrder }).toEqual({ seed, repeated: [], outOfOrder: [] });
      life.onCheckpointLoss = 'TRIM_HORIZON';
      expect({ seed, isDone: life.settle(), missing: life.undelivered() }).toEqual({ seed, isDone: true, missing: [] });
      expect({ seed, outOfOrder: life.outOfOrder }).toEqual({ seed, outOfOrder: [] });
    }
  });
});

describe('retention', () => {
  const kinesis = { ...faultless, ...MAPPINGS[0] };

  it('shards that were read in time leave nothing behind and are not read again', () => {
    for (const seed of SEEDS.slice(0, 10)) {
      const life = live(seed, { ...kinesis, turns: 1 }, 400, 1_800_000);
      life.stream.putEverywhere(life.nowMs);
      expect(life.settle()).toBe(true);
      life.stream.trim(0, life.nowMs);
      for (let look = 0; look < 4; look += 1) {
        life.discover(0, false);
        life.nowMs += VANISHED_AFTER_MS;
      }
      const stillListed = life.stream.list(life.nowMs).map(({ shardId }) => shardId);
      expect([...life.rows.keys()].toSorted()).toEqual(stillListed.toSorted());
      expect([...(life.register?.keys() ?? [])].toSorted()).toEqual(stillListed.toSorted());
      expect({ seed, repeated: repeated(life), outOfOrder: life.outOfOrder }).toEqual({ seed, repeated: [], outOfOrder: [] });
      expect([...life.vanished]).toEqual([]);
    }
  });

  it('after an outage longer than the retention, what is left is read, and what is not is named', () => {
    for (const seed of SEEDS.slice(0, 10)) {
      const life = live(seed, kinesis, 100);
      const random = seededRandom(seed);
      for (let i = 0; i < 20; i += 1) {
        life.nowMs += 60_000;
        life.stream.putEverywhere(life.nowMs);
        life.stream.split(random, life.nowMs);
        life.stream.trim(300_000, life.nowMs);
      }
      const unread = [...life.rows].filter(([id, row]) => !row.isEnded && (life.stream.shards.get(id)?.trimmedAtMs ?? 0) < Infinity);
      life.discover(0, false);
      life.nowMs += VANISHED_AFTER_MS;
      expect(life.settle()).toBe(true);
      expect(life.undelivered()).toEqual([]);
      expect([...life.vanished].toSorted()).toEqual(unread.map(([id]) => id).toSorted());
      expect(life.outOfOrder).toEqual([]);
    }
  });
});

it('a stream of a thousand shards lives as a small one does', () => {
  for (const [seed, faults] of [{}, { crashes: 0.05, losses: 0.02 }].entries()) {
    const life = live(seed, { ...faultless, ...MAPPINGS[0], ...faults, shards: 900 });
    expect(life.stream.shards.size).toBeGreaterThan(950);
    life.stream.putEverywhere(life.nowMs);
    expect({ seed, isDone: life.settle(), missing: life.undelivered() }).toEqual({ seed, isDone: true, missing: [] });
    expect({ seed, outOfOrder: life.outOfOrder }).toEqual({ seed, outOfOrder: [] });
    if (seed === 0) expect(repeated(life)).toEqual([]);
  }
});

describe('these lives tell a rule that is wrong', () => {
  const mutants: Record<string, Partial<LineageRules>> = {
    'children are read early': {
      readableShards: (known) => readableShards(known.map((shard) => ({ ...shard, parentShardIds: [] }))),
    },
    'a merged shard waits for one parent': {
      readableShards: (known) => readableShards(known.map((shard) => ({ ...shard, parentShardIds: shard.parentShardIds.slice(0, 1) }))),
    },
    'a lost checkpoint begins at LATEST': {
      planShards: (snapshot) => {
        const plan = planShards(snapshot);
        const latest = { kind: 'AT_TIMESTAMP', timestampMs: snapshot.nowMs } as const;
        return {
          ...plan,
          create: plan.create.map(({ shardId, row }) => ({
            shardId,
            row: plan.lost.includes(shardId) ? { ...row, position: latest } : row,
          })),
        };
      },
    },
    'a wiped store is taken for a new mapping': { planShards: (snapshot) => planShards({ ...snapshot, remembersReading: false }) },
    'a shard that a listing does not show is forgotten at once': {
      planShards: (snapshot) => planShards({ ...snapshot, known: snapshot.known.map((shard) => ({ missingSinceMs: 0, ...shard })) }),
    },
    'rows of shards that have ended are removed while the stream lists them': {
      planShards: (snapshot) => {
        const plan = planShards(snapshot);
        const ended = snapshot.known
          .filter(({ row }) => row !== undefined && row !== 'damaged' && row.isEnded)
          .map(({ shardId }) => shardId);
        return { ...plan, removeRows: [...plan.removeRows, ...ended], unregister: [...plan.unregister, ...ended] };
      },
    },
    'children of a merge are adopted without their other parent': {
      decideShardEnd: (end) => {
        const adopt = (end.childShards ?? []).filter(({ shardId }) => !end.registered.has(shardId));
        return { kind: 'end', adopt, children: adopt.map(({ shardId }) => shardId) };
      },
    },
    'shards found later begin where the mapping does': {
      planShards: (snapshot) => {
        const plan = planShards(snapshot);
        const isFirst = !snapshot.hasRegister && !snapshot.remembersReading;
        return isFirst
          ? plan
          : { ...plan, create: planShards({ ...snapshot, known: [], hasRegister: false, remembersReading: false }).create };
      },
    },
  };

  it.each(Object.entries(mutants))('%s', (_, mutant) => {
    const isCaught = MAPPINGS.slice(0, 2).some((mapping) =>
      SEEDS.some((seed) =>
        [0, 0.1].some((losses) => {
          const life = live(seed, { ...faultless, ...mapping, losses, rules: { ...rules, ...mutant } });
          const isDone = life.settle();
          return !isDone || life.outOfOrder.length > 0 || (losses === 0 && repeated(life).length > 0);
        }),
      ),
    );
    expect(isCaught).toBe(true);
  });
});
