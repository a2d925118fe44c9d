import * as z from 'zod';
import { awsOverrideFields, prometheusLabels } from './schema-fields.ts';

/*
 * One event source mapping. PascalCase names, limits and defaults are those of Lambda's CreateEventSourceMapping:
 * https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
 * Which field goes with which source, and rules between fields, are in mapping-rules.ts.
 */

/** Destination of a result; SAM adds `Type`. */
export const destination = (description: string) =>
  z
    .strictObject({
      Destination: z
        .string()
        .max(350)
        .optional()
        .meta({ description: "ARN of the destination, or wherry://failed/<name> for the fleet's own store." }),
      Type: z
        .enum(['SQS', 'SNS', 'Lambda', 'EventBridge', 'S3Bucket'])
        .optional()
        .meta({ description: 'Kind of destination, as SAM writes it; has to agree with the ARN.' }),
    })
    .optional()
    .meta({ description });

const streamFields = {
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP']).optional().meta({
    description: 'Where reading starts. Required for streams. AT_TIMESTAMP is for Kinesis only.',
  }),
  StartingPositionTimestamp: z
    .union([z.number().min(0), z.string()], { error: 'a time such as "2026-11-01T00:00:00Z", or seconds since 1970' })
    .optional()
    .meta({ description: 'Time for AT_TIMESTAMP: ISO 8601 with zone, or seconds since 1970; not in the future.' }),
  ParallelizationFactor: z.int().min(1).max(10).optional().meta({ description: 'Batches per shard at a time.', wherryDefault: 1 }),
  BisectBatchOnFunctionError: z
    .boolean()
    .optional()
    .meta({ description: 'Split a batch in two when the function fails.', wherryDefault: false }),
  MaximumRetryAttempts: z.int().min(-1).max(10_000).optional().meta({
    description:
      'Retries of a failing batch; -1 means without end: a record that can never be processed holds its shard up until the stream drops it.',
    wherryDefault: -1,
  }),
  MaximumRecordAgeInSeconds: z
    .int()
    .min(-1)
    .max(604_800)
    .optional()
    .meta({ description: 'Oldest record that is still tried: 60 to 604800, or -1 for no limit.', wherryDefault: -1 }),
  TumblingWindowInSeconds: z
    .int()
    .min(0)
    .max(900)
    .optional()
    .meta({ description: 'Length of a tumbling window; 0 is off.', wherryDefault: 0 }),
  DestinationConfig: z
    .strictObject({
      OnFailure: destination(
        "Where records go that were given up: standard SQS queue, standard SNS topic, S3 bucket, or the fleet's own store.",
      ),
      OnSuccess: destination('Not available for event source mappings.'),
    })
    .optional()
    .meta({ description: 'Destination of what could not be processed.' }),
};

const queueFields = {
  ScalingConfig: z
    .strictObject({
      MaximumConcurrency: z.int().min(1).max(1000).optional().meta({
        description: 'Batches in flight across the whole fleet. Lambda takes 2 to 1000; here 1 is possible too.',
      }),
    })
    .optional()
    .meta({ description: 'Limit of concurrency of an SQS mapping.' }),
  ProvisionedPollerConfig: z
    .strictObject({
      MinimumPollers: z
        .int()
        .min(1)
        .max(200)
        .optional()
        .meta({ description: 'Least number of pollers; 2 to 200 for SQS.', wherryDefault: 2 }),
      MaximumPollers: z
        .int()
        .min(1)
        .max(10_000)
        .optional()
        .meta({ description: 'Largest number of pollers; at least MinimumPollers.', wherryDefault: 200 }),
      PollerGroupName: z.string().max(128).optional().meta({ description: 'Kafka only; refused.' }),
    })
    .optional()
    .meta({ description: "Bounds of the fleet's long-poll loops for this queue." }),
  sqs: z
    .strictObject({
      waitTime: z
        .string()
        .regex(/^(?:[0-9]|1[0-9]|20)s$/, { error: 'whole seconds from 0s to 20s' })
        .optional()
        .meta({ description: 'How long an idle receive waits for a message.', wherryDefault: '20s' }),
      extendVisibility: z
        .boolean()
        .optional()
        .meta({ description: 'Lengthen the visibility of messages whose invocation outlives it.', wherryDefault: true }),
    })
    .optional()
    .meta({ description: 'Settings of our own for an SQS mapping.' }),
};

