import type { Random } from '@wherry/core/clock';
import { seededRandom } from './seeded-random.ts';

/** One queue of a simulation, the mapping that reads it and the function behind it. */
export interface SimulatedQueuePlan {
  readonly name: string;
  readonly fifo: boolean;
  readonly messages: number;
  /** Message groups of a FIFO queue. */
  readonly groups: number;
  /** Length of a message's body. */
  readonly bodyBytes: number;
  /** Every n-th message makes the function fail each time, and ends in the dead-letter queue; 0 for none. */
  readonly poisonEvery: number;
  /** Every n-th message, beginning with the first, is one that the mapping's filter does not match; 0 where there is no filter. */
  readonly unwantedEvery: number;
  readonly visibilityTimeoutSeconds: number;
  readonly maxReceiveCount: number;
  readonly batchSize: number;
  readonly maximumBatchingWindowInSeconds: number;
  readonly reportBatchItemFailures: boolean;
  readonly maximumConcurrency?: number;
  readonly reservedConcurrentExecutions?: number;
  readonly timeoutSeconds: number;
  /** How long an invocation runs, in milliseconds: uniform between the two. */
  readonly latencyMs: readonly [number, number];
  /** Share of invocations that end in each way; the rest succeeds. */
  readonly rates: {
    readonly functionError: number;
    readonly partial: number;
    readonly throttled: number;
    readonly unavailable: number;
    readonly slow: number;
  };
}

/** What can go wrong in a simulation. */
export type FaultKind =
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
  /** One poller reaches the store but not the queues. */
  | 'cutOff'
  /** Nobody can reach the store. */
  | 'storeOutage'
  /** The store loses everything. */
  | 'storeWipe'
  /** Answers of deletes are lost, after or before they took effect. */
  | 'lostDeletes'
  /** Answers of receives are lost, so messages are in flight to nobody. */
  | 'lostReceives'
  /** The function cannot be reached. */
  | 'targetDown'
  /** Every poller loads a changed configuration, one after the other. */
  | 'reload'
  /** One poller more. */
  | 'join';

/** One fault at its time. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly durationMs: number;
  /** Which poller, counted among those that live. */
  readonly target: number;
}

/** Everything one seed decides before the clock starts. */
export interface SimulationPlan {
  readonly seed: number;
  readonly pollers: number;
  readonly queues: readonly SimulatedQueuePlan[];
  /** All queues feed one function, whose `ReservedConcurrentExecutions` they share. */
  readonly isFunctionShared: boolean;
  readonly faults: readonly PlannedFault[];
  /** Messages are sent, and faults begin, in this span. */
  readonly busyMs: number;
  /** Virtual time after the last fault has healed within which every queue has to be empty. */
  readonly drainWithinMs: number;
  readonly wallSkewMs: number;
  readonly latencyMs: number;
  /** `limits` of every poller. */
  readonly bufferedBytes: number;
  readonly inFlight: number;
  readonly shardsPerPoller: number;
}

/** Part of the queues that have a filter. */
const FILTERED_SHARE = 0.3;
/** Filters are drawn from a generator of their own, so that a seed means the same plan whether or not there are filters in it. */
const FILTER_SEED = 0xf117e5;

const BUSY_MS = 15_000;
const TTL_MS = 10_000;
const QUIET_DRAIN_MS = 60_000;

const FAULTS: readonly { readonly kind: FaultKind; readonly weight: number }[] = [
  { kind: 'kill', weight: 5 },
  { kind: 'pause', weight: 5 },
  { kind: 'drain', weight: 3 },
  { kind: 'terminate', weight: 1 },
  { kind: 'partition', weight: 4 },
  { kind: 'cutOff', weight: 2 },
  { kind: 'storeOutage', weight: 2 },
  { kind: 'storeWipe', weight: 1 },
  { kind: 'lostDeletes', weight: 2 },
  { kind: 'lostReceives', weight: 2 },
  { kind: 'targetDown', weight: 2 },
  { kind: 'reload', weight: 2 },
  { kind: 'join', weight: 1 },
];

