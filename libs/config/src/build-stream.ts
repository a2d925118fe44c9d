import type { AwsSettings, OnFailure, StreamMapping } from '@wherry/core/mapping';
import { awsSettings } from './aws-settings.ts';
import { isConsumerArn } from './consumer-rules.ts';
import type { ConfigValues } from './schema.ts';
import { parseTimestamp } from './timestamp.ts';
import { withoutUndefined } from './without-undefined.ts';

type MappingValues = ConfigValues['mappings'][string];

/** What a stream mapping has that a queue's has not. */
export type StreamSettings = Pick<
  StreamMapping,
  | 'startingPosition'
  | 'parallelizationFactor'
  | 'maximumRetryAttempts'
  | 'maximumRecordAgeInSeconds'
  | 'bisectBatchOnFunctionError'
  | 'tumblingWindowInSeconds'
  | 'onFailure'
  | 'onDestinationFailure'
  | 'onCheckpointLoss'
  | 'consumer'
>;

/**
 * Fills in what a valid mapping of a stream leaves out. Numbers and switches have Lambda's defaults.
 *
 * @param region of the stream; a bucket's ARN names none, and Lambda takes buckets in the region of the mapping
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 */
export function streamSettings(mapping: MappingValues, region: string, values: Pick<ConfigValues, 'aws'>): StreamSettings {
  return withoutUndefined<StreamSettings>({
    startingPosition: startingPosition(mapping),
    parallelizationFactor: mapping.ParallelizationFactor ?? 1,
    maximumRetryAttempts: mapping.MaximumRetryAttempts ?? -1,
    maximumRecordAgeInSeconds: mapping.MaximumRecordAgeInSeconds ?? -1,
    bisectBatchOnFunctionError: mapping.BisectBatchOnFunctionError ?? false,
    tumblingWindowInSeconds: mapping.TumblingWindowInSeconds ?? 0,
    onFailure: onFailure(mapping, region, values),
    onDestinationFailure: mapping.onDestinationFailure ?? 'block',
    onCheckpointLoss: mapping.onCheckpointLoss ?? 'TRIM_HORIZON',
    consumer: consumer(mapping),
  });
}

function startingPosition(mapping: MappingValues): StreamMapping['startingPosition'] {
  if (mapping.StartingPosition !== 'AT_TIMESTAMP') return { kind: mapping.StartingPosition ?? 'TRIM_HORIZON' };
  return { kind: 'AT_TIMESTAMP', timestampMs: parseTimestamp(String(mapping.StartingPositionTimestamp)) ?? 0 };
}

/** Form and service were checked by the rules of destinations. */
function onFailure(mapping: MappingValues, region: string, values: Pick<ConfigValues, 'aws'>): OnFailure | undefined {
  const arn = mapping.DestinationConfig?.OnFailure?.Destination ?? '';
  const failed = /^wherry:\/\/failed\/(.+)$/.exec(arn)?.[1];
  if (failed !== undefined) return { kind: 'failed', name: failed };
  const [, service, ownRegion] = /^arn:[^:]+:(sqs|sns|s3):([^:]*):/.exec(arn) ?? [];
  if (service === undefined) return undefined;
  const kind = service as 'sqs' | 'sns' | 's3';
  return { kind, arn, aws: destinationAws(mapping, kind, ownRegion === '' ? region : (ownRegion ?? region), values) };
}

/** The mapping's own credentials write to its destination; its own region and endpoint are those of its source. */
function destinationAws(
  mapping: MappingValues,
  service: 'sqs' | 'sns' | 's3',
  region: string,
  values: Pick<ConfigValues, 'aws'>,
): AwsSettings {
  const { region: _region, endpoint: _endpoint, ...own } = mapping.aws ?? {};
  return awsSettings(values, service, region, own);
}

function consumer(mapping: MappingValues): StreamMapping['consumer'] {
  const isConsumer = isConsumerArn(mapping.EventSourceArn);
  if (!isConsumer && mapping.kinesis?.consumer !== 'enhanced-fan-out') return { kind: 'polling' };
  return { kind: 'enhanced-fan-out', register: !isConsumer && (mapping.kinesis?.registerConsumer ?? false) };
}