const commonFields = {
  Enabled: z.boolean().optional().meta({ description: 'Whether the mapping polls.', wherryDefault: true }),
  BatchSize: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .meta({ description: 'Most records per invocation; at most 10 for FIFO queues.', wherryDefault: '10 for SQS, 100 for streams' }),
  MaximumBatchingWindowInSeconds: z.int().min(0).max(300).optional().meta({
    description: 'How long to gather records before invoking. At least 1 on SQS when BatchSize is above 10; not for FIFO queues.',
    wherryDefault: 0,
  }),
  FunctionResponseTypes: z
    .array(z.enum(['ReportBatchItemFailures']))
    .max(1)
    .optional()
    .meta({ description: 'Whether the function reports single failed items.', wherryDefault: '[]' }),
  FilterCriteria: z
    .strictObject({
      Filters: z
        .array(
          z.strictObject({
            Pattern: z
              .union([z.string(), z.record(z.string(), z.unknown())], { error: 'an event pattern: JSON as text, or the same as YAML' })
              .meta({
                description:
                  'Event pattern as JSON text of at most 4096 characters, or written as YAML, such as { body: { kind: [new] } }. `wherry filter test` tries it on an event.',
              }),
          }),
        )
        .max(10)
        .optional()
        .meta({ description: 'A record passes when any filter matches; at most limits.filtersPerMapping (5).' }),
    })
    .optional()
    .meta({
      description: 'Which records reach the function. Messages that no filter matches are deleted from their queue without an invocation.',
    }),
  KMSKeyArn: z.string().optional().meta({ description: "Accepted for Lambda's sake; nothing of a mapping is stored at rest here." }),
  KmsKeyArn: z.string().optional().meta({ description: "SAM's and CloudFormation's spelling of KMSKeyArn." }),
  MetricsConfig: z
    .strictObject({
      Metrics: z
        .array(z.enum(['EventCount', 'ErrorCount', 'KafkaMetrics']))
        .max(3)
        .optional()
        .meta({ description: 'Groups of metrics.' }),
    })
    .optional()
    .meta({ description: "Accepted for Lambda's sake; event counts are always on." }),
  LoggingConfig: z
    .strictObject({ SystemLogLevel: z.enum(['DEBUG', 'INFO', 'WARN']).optional().meta({ description: 'Log level.' }) })
    .optional()
    .meta({ description: 'Log level of this mapping alone.' }),
  Tags: z
    .union([z.record(z.string(), z.string()), z.array(z.strictObject({ Key: z.string(), Value: z.string() }))], {
      error: 'a map of tags, or a list of Key and Value',
    })
    .optional()
    .meta({ description: "Tags, as a map or as CloudFormation's list of Key and Value." }),
};

const ownFields = {
  Type: z
    .enum(['SQS', 'Kinesis', 'DynamoDB'])
    .optional()
    .meta({ description: 'Kind of source, as SAM writes it; has to agree with the ARN.' }),
  aws: z.strictObject(awsOverrideFields).optional().meta({ description: 'Settings of AWS calls for this mapping alone.' }),
  labels: prometheusLabels().optional().meta({ description: "Further Prometheus labels of this mapping's metrics." }),
  renamedFrom: z.string().min(1).optional().meta({ description: "Former name; keeps the mapping's identity and checkpoints." }),
  onCheckpointLoss: z.enum(['TRIM_HORIZON', 'stop']).optional().meta({
    description: 'Streams: what to do when Redis lost the checkpoint of a shard that was read before.',
    wherryDefault: 'TRIM_HORIZON',
  }),
  onDestinationFailure: z
    .enum(['block', 'drop'])
    .optional()
    .meta({ description: 'Streams: wait while the failure destination refuses, or give up as Lambda does.', wherryDefault: 'block' }),
  kinesis: z
    .strictObject({
      consumer: z
        .enum(['polling', 'enhanced-fan-out'])
        .optional()
        .meta({ description: 'How shards are read; a consumer ARN as EventSourceArn means enhanced-fan-out.', wherryDefault: 'polling' }),
      registerConsumer: z.boolean().optional().meta({
        description:
          'Register a stream consumer of its own for this mapping when there is none yet; enhanced fan-out needs that or the ARN of a consumer.',
        wherryDefault: false,
      }),
    })
    .optional()
    .meta({ description: 'Settings of our own for a Kinesis mapping.' }),
};

/** One mapping in its plain form, whatever its source. */
export const mappingSchema = z
  .strictObject({
    EventSourceArn: z
      .string()
      .min(1)
      .meta({ description: 'ARN of the queue, stream or stream consumer. Another ARN makes it another mapping.' }),
    FunctionName: z
      .string()
      .min(1)
      .max(256)
      .meta({ description: 'Function by name, name:alias, partial or full ARN; has to be one of functions:.' }),
    ...commonFields,
    ...queueFields,
    ...streamFields,
    ...ownFields,
  })
  .meta({ description: "An event source mapping, with Lambda's own field names." });

/** Members of Lambda's API for sources that there is no poller for. */
export const FOREIGN_FIELDS: ReadonlyMap<string, string> = new Map([
  ['Topics', 'Kafka'],
  ['Queues', 'Amazon MQ'],
  ['SourceAccessConfigurations', 'Kafka and Amazon MQ'],
  ['SelfManagedEventSource', 'Kafka'],
  ['AmazonManagedKafkaEventSourceConfig', 'Kafka'],
  ['SelfManagedKafkaEventSourceConfig', 'Kafka'],
  ['DocumentDBEventSourceConfig', 'DocumentDB'],
]);

/** Fields that only some sources have. */
export const APPLIES_TO: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.keys(streamFields).map((field): [string, string[]] => [field, ['kinesis', 'dynamodb']]),
  ...Object.keys(queueFields).map((field): [string, string[]] => [field, ['sqs']]),
  ['StartingPositionTimestamp', ['kinesis']],
  ['onCheckpointLoss', ['kinesis', 'dynamodb']],
  ['onDestinationFailure', ['kinesis', 'dynamodb']],
  ['kinesis', ['kinesis']],
]);
