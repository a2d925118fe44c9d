import type { SimulatedStreamPlan, StreamFaultKind, StreamSimulationPlan } from '@wherry/testkit/stream-simulation-plan';

/** A quiet stream: nothing fails, nothing is resharded, every record is wanted. */
export function calmStream(given: Partial<SimulatedStreamPlan> = {}): SimulatedStreamPlan {
  return {
    name: 'stream-0',
    kind: 'kinesis',
    shards: 6,
    records: 300,
    keys: 60,
    oldRecords: 0,
    reshards: [],
    poisonEvery: 0,
    unwantedEvery: 0,
    startingPosition: 'TRIM_HORIZON',
    batchSize: 10,
    maximumBatchingWindowInSeconds: 0,
    parallelizationFactor: 1,
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: -1,
    bisectBatchOnFunctionError: false,
    reportBatchItemFailures: false,
    tumblingWindowInSeconds: 0,
    onDestinationFailure: 'block',
    reloaded: { parallelizationFactor: 1, batchSize: 10 },
    timeoutSeconds: 3,
    latencyMs: [300, 900],
    networkMs: 5,
    rates: { functionError: 0, partial: 0, throttled: 0, unavailable: 0, slow: 0 },
    recordsPerCall: 1_000,
    shardsPerCall: 1_000,
    iteratorLifeMs: 300_000,
    retentionMs: 86_400_000,
    listingDelayMs: 0,
    rivalReads: 0,
    ...given,
  };
}

/** Three pollers under steady load, and something that befalls one of them in the middle of it. */
export function calmPlan(seed: number, stream: SimulatedStreamPlan, fault?: StreamFaultKind): StreamSimulationPlan {
  return {
    seed,
    pollers: 3,
    streams: [stream],
    faults: fault === undefined ? [] : [{ kind: fault, atMs: 15_000 + seed * 370, durationMs: 20_000, target: seed }],
    busyMs: 30_000,
    drainWithinMs: 120_000,
    wallSkewMs: 100,
    bufferedBytes: 256 * 1024 * 1024,
    inFlight: 200,
    shardsPerPoller: 500,
  };
}
