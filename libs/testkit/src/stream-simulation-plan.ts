import type { Random } from '@wherry/core/clock';
import { seededRandom } from './seeded-random.ts';

/** A change of a stream's shards at its time; `nth` counts the open ones. */
export interface PlannedReshard {
  readonly kind: 'split' | 'merge' | 'roll';
  readonly atMs: number;
  readonly nth: number;
}

/** One stream of a simulation, the mapping that reads it and the function behind it. */
export interface SimulatedStreamPlan {
  readonly name: string;
  readonly kind: 'kinesis' | 'dynamodb';
  readonly shards: number;
  readonly records: number;
  readonly keys: number;
  /** Records that are there before the fleet starts, of all. */
  readonly oldRecords: number;
  readonly reshards: readonly PlannedReshard[];
  /** Every n-th record makes the function fail each time; 0 for none. Needs a limit of retries, else nothing drains. */
  readonly poisonEvery: number;
  /** Every n-th record, beginning with the first, is one that the mapping's filter does not match; 0 where there is no filter. */
  readonly unwantedEvery: number;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP';
  readonly batchSize: number;
  readonly maximumBatchingWindowInSeconds: number;
  readonly parallelizationFactor: number;
  readonly maximumRetryAttempts: number;
  readonly maximumRecordAgeInSeconds: number;
  readonly bisectBatchOnFunctionError: boolean;
  readonly reportBatchItemFailures: boolean;
  readonly tumblingWindowInSeconds: number;
  readonly onDestinationFailure: 'block' | 'drop';
  /** What a reload changes it to. */
  readonly reloaded: { readonly parallelizationFactor: number; readonly batchSize: number };
  readonly timeoutSeconds: number;
  /** How long an invocation runs, in milliseconds: uniform between the two. */
  readonly latencyMs: readonly [number, number];
  /** Typical time one way to every server. */
  readonly networkMs: number;
  /** Share of invocations that end in each way; the rest succeeds. */
  readonly rates: {
    readonly functionError: number;
    readonly partial: number;
    readonly throttled: number;
    readonly unavailable: number;
    readonly slow: number;
  };
  readonly recordsPerCall: number;
  readonly shardsPerCall: number;
  readonly iteratorLifeMs: number;
  readonly retentionMs: number;
  readonly listingDelayMs: number;
  /** How often somebody else reads each shard, per second. */
  readonly rivalReads: number;
}

/** What can go wrong in a simulation. */
export type StreamFaultKind =
  /** SIGKILL of one poller; another process takes its place after `durationMs`. */
  | 'kill'
  /** SIGSTOP of one poller for `durationMs`. */
  | 'pause'
  /** SIGTERM of one poller; another process takes its place at once. */
  | 'drain'
  /** SIGTERM and soon a second one, which cuts off what runs; another process takes its place at once. */
  | 'terminate'
  /** One poller cannot reach the store. */
  | 'partition'
  /** One poller reaches the store but not the streams. */
  | 'cutOff'
  /** Nobody can reach the store. */
  | 'storeOutage'
  /** The store loses everything. */
  | 'storeWipe'
  /** The store loses what was written in the last `durationMs`. */
  | 'storeRollback'
  /** The function cannot be reached. */
  | 'targetDown'
  /** The function has no capacity. */
  | 'targetThrottled'
  /** The failure destination refuses. */
  | 'destinationDown'
  /** Calls to the streams fail, hang or lose their answers, some of them. */
  | 'badCalls'
  /** Every poller loads a changed configuration, one after the other. */
  | 'reload'
  /** People send the mappings back to the beginning, to LATEST, or one shard to one of its records. */
  | 'seek'
  /** People pause the mappings. */
  | 'hold'
  /** One poller more. */
  | 'join';

/** One fault at its time. */
export interface PlannedStreamFault {
  readonly kind: StreamFaultKind;
  readonly atMs: number;
  readonly durationMs: number;
  /** Which poller, counted among those that live; for others a number to choose by. */
  readonly target: number;
}

/** Everything one seed decides before the clock starts. */
export interface StreamSimulationPlan {
  readonly seed: number;
  readonly pollers: number;
  readonly streams: readonly SimulatedStreamPlan[];
  readonly faults: readonly PlannedStreamFault[];
  /** Records are sent, and faults begin, in this span. */
  readonly busyMs: number;
  /** Virtual time after the last fault has healed within which everything has to be done. */
  readonly drainWithinMs: number;
  readonly wallSkewMs: number;
  /** `limits` of every poller. */
  readonly bufferedBytes: number;
  readonly inFlight: number;
  readonly shardsPerPoller: number;
}

const BUSY_MS = 20_000;
const TTL_MS = 10_000;

const FAULTS: readonly { readonly kind: StreamFaultKind; readonly weight: number }[] = [
  { kind: 'kill', weight: 6 },
  { kind: 'pause', weight: 5 },
  { kind: 'drain', weight: 3 },
  { kind: 'terminate', weight: 1 },
  { kind: 'partition', weight: 4 },
  { kind: 'cutOff', weight: 2 },
  { kind: 'storeOutage', weight: 3 },
  { kind: 'storeWipe', weight: 1 },
  { kind: 'storeRollback', weight: 2 },
  { kind: 'targetDown', weight: 2 },
  { kind: 'targetThrottled', weight: 1 },
  { kind: 'destinationDown', weight: 2 },
  { kind: 'badCalls', weight: 3 },
  { kind: 'reload', weight: 2 },
  { kind: 'seek', weight: 2 },
  { kind: 'hold', weight: 1 },
  { kind: 'join', weight: 2 },
];

