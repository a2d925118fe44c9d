import type { AwsSettings, FunctionDefinition, Mapping, SqsMapping, StreamMapping, WherryConfig } from '@wherry/core/mapping';

const ACCOUNT_ID = '000000000000';
const REGION = 'us-east-1';

const AWS: AwsSettings = { region: REGION, endpoint: 'http://127.0.0.1:4566', maxAttempts: 5 };

/** An HTTP function named `orders`, unless told otherwise. */
export function sampleFunction(given: Partial<FunctionDefinition> = {}): FunctionDefinition {
  const name = given.name ?? 'orders';
  return {
    name,
    arn: `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}`,
    target: { kind: 'http', url: `http://127.0.0.1:9000/${name}`, headers: {} },
    timeoutSeconds: 5,
    ...given,
  };
}

/** An enabled mapping of the queue `orders` to the function `orders`, unless told otherwise. */
export function sampleMapping(given: Partial<SqsMapping> = {}): SqsMapping {
  const name = given.name ?? 'orders';
  return {
    source: 'sqs',
    name,
    uuid: '11111111-1111-5111-8111-111111111111',
    eventSourceArn: `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:${name}`,
    functionName: 'orders',
    enabled: true,
    batchSize: 10,
    maximumBatchingWindowInSeconds: 0,
    reportBatchItemFailures: false,
    filterPatterns: [],
    labels: {},
    aws: AWS,
    fifo: false,
    waitTimeSeconds: 20,
    extendVisibility: true,
    ...given,
  };
}

/** An enabled mapping of the Kinesis stream `clicks` to the function `orders`, from its oldest record, unless told otherwise. */
export function sampleStreamMapping(given: Partial<StreamMapping> = {}): StreamMapping {
  const name = given.name ?? 'clicks';
  return {
    source: 'kinesis',
    name,
    uuid: '22222222-2222-5222-8222-222222222222',
    eventSourceArn: `arn:aws:kinesis:${REGION}:${ACCOUNT_ID}:stream/${name}`,
    functionName: 'orders',
    enabled: true,
    batchSize: 100,
    maximumBatchingWindowInSeconds: 0,
    reportBatchItemFailures: false,
    filterPatterns: [],
    labels: {},
    aws: AWS,
    startingPosition: { kind: 'TRIM_HORIZON' },
    parallelizationFactor: 1,
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: -1,
    bisectBatchOnFunctionError: false,
    tumblingWindowInSeconds: 0,
    onDestinationFailure: 'block',
    onCheckpointLoss: 'TRIM_HORIZON',
    consumer: { kind: 'polling' },
    ...given,
  };
}

/** A whole configuration with every default, one function and one mapping; for tests that need one but do not load a file. */
export function sampleConfig(
  given: Partial<Omit<WherryConfig, 'functions' | 'mappings'>> & {
    readonly functions?: readonly FunctionDefinition[];
    readonly mappings?: readonly Mapping[];
  } = {},
): WherryConfig {
  const { functions = [sampleFunction()], mappings = [sampleMapping()], ...rest } = given;
  return {
    fleet: { id: 't1', accountId: ACCOUNT_ID, region: REGION },
    redis: { url: 'redis://127.0.0.1:6379', keyPrefix: 'wherry' },
    leases: { ttlMs: 10_000, renewEveryMs: 3_000, claimEveryMs: 1_000, rebalanceEveryMs: 10_000, marginMs: 2_000 },
    limits: { bufferedBytes: 256 * 1024 * 1024, inFlight: 200, shardsPerPoller: 500 },
    shutdownGraceMs: 110_000,
    reload: { intervalMs: 5_000, onSighup: true },
    admin: { listen: '127.0.0.1:9401', bearerTokens: [] },
    logging: { level: 'info', format: 'auto', redact: [] },
    metrics: { prefix: 'wherry', labels: {}, nodejs: false, perShard: false },
    network: { blockPrivate: false, allow: [] },
    audit: { enabled: true, keep: 10_000 },
    hash: 'a'.repeat(64),
    ...rest,
    functions: new Map(functions.map((fn) => [fn.name, fn])),
    mappings: new Map(mappings.map((mapping) => [mapping.name, mapping])),
  };
}
