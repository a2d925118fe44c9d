import type { StreamMapping, WherryConfig } from '@wherry/core/mapping';
import type { StartingPosition } from '@wherry/core/stream/starting-set';
import { DELIVERY_TRIES } from '@wherry/core/stream/failure-delivery';
import { sampleConfig, sampleFunction, sampleStreamMapping } from '@wherry/testkit/sample-config';
import type { StreamPromises } from '@wherry/testkit/stream-ledger';
import type { SimulatedStreamPlan, StreamSimulationPlan } from '@wherry/testkit/stream-simulation-plan';

/** Mappings are named after their stream, `stream-0` and so on; the number makes the UUID. */
export function uuidOfStream(name: string): string {
  return `${name.slice(-1)}2222222-2222-5222-8222-222222222222`;
}

export function arnOf({ kind, name }: SimulatedStreamPlan): string {
  const label = 'stream/2026-01-01T00:00:00.000';
  return `arn:aws:${kind}:us-east-1:000000000000:${kind === 'kinesis' ? `stream/${name}` : `table/${name}/${label}`}`;
}

/** What a record carries; filters look at it. */
export function payloadOf(order: number, isWanted: boolean): string {
  return JSON.stringify({ order, kind: isWanted ? 'wanted' : 'unwanted' });
}

/** The filter of streams that have one: Kinesis data are parsed, DynamoDB images hold the same text. */
function patternsOf({ kind, unwantedEvery }: SimulatedStreamPlan): string[] {
  if (unwantedEvery === 0) return [];
  const wanted = '{"data":{"kind":["wanted"]}}';
  return [kind === 'kinesis' ? wanted : '{"dynamodb":{"NewImage":{"data":{"S":[{"suffix":"\\"wanted\\"}"}]}}}}'];
}

/** @param version 0 at the start; the other one differs in factor and batch size */
export function configOfStreams(plan: StreamSimulationPlan, version: number, startMs: number): WherryConfig {
  const { bufferedBytes, inFlight, shardsPerPoller } = plan;
  return sampleConfig({
    hash: `version ${version}`,
    limits: { bufferedBytes, inFlight, shardsPerPoller },
    functions: plan.streams.map(({ name, timeoutSeconds }) => sampleFunction({ name, timeoutSeconds })),
    mappings: plan.streams.map((stream) => mappingOf(stream, version, startMs)),
  });
}

/** The mapping of one stream in one version of the configuration. */
export function mappingOf(plan: SimulatedStreamPlan, version: number, startMs: number): StreamMapping {
  const { kind, name } = plan;
  return sampleStreamMapping({
    source: kind,
    name,
    uuid: uuidOfStream(name),
    eventSourceArn: arnOf(plan),
    functionName: name,
    startingPosition: startOf(plan, startMs),
    batchSize: version === 0 ? plan.batchSize : plan.reloaded.batchSize,
    parallelizationFactor: version === 0 ? plan.parallelizationFactor : plan.reloaded.parallelizationFactor,
    maximumBatchingWindowInSeconds: plan.maximumBatchingWindowInSeconds,
    maximumRetryAttempts: plan.maximumRetryAttempts,
    maximumRecordAgeInSeconds: plan.maximumRecordAgeInSeconds,
    bisectBatchOnFunctionError: plan.bisectBatchOnFunctionError,
    reportBatchItemFailures: plan.reportBatchItemFailures,
    tumblingWindowInSeconds: plan.tumblingWindowInSeconds,
    onDestinationFailure: plan.onDestinationFailure,
    onFailure: { kind: 'failed', name: 'given-up' },
    filterPatterns: patternsOf(plan),
  });
}

function startOf({ startingPosition }: SimulatedStreamPlan, startMs: number): StartingPosition {
  if (startingPosition !== 'AT_TIMESTAMP') return { kind: startingPosition };
  return { kind: 'AT_TIMESTAMP', timestampMs: startMs };
}

/** What the ledger holds this mapping to. */
export function promisesOf(plan: SimulatedStreamPlan, { faults }: StreamSimulationPlan, startMs: number): StreamPromises {
  const isReloaded = faults.some(({ kind }) => kind === 'reload');
  const { parallelizationFactor, batchSize, reloaded } = plan;
  return {
    mappingUuid: uuidOfStream(plan.name),
    startingPosition: startOf(plan, startMs),
    parallelizationFactor: isReloaded ? Math.max(parallelizationFactor, reloaded.parallelizationFactor) : parallelizationFactor,
    batchSize: isReloaded ? Math.max(batchSize, reloaded.batchSize) : batchSize,
    areLanesKnown: !isReloaded || parallelizationFactor === reloaded.parallelizationFactor,
    orderKey: (key) => (plan.kind === 'kinesis' ? key : JSON.stringify({ pk: { S: key } })),
    mayExhaustRetries: plan.maximumRetryAttempts >= 0,
    mayGrowTooOld: plan.maximumRecordAgeInSeconds >= 0,
    deliveryTries: plan.onDestinationFailure === 'drop' ? DELIVERY_TRIES : Number.POSITIVE_INFINITY,
  };
}