/** Draws the whole plan of a seed. The draws of the run itself come from another generator. */
export function planStreamSimulation(seed: number): StreamSimulationPlan {
  const random = seededRandom(seed);
  const streams = Array.from({ length: pick(random, [1, 1, 1, 2]) }, (_, index) => planStream(random, index));
  const faults = Array.from({ length: integer(random, 0, 4) }, () => planFault(random)).sort((one, other) => one.atMs - other.atMs);
  return {
    seed,
    pollers: integer(random, 1, 4),
    streams,
    faults,
    busyMs: BUSY_MS,
    drainWithinMs: Math.max(...streams.map(drainBoundMs)),
    wallSkewMs: integer(random, 0, 500),
    bufferedBytes: pick(random, [64 * 1024 * 1024, 64 * 1024]),
    inFlight: pick(random, [200, 200, 3]),
    shardsPerPoller: 500,
  };
}

function planStream(random: Random, index: number): SimulatedStreamPlan {
  const kind = pick(random, ['kinesis', 'dynamodb'] as const);
  const window = random() < 0.2 ? pick(random, [5, 15]) : 0;
  const isTroubled = random() < 0.5;
  const rate = (most: number): number => (isTroubled && random() < 0.5 ? random() * most : 0);
  const hasPoison = random() < 0.35;
  const parallelizationFactor = window > 0 ? 1 : pick(random, [1, 1, 1, 2, 3, 10]);
  const records = integer(random, 30, 150);
  const isDelayed = random() < 0.3;
  return {
    name: `stream-${index}`,
    kind,
    shards: integer(random, 1, 4),
    records,
    oldRecords: pick(random, [0, Math.floor(records / 3)]),
    keys: integer(random, 1, 20),
    reshards: Array.from({ length: integer(random, 0, 4) }, () => planReshard(random)).sort((one, other) => one.atMs - other.atMs),
    poisonEvery: hasPoison ? integer(random, 10, 40) : 0,
    unwantedEvery: window === 0 && random() < 0.3 ? integer(random, 2, 4) : 0,
    startingPosition: pick(random, ['TRIM_HORIZON', 'TRIM_HORIZON', 'LATEST', kind === 'kinesis' ? 'AT_TIMESTAMP' : 'LATEST'] as const),
    batchSize: pick(random, [1, 3, 10, 100]),
    maximumBatchingWindowInSeconds: pick(random, [0, 0, 1, 3]),
    parallelizationFactor,
    maximumRetryAttempts: hasPoison ? integer(random, 0, 2) : pick(random, [-1, -1, 2]),
    maximumRecordAgeInSeconds: random() < 0.15 ? 10 : -1,
    bisectBatchOnFunctionError: random() < 0.4,
    reportBatchItemFailures: random() < 0.5,
    tumblingWindowInSeconds: window,
    onDestinationFailure: random() < 0.7 ? 'block' : 'drop',
    reloaded: {
      parallelizationFactor: window > 0 ? 1 : pick(random, [parallelizationFactor, 1, 4]),
      batchSize: pick(random, [2, 50]),
    },
    timeoutSeconds: integer(random, 1, 3),
    latencyMs: pick(random, [
      [1, 20],
      [20, 300],
      [300, 900],
    ]),
    networkMs: pick(random, [2, 10, 40]),
    rates: { functionError: rate(0.15), partial: rate(0.2), throttled: rate(0.15), unavailable: rate(0.1), slow: rate(0.05) },
    recordsPerCall: pick(random, [1_000, 7]),
    shardsPerCall: pick(random, [100, 2]),
    iteratorLifeMs: pick(random, [300_000, 3_000]),
    retentionMs: pick(random, [86_400_000, 86_400_000, 86_400_000, 45_000]),
    listingDelayMs: isDelayed ? integer(random, 500, 5_000) : 0,
    rivalReads: pick(random, [0, 0, 2]),
  };
}

function planReshard(random: Random): PlannedReshard {
  return { kind: pick(random, ['split', 'merge', 'roll'] as const), atMs: Math.round(random() * BUSY_MS), nth: integer(random, 0, 5) };
}

function planFault(random: Random): PlannedStreamFault {
  const total = FAULTS.reduce((sum, fault) => sum + fault.weight, 0);
  let drawn = random() * total;
  const kind = FAULTS.find((fault) => (drawn -= fault.weight) < 0)?.kind ?? 'kill';
  const longest = kind === 'pause' ? 3 * TTL_MS : 1.5 * TTL_MS;
  return {
    kind,
    atMs: Math.round(random() * BUSY_MS),
    durationMs: Math.round(TTL_MS * 0.1 + random() * (longest - TTL_MS * 0.1)),
    target: integer(random, 0, 7),
  };
}

/** Pauses after failures add up where keys stand behind each other; a batch that keeps failing waits up to a minute. */
function drainBoundMs(stream: SimulatedStreamPlan): number {
  const isFailing = stream.poisonEvery > 0 || Object.values(stream.rates).some((rate) => rate > 0);
  const generations = 1 + stream.reshards.length;
  return 120_000 + generations * 20_000 + (isFailing ? 300_000 : 0);
}

function integer(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}
