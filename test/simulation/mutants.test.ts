import { expect, it } from 'vitest';
import type { QueueMessage } from '@wherry/core/queue-source';
import { planSimulation } from '@wherry/testkit/simulation-plan';
import { simulate } from './simulate.ts';
import type { Mutant } from './simulated-poller.ts';

/** A fault that somebody could write into the product, planted from outside into one port; and the promise that has to catch it. */
interface PlantedFault {
  readonly name: string;
  readonly mutant: Mutant;
  readonly caughtBy: string;
  /** Seeds within which it has to be caught. */
  readonly within: number;
}

const faults: readonly PlantedFault[] = [
  {
    name: 'messages are deleted before the invocation',
    mutant: {
      source: (source) => ({
        ...bound(source),
        receive: async (request) => {
          const messages = await source.receive(request);
          if (messages.length > 0) await source.delete(messages);
          return messages;
        },
      }),
    },
    caughtBy: 'delete only after a success',
    within: 1,
  },
  {
    name: 'the store renews without looking at owner and epoch',
    mutant: {
      leases: (store) => ({
        ...bound(store),
        renew: async (owner, leases, ttlMs) => (await store.renew(owner, leases, ttlMs)).map(() => 'renewed' as const),
      }),
    },
    caughtBy: 'no invoke without a valid lease',
    within: 100,
  },
  {
    name: 'a poller trusts its lease long after it has expired',
    mutant: { config: (config) => ({ ...config, leases: { ...config.leases, marginMs: -600_000 } }) },
    caughtBy: 'no invoke without a valid lease',
    within: 100,
  },
  {
    name: 'the failed part of a batch is taken for a success',
    mutant: {
      invoker: (invoker) => ({
        ...bound(invoker),
        invoke: async (request) => {
          const result = await invoker.invoke(request);
          return result.kind === 'success' ? { ...result, body: new TextEncoder().encode('null') } : result;
        },
      }),
    },
    caughtBy: 'delete only after a success',
    within: 20,
  },
  {
    name: 'the filters drop messages that match',
    mutant: {
      config: (config) => ({
        ...config,
        mappings: new Map(
          [...config.mappings].map(([name, mapping]) => [
            name,
            mapping.filterPatterns.length === 0 ? mapping : { ...mapping, filterPatterns: ['{"body":{"kind":["wanted"],"fill":["x"]}}'] },
          ]),
        ),
      }),
    },
    caughtBy: 'delete only after a success',
    within: 20,
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
    within: 20,
  },
  {
    name: 'permits are granted without a limit',
    mutant: { permits: (store) => ({ ...bound(store), acquire: () => Promise.resolve(true) }) },
    caughtBy: 'ReservedConcurrentExecutions holds',
    within: 50,
  },
  {
    name: 'the visibility timeout is ignored',
    mutant: {
      source: (source) => ({
        ...bound(source),
        receive: async (request) =>
          (await source.receive(request)).map((message): QueueMessage => ({ ...message, visibleAgainAtMs: Number.POSITIVE_INFINITY })),
      }),
    },
    caughtBy: 'no invoke of a message whose visibility ended',
    within: 100,
  },
  {
    name: 'the order within a receive is turned round',
    mutant: { source: (source) => ({ ...bound(source), receive: async (request) => (await source.receive(request)).toReversed() }) },
    caughtBy: 'first deliveries of a group are in order',
    within: 20,
  },
  {
    name: 'nothing is ever deleted',
    mutant: {
      source: (source) => ({ ...bound(source), delete: (messages) => Promise.resolve(messages.map(() => 'done' as const)) }),
    },
    caughtBy: 'duplicates only after a fault',
    within: 3,
  },
  {
    name: 'a drained poller keeps its leases',
    mutant: { leases: (store) => ({ ...bound(store), release: () => Promise.resolve(true) }) },
    caughtBy: 'a drained poller holds no lease',
    within: 5,
  },
  {
    name: 'a dead poller keeps its leases for ever',
    mutant: {
      leases: (store) => ({
        ...bound(store),
        acquire: async (id, owner, ttlMs) => {
          const [view] = await store.view([id]);
          return view === undefined || view.owner === '' || view.owner === owner
            ? store.acquire(id, owner, ttlMs)
            : { kind: 'held', owner: view.owner };
        },
      }),
    },
    caughtBy: 'everything drains after the last fault',
    within: 100,
  },
];

const METHODS = [
  'receive',
  'delete',
  'changeVisibility',
  'attributes',
  'refresh',
  'close',
  'invoke',
  'acquire',
  'renew',
  'release',
  'want',
  'checkpoint',
  'end',
  'view',
  'remove',
  'inUse',
];

/** The methods of a port as own properties, so that a spread copy can replace one of them. */
function bound<Port extends object>(port: Port): Port {
  return Object.fromEntries(METHODS.filter((name) => name in port).map((name) => [name, Reflect.get(port, name)])) as Port;
}

it.each(faults)('catches: $name', async ({ mutant, caughtBy, within }) => {
  for (let seed = 1; seed <= within; seed += 1) {
    const { violation } = await simulate(planSimulation(seed), mutant);
    if (violation?.startsWith(caughtBy) === true) return;
  }
  expect.fail(`not caught as "${caughtBy}" within ${within} seeds`);
});
