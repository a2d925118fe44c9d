import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { Coordination } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { FailureDestination } from '@wherry/core/failure-destination';
import type { SqsMapping, StreamMapping, WherryConfig } from '@wherry/core/mapping';
import type { QueueSource } from '@wherry/core/queue-source';
import type { MappingSetup } from '@wherry/core/reload-plan';
import type { StreamSource } from '@wherry/core/stream-source';
import type { ByteBudget } from './byte-budget.ts';
import type { FunctionRun } from './function-runs.ts';
import type { MappingWork } from './mapping-run.ts';
import { createMessageFilter, createStreamFilter } from './message-filter.ts';
import { QueueMapping } from './queue-mapping.ts';
import type { Semaphore } from './semaphore.ts';
import { FilterTurns } from './stream/filter-turns.ts';
import { IdleShards } from './stream/idle-shards.ts';
import type { StreamMemory } from './stream/stream-memory.ts';
import { StreamShards } from './stream/stream-shards.ts';

/** What the loops of all mappings of a process share. */
export interface MappingWorksOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  readonly coordination: Coordination;
  readonly config: WherryConfig;
  /** Owner token of this process. */
  readonly owner: string;
  readonly bytes: ByteBudget;
  readonly inFlight: Semaphore;
  readonly memory: StreamMemory;
  readonly createSource: (mapping: SqsMapping) => QueueSource;
  readonly createStreamSource: (mapping: StreamMapping) => StreamSource;
  readonly createDestination: (mapping: StreamMapping) => FailureDestination | undefined;
  readonly observe: Observe;
}

/** Makes the loops of a mapping, of whichever kind its source is. */
export class MappingWorks {
  readonly #options: MappingWorksOptions;
  readonly #idleShards = new IdleShards();
  readonly #filterTurns: FilterTurns;

  constructor(options: MappingWorksOptions) {
    this.#options = options;
    this.#filterTurns = new FilterTurns(options.surroundings.clock);
  }

  create({ mapping, function: definition }: MappingSetup, fn: FunctionRun): MappingWork {
    return mapping.source === 'sqs'
      ? this.#queue({ mapping, function: definition }, fn)
      : this.#stream({ mapping, function: definition }, fn);
  }

  #queue({ mapping, function: definition }: MappingSetup<SqsMapping>, { invoker, gate }: FunctionRun): MappingWork {
    const { surroundings, stop, coordination, config, bytes, inFlight, createSource, observe } = this.#options;
    const queue = new QueueMapping({
      surroundings,
      stop,
      shutdownGraceMs: config.shutdownGraceMs,
      fleetId: config.fleet.id,
      mapping,
      function: definition,
      matches: createMessageFilter(mapping),
      source: createSource(mapping),
      invoker,
      gate,
      bytes,
      inFlight,
      permits: coordination.permits,
      scale: coordination.scale,
      observe,
    });
    return {
      run: async (lease, unit, retired) => {
        if (unit.kind === 'slot') await queue.runSlot(lease, retired);
      },
      close: () => queue.close(),
      status: () => queue.status(),
    };
  }

  #stream({ mapping, function: definition }: MappingSetup<StreamMapping>, { invoker, gate }: FunctionRun): MappingWork {
    const { surroundings, stop, coordination, config, owner, bytes, inFlight, memory, observe } = this.#options;
    const shards = new StreamShards({
      surroundings,
      stop,
      fleetId: config.fleet.id,
      owner,
      mapping,
      function: definition,
      matches: createStreamFilter(mapping),
      source: this.#options.createStreamSource(mapping),
      destination: this.#options.createDestination(mapping),
      invoker,
      gate,
      bytes,
      inFlight,
      permits: coordination.permits,
      leases: coordination.leases,
      streams: coordination.streams,
      memory,
      idleShards: this.#idleShards,
      filterTurns: this.#filterTurns,
      observe,
    });
    return {
      run: async (lease, unit, retired) => {
        if (unit.kind === 'shard') await shards.runShard(lease, unit.shardId, retired);
        else if (unit.kind === 'discovery') await shards.runDiscovery(lease, retired);
      },
      close: () => shards.close(),
      status: () => shards.status(),
    };
  }
}
