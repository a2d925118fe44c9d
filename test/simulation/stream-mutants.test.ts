import { expect, it } from 'vitest';
import type { LeaseStore } from '@wherry/core/coordination';
import type { StreamRecord } from '@wherry/core/stream-source';
import { createStreamFilter } from '@wherry/engine/message-filter';
import { planStreamSimulation, type SimulatedStreamPlan, type StreamSimulationPlan } from '@wherry/testkit/stream-simulation-plan';
import { simulateStreams } from './simulate-streams.ts';
import type { StreamMutant } from './stream-poller.ts';
import { mappingOf } from './stream-settings.ts';

/** A fault that somebody could write into the product, planted from outside into ports; and the promise that has to catch it. */
interface PlantedFault {
  readonly name: string;
  readonly mutant: StreamMutant;
  readonly caughtBy: string;
  /** Seeds within which it has to be caught. */
  readonly within: number;
  /** Seeds that can show it; all unless said. */
  readonly where?: (plan: StreamSimulationPlan) => boolean;
  /** What a seed's plan has to be to show it. */
  readonly shaped?: (plan: StreamSimulationPlan) => StreamSimulationPlan;
}

const hasFault =
  (...kinds: readonly string[]) =>
  ({ faults }: StreamSimulationPlan): boolean =>
    faults.some(({ kind }) => kinds.includes(kind));
const hasStream =
  (isIt: (stream: SimulatedStreamPlan) => boolean) =>
  ({ streams }: StreamSimulationPlan): boolean =>
    streams.some(isIt);

