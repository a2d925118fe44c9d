import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { HeldLease, LeaseStore, PermitStore } from '@wherry/core/coordination';
import { deadlineMsOf } from '@wherry/core/deadline';
import type { Observe } from '@wherry/core/engine-event';
import type { FailureDestination } from '@wherry/core/failure-destination';
import type { Invoker } from '@wherry/core/invoke';
import type { LeaseNote } from '@wherry/core/stream/lease-note';
import type { FunctionDefinition, StreamMapping } from '@wherry/core/mapping';
import { ratesOf } from '@wherry/core/stream/poll-pace';
import type { StreamRecord, StreamSource } from '@wherry/core/stream-source';
import type { StreamStore } from '@wherry/core/stream-store';
import type { ByteBudget } from '../byte-budget.ts';
import { FleetPermits } from '../fleet-permits.ts';
import { PermissionDesk } from '../permission.ts';
import { PageEstimate } from '../receive-estimate.ts';
import type { Semaphore } from '../semaphore.ts';
import type { TargetGate } from '../target-gate.ts';
import type { FilterTurns } from './filter-turns.ts';
import type { IdleShards } from './idle-shards.ts';
import type { BlockedLane } from './shard-notice.ts';
import { type ShardRun, runShard } from './shard-run.ts';
import { ShardTroubles } from './shard-troubles.ts';
import type { StreamContext } from './stream-context.ts';
import { StreamDiscovery } from './stream-discovery.ts';
import type { StreamMemory } from './stream-memory.ts';

/**
 * Most bytes of the records' texts of one page: 10 MiB of Kinesis data are a third longer in base64, and each of up to 10,000 records has
 * an envelope of some 500 bytes; a page of DynamoDB is 1 MB in its own terms, which JSON may double.
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
 */
const PAGE_BYTES_MAX = { kinesis: 19_000_000, dynamodb: 2_500_000 } as const;

/** What one stream mapping needs; the poller makes it. */
export interface StreamShardsOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  readonly fleetId: string;
  /** Owner token of this process. */
  readonly owner: string;
  readonly mapping: StreamMapping;
  readonly function: FunctionDefinition;
  readonly source: StreamSource;
  readonly invoker: Invoker;
  /** Shared by all mappings of this function in this process. */
  readonly gate: TargetGate;
  /** Shared by the whole process. */
  readonly bytes: ByteBudget;
  /** `limits.inFlight`: invocations at a time in this process, shared by all mappings. */
  readonly inFlight: Semaphore;
  readonly permits: PermitStore;
  readonly leases: LeaseStore;
  readonly streams: StreamStore;
  /** Which streams this process knows; shared by all mappings. */
  readonly memory: StreamMemory;
  /** `undefined`: what is given up is told and dropped. */
  readonly destination: FailureDestination | undefined;
  /** FilterCriteria; `undefined` means that every record matches. */
  readonly matches: ((record: StreamRecord) => boolean) | undefined;
  /** Shared by all mappings of this process. */
  readonly idleShards: IdleShards;
  /** Shared by all mappings of this process. */
  readonly filterTurns: FilterTurns;
  readonly observe: Observe;
}

/** One shard as this poller sees it. */
export interface ShardStatus {
  readonly shardId: string;
  readonly state: LeaseNote['state'];
  /** How far it is done: the text of its checkpoint as it will be written next. */
  readonly checkpoint: string;
  /** How far the reader is behind the tip of the shard; `null` until something was read. */
  readonly behindMs: number | null;
  /** `ParallelizationFactor`. */
  readonly lanes: number;
  readonly inFlight: number;
  /** Bytes of memory that its records take by the process's account, and how many they are. */
  readonly bufferedBytes: number;
  readonly bufferedEvents: number;
  readonly blocked: readonly BlockedLane[];
}

/** What `wherry status` shows of one stream mapping on one poller. */
export interface StreamShardsStatus {
  readonly inFlight: number;
  readonly bufferedBytes: number;
  readonly concurrencyLimit: number;
  /** What is wrong with the stream, if it cannot be read; the target's troubles are in its gate. */
  readonly problem: string | undefined;
  /** The shards of this poller. */
  readonly shards: readonly ShardStatus[];
}

/** One Kinesis or DynamoDB event source mapping in one process: what its shards share, and the shards as they are leased. */
export class StreamShards {
  readonly #context: StreamContext;
  readonly #discovery: StreamDiscovery;
  readonly #runs = new Set<ShardRun>();

  constructor(options: StreamShardsOptions) {
    const { surroundings, mapping, source, leases, streams, observe, gate } = options;
    const kill = options.stop.kill;
    const permits = new FleetPermits({ surroundings, store: options.permits, mapping, function: options.function, kill });
    this.#discovery = new StreamDiscovery({ surroundings, mapping, source, leases, streams, memory: options.memory, observe });
    this.#context = {
      surroundings,
      observe,
      kill,
      fleetId: options.fleetId,
      owner: options.owner,
      mapping,
      function: options.function,
      source,
      invoker: options.invoker,
      destination: options.destination,
      matches: options.matches,
      bytes: options.bytes.share(new PageEstimate(PAGE_BYTES_MAX[mapping.source])),
      gate,
      desk: new PermissionDesk({ surroundings, gate, inFlight: options.inFlight, permits, deadlineMs: deadlineMsOf(options.function) }),
      leases,
      streams,
      troubles: new ShardTroubles(mapping.name, observe),
      rates: ratesOf(mapping),
      idleShards: options.idleShards,
      filterTurns: options.filterTurns,
      look: (signal) => this.#discovery.look(signal),
    };
  }

  /**
   * One shard's life under one lease; resolves when the lease was yielded or lost, the mapping is retired, the shard has ended, or on kill.
   * Rejects on a programming error, after everything the shard held is dropped; the caller tells of it and starts it again.
   */
  async runShard(lease: HeldLease, shardId: string, retired: AbortSignal): Promise<void> {
    let run: ShardRun | undefined;
    try {
      await runShard(this.#context, lease, shardId, retired, (began) => {
        run = began;
        this.#runs.add(began);
      });
    } finally {
      if (run !== undefined) this.#runs.delete(run);
    }
  }

  /** Looks after the list of shards for as long as the lease lasts. */
  async runDiscovery(lease: HeldLease, retired: AbortSignal): Promise<void> {
    await this.#discovery.run(lease, retired);
  }

  /** Closes the source and the destination. Call after every run has ended. */
  close(): Promise<void> {
    this.#context.bytes.close();
    this.#context.source.close();
    this.#context.destination?.close();
    return Promise.resolve();
  }

  status(): StreamShardsStatus {
    const { desk, bytes, gate, troubles } = this.#context;
    return {
      inFlight: desk.running,
      bufferedBytes: bytes.heldBytes,
      concurrencyLimit: gate.status().concurrencyLimit,
      problem: troubles.problem ?? this.#discovery.problem,
      shards: [...this.#runs].map(statusOf),
    };
  }
}

function statusOf({ shardId, notice, checkpoint, lanes, invocations, memory }: ShardRun): ShardStatus {
  return {
    shardId,
    state: notice.state,
    checkpoint,
    behindMs: notice.behindMs ?? null,
    lanes: lanes.parallelizationFactor,
    inFlight: invocations,
    bufferedBytes: memory.heldBytes,
    bufferedEvents: memory.records,
    blocked: notice.blocked,
  };
}