/** Draws the whole plan of a seed. The draws of the run itself come from another generator, so that a plan can be read without running it. */
export function planSimulation(seed: number): SimulationPlan {
  const random = seededRandom(seed);
  const filterRandom = seededRandom(seed ^ FILTER_SEED);
  const isFunctionShared = random() < 0.3;
  const drawn = Array.from({ length: isFunctionShared ? 2 : pick(random, [1, 1, 2]) }, (_, index) =>
    planQueue(random, filterRandom, index),
  );
  const queues = isFunctionShared ? drawn.map((queue) => shareFunction(queue, drawn[0]!)) : drawn;
  const faults = Array.from({ length: integer(random, 0, 4) }, () => planFault(random)).sort((one, other) => one.atMs - other.atMs);
  return {
    seed,
    pollers: integer(random, 1, 4),
    queues,
    isFunctionShared,
    faults,
    busyMs: BUSY_MS,
    drainWithinMs: Math.max(...queues.map(drainBoundMs)),
    wallSkewMs: integer(random, 0, 60_000),
    latencyMs: pick(random, [2, 10, 40]),
    bufferedBytes: pick(random, [64 * 1024 * 1024, 64 * 1024]),
    inFlight: pick(random, [200, 200, 4]),
    shardsPerPoller: pick(random, [500, 500, 5]),
  };
}

function planQueue(random: Random, filterRandom: Random, index: number): SimulatedQueuePlan {
  const fifo = random() < 0.4;
  const timeoutSeconds = integer(random, 1, 3);
  const window = random() < 0.7 ? 0 : 1;
  const isTroubled = random() < 0.5;
  const rate = (most: number): number => (isTroubled && random() < 0.5 ? random() * most : 0);
  return {
    name: `queue-${index}`,
    fifo,
    messages: integer(random, 10, 60),
    groups: integer(random, 1, 6),
    bodyBytes: pick(random, [1, 100, 2_000]),
    poisonEvery: random() < 0.25 ? integer(random, 5, 15) : 0,
    unwantedEvery: filterRandom() < FILTERED_SHARE ? integer(filterRandom, 2, 4) : 0,
    visibilityTimeoutSeconds: timeoutSeconds * 6 + window,
    maxReceiveCount: integer(random, 4, 8),
    batchSize: pick(random, fifo ? [1, 2, 5, 10] : [1, 2, 5, 10, 25]),
    maximumBatchingWindowInSeconds: fifo ? 0 : window,
    reportBatchItemFailures: random() < 0.5,
    ...(random() < 0.4 ? { maximumConcurrency: integer(random, 1, 4) } : {}),
    ...(random() < 0.3 ? { reservedConcurrentExecutions: integer(random, 1, 4) } : {}),
    timeoutSeconds,
    latencyMs: pick(random, [
      [1, 20],
      [20, 300],
      [300, 900],
    ]),
    rates: { functionError: rate(0.15), partial: rate(0.2), throttled: rate(0.15), unavailable: rate(0.1), slow: rate(0.05) },
  };
}

/** What belongs to the function and not to the queue is the same for all. */
function shareFunction(queue: SimulatedQueuePlan, first: SimulatedQueuePlan): SimulatedQueuePlan {
  const { timeoutSeconds, visibilityTimeoutSeconds, latencyMs, rates } = first;
  return {
    ...queue,
    timeoutSeconds,
    visibilityTimeoutSeconds: Math.max(visibilityTimeoutSeconds, timeoutSeconds * 6 + queue.maximumBatchingWindowInSeconds),
    latencyMs,
    rates,
    reservedConcurrentExecutions: first.reservedConcurrentExecutions ?? 2,
  };
}

function planFault(random: Random): PlannedFault {
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

/**
 * Where functions never fail, messages wait for little more than a takeover and one visibility timeout. Where they do, one
 * waits at worst for every receive that its queue allows, and in a FIFO group for all failures in front of it too.
 */
function drainBoundMs(queue: SimulatedQueuePlan): number {
  const isFailing = queue.poisonEvery > 0 || Object.values(queue.rates).some((rate) => rate > 0);
  if (!isFailing) return QUIET_DRAIN_MS;
  const poison = queue.poisonEvery === 0 ? 0 : Math.ceil(queue.messages / queue.poisonEvery);
  const failures = Math.ceil(queue.messages * Object.values(queue.rates).reduce((sum, rate) => sum + rate, 0));
  const inTurn = queue.fifo ? 1 + poison + failures : 1;
  return QUIET_DRAIN_MS + queue.visibilityTimeoutSeconds * 1000 * (queue.maxReceiveCount + 1) * inTurn;
}

function integer(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}