const faults: readonly PlantedFault[] = [
  {
    name: 'the checkpoint is written before the invocation',
    mutant: {
      plant: () => {
        const epochs = new Map<string, { readonly owner: string; readonly epoch: number }>();
        let store: LeaseStore | undefined;
        return {
          leases: (leases) => {
            store = leases;
            return {
              ...bound(leases),
              acquire: async (id, owner, ttlMs) => {
                const result = await leases.acquire(id, owner, ttlMs);
                if (result.kind === 'acquired') epochs.set(id, { owner, epoch: result.epoch });
                return result;
              },
            };
          },
          invoker: (invoker) => ({
            ...bound(invoker),
            invoke: async (request) => {
              const last = request.delivery.last;
              const shardId = /"eventID":"(shardId-\d+):/.exec(new TextDecoder().decode(request.payload))?.[1];
              const unit = [...epochs.keys()].find((id) => shardId !== undefined && id.endsWith(shardId));
              const held = epochs.get(unit ?? '');
              if (unit !== undefined && held !== undefined) await store?.checkpoint(unit, held.owner, held.epoch, last, '').catch(() => {});
              return await invoker.invoke(request);
            },
          }),
        };
      },
    },
    caughtBy: 'nothing below a checkpoint is unfinished',
    within: 10,
  },
  {
    name: 'a child is read before its parents have ended',
    mutant: {
      plant: () => ({
        streams: (streams) => ({
          ...bound(streams),
          read: async (mappings) =>
            (await streams.read(mappings)).map((register) => (typeof register === 'object' ? orphaned(register) : register)),
        }),
      }),
    },
    caughtBy: 'a child comes after its parents',
    within: 100,
  },
  {
    name: 'a shard without a checkpoint begins at LATEST',
    mutant: {
      plant: () => ({
        leases: (leases) => ({
          ...bound(leases),
          create: (rows) =>
            leases.create(
              rows.map((row) =>
                row.checkpoint === 'TRIM_HORIZON' && !row.ended ? { ...row, checkpoint: `AT_TIMESTAMP:${FAR_AHEAD_MS}` } : row,
              ),
            ),
        }),
      }),
    },
    caughtBy: 'reading begins where the mapping says',
    within: 10,
  },
  {
    name: 'a failed write of the checkpoint is ignored',
    mutant: {
      plant: () => ({
        leases: (leases) => ({
          ...bound(leases),
          checkpoint: (...args) => leases.checkpoint(...args).catch(() => 'written' as const),
        }),
      }),
    },
    caughtBy: 'no batch before the checkpoint of the last one',
    within: 60,
    where: hasFault('storeOutage', 'partition'),
  },
  {
    name: 'the checkpoint moves although the failure destination refused',
    mutant: {
      plant: () => ({
        destination: (destination) => ({ ...bound(destination), deliver: (...args) => destination.deliver(...args).catch(() => {}) }),
      }),
    },
    caughtBy: 'nothing below a checkpoint is unfinished',
    within: 60,
  },
  {
    name: 'the watermark of the lanes is one record too high',
    mutant: {
      plant: () => ({
        leases: (leases) => ({
          ...bound(leases),
          checkpoint: (id, owner, epoch, checkpoint, window) =>
            leases.checkpoint(id, owner, epoch, /^\d+$/.test(checkpoint) ? oneMore(checkpoint) : checkpoint, window),
        }),
      }),
    },
    caughtBy: 'nothing below a checkpoint is unfinished',
    within: 20,
  },
  {
    name: 'the store takes checkpoints whoever owns the lease',
    mutant: {
      store: (store) => ({
        ...bound(store),
        checkpoint: async (id, owner, epoch, checkpoint, window) => {
          const [view] = await store.view([id]);
          return await store.checkpoint(id, view?.owner ?? owner, view?.epoch ?? epoch, checkpoint, window);
        },
      }),
    },
    caughtBy: 'a checkpoint is written by the owner of the epoch',
    within: 300,
    where: hasFault('pause', 'partition', 'storeOutage'),
  },
  {
    name: 'a poller trusts its lease long after it has expired, and settles',
    mutant: { config: (config) => ({ ...config, leases: { ...config.leases, marginMs: -600_000 } }) },
    caughtBy: 'no invoke without a valid lease',
    within: 100,
    where: hasFault('pause', 'partition', 'storeOutage'),
  },
  {
    name: 'what is given up is delivered under a lost lease',
    mutant: { config: (config) => ({ ...config, leases: { ...config.leases, marginMs: -600_000 } }) },
    caughtBy: 'no failure record without a valid lease',
    within: 20,
    shaped: (plan) => ({
      ...plan,
      streams: plan.streams.map((stream) => ({ ...stream, poisonEvery: 5, maximumRetryAttempts: 0 })),
      faults: [
        { kind: 'destinationDown', atMs: 6_000, durationMs: 20_000, target: 0 },
        { kind: 'storeOutage', atMs: 8_000, durationMs: 15_000, target: 0 },
      ],
    }),
  },
  {
    name: "a window's state is written apart from the checkpoint",
    mutant: {
      plant: () => ({
        leases: (leases) => {
          const lastWindows = new Map<string, string>();
          return {
            ...bound(leases),
            checkpoint: (id, owner, epoch, checkpoint, window) => {
              const last = lastWindows.get(id) ?? '';
              lastWindows.set(id, window);
              return leases.checkpoint(id, owner, epoch, checkpoint, last);
            },
          };
        },
      }),
    },
    caughtBy: 'a window counts each of its records once',
    within: 150,
    where: hasStream(({ tumblingWindowInSeconds }) => tumblingWindowInSeconds > 0),
  },
  {
    name: 'filtered records are passed ahead of unfinished ones',
    mutant: {
      plant: () => {
        /** By shard: the last filtered record that was read. */
        const passed = new Map<string, string>();
        return {
          source: (source, { plan }) => {
            const matches = createStreamFilter(mappingOf(plan, 0, 0)) ?? ((): boolean => true);
            return {
              ...bound(source),
              openReader: (shardId, position) => {
                const reader = source.openReader(shardId, position);
                return {
                  read: async (maxRecords, signal) => {
                    const page = await reader.read(maxRecords, signal);
                    const last = page.records.findLast((record: StreamRecord) => !matches(record));
                    if (last !== undefined) passed.set(shardId, last.sequenceNumber);
                    return page;
                  },
                };
              },
            };
          },
          leases: (leases) => ({
            ...bound(leases),
            checkpoint: (id, owner, epoch, checkpoint, window) => {
              const shardId = /shardId-\d+$/.exec(id)?.[0] ?? '';
              const ahead = passed.get(shardId);
              return leases.checkpoint(id, owner, epoch, ahead !== undefined && isHigher(ahead, checkpoint) ? ahead : checkpoint, window);
            },
          }),
        };
      },
    },
    caughtBy: 'nothing below a checkpoint is unfinished',
    within: 60,
    where: (plan) => plan.streams.length === 1 && hasStream(({ unwantedEvery }) => unwantedEvery > 0)(plan),
  },
  {
    name: 'the filters let everything through',
    mutant: {
      config: (config) => ({
        ...config,
        mappings: new Map([...config.mappings].map(([name, mapping]) => [name, { ...mapping, filterPatterns: [] }])),
      }),
    },
    caughtBy: 'nothing is delivered that the filter does not match',
    within: 30,
  },
  {
    name: 'the failed part of a batch is taken for a success',
    mutant: {
      plant: () => ({
        invoker: (invoker) => ({
          ...bound(invoker),
          invoke: async (request) => {
            const result = await invoker.invoke(request);
            return result.kind === 'functionError' ? { ...result, kind: 'success' } : result;
          },
        }),
      }),
    },
    caughtBy: 'nothing below a checkpoint is unfinished',
    within: 20,
  },
  {
    name: 'a page is turned round',
    mutant: {
      plant: () => ({
        source: (source) => ({
          ...bound(source),
          openReader: (shardId, position) => {
            const reader = source.openReader(shardId, position);
            return {
              read: async (maxRecords, signal) => {
                const page = await reader.read(maxRecords, signal);
                return { ...page, records: page.records.toReversed() };
              },
            };
          },
        }),
      }),
    },
    caughtBy: 'a batch has the order of the shard',
    within: 20,
  },
  {
    name: 'lanes are chosen by the record and not by its key',
    mutant: {
      plant: () => ({
        source: (source) => ({
          ...bound(source),
          openReader: (shardId, position) => {
            const reader = source.openReader(shardId, position);
            return {
              read: async (maxRecords, signal) => {
                const page = await reader.read(maxRecords, signal);
                return { ...page, records: page.records.map((record) => ({ ...record, orderKey: record.sequenceNumber })) };
              },
            };
          },
        }),
      }),
    },
    caughtBy: 'one batch in flight per key',
    within: 60,
    where: hasStream(({ parallelizationFactor }) => parallelizationFactor > 1),
  },
  {
    name: 'checkpoints are never stored',
    mutant: { plant: () => ({ leases: (leases) => ({ ...bound(leases), checkpoint: () => Promise.resolve('written' as const) }) }) },
    caughtBy: 'no batch before the checkpoint of the last one',
    within: 10,
  },
  {
    name: 'a drained poller keeps its leases',
    mutant: { plant: () => ({ leases: (leases) => ({ ...bound(leases), release: () => Promise.resolve(true) }) }) },
    caughtBy: 'a drained poller holds no lease',
    within: 10,
  },
];

function orphaned<Register extends { readonly shards: readonly object[] }>(register: Register): Register {
  return { ...register, shards: register.shards.map((shard) => ({ ...shard, parentShardIds: [] })) };
}

/** A time that nobody reaches. */
const FAR_AHEAD_MS = 1_900_000_000_000;

const METHODS = [
  'acquire',
  'renew',
  'release',
  'want',
  'checkpoint',
  'end',
  'create',
  'reposition',
  'note',
  'view',
  'remove',
  'read',
  'readOf',
  'change',
  'streams',
  'identity',
  'listShards',
  'openReader',
  'invoke',
  'deliver',
  'close',
];

/** The methods of a port as own properties, so that a spread copy can replace one of them. */
function bound<Port extends object>(port: Port): Port {
  const methods = METHODS.flatMap((name) => {
    const method: unknown = Reflect.get(port, name);
    return typeof method === 'function' ? [[name, method.bind(port) as unknown]] : [];
  });
  return Object.fromEntries(methods) as Port;
}

function oneMore(sequenceNumber: string): string {
  return String(BigInt(sequenceNumber) + 1n);
}

function isHigher(one: string, other: string): boolean {
  return one.length === other.length ? one > other : one.length > other.length;
}

it.each(faults)('catches: $name', async ({ mutant, caughtBy, within, where = () => true, shaped = (plan) => plan }) => {
  let tried = 0;
  for (let seed = 1; tried < within && seed <= 5_000; seed += 1) {
    const plan = shaped(planStreamSimulation(seed));
    if (!where(plan)) continue;
    tried += 1;
    const { violation } = await simulateStreams(plan, mutant);
    if (violation?.startsWith(caughtBy) === true) return;
  }
  expect.fail(`not caught as "${caughtBy}" within ${within} seeds`);
});
