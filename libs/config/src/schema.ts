import * as z from 'zod';
import {
  accountId,
  awsOverrideFields,
  DEFAULT_ADMIN_LISTEN,
  duration,
  httpUrl,
  listen,
  prometheusLabels,
  redisKeyPart,
  region,
  size,
} from './schema-fields.ts';
import { functionSchema } from './schema-function.ts';
import { mappingSchema } from './schema-mapping.ts';

const redisFields = {
  url: z.string().min(1).optional().meta({ description: 'redis:// or rediss:// URL.', wherryDefault: 'redis://127.0.0.1:6379' }),
  cluster: z.array(z.string().min(1)).min(1).optional().meta({ description: 'URLs of some nodes of a Redis Cluster, in place of url.' }),
  sentinel: z
    .strictObject({
      name: z.string().min(1).meta({ description: 'Name of the master group.' }),
      nodes: z.array(z.string().min(1)).min(1).meta({ description: 'host:port of the sentinels.' }),
    })
    .optional()
    .meta({ description: 'Redis Sentinel, in place of url.' }),
  password: z.string().optional().meta({ description: 'Password; better taken from ${VAR} or ${file:…}.' }),
  tls: z
    .strictObject({
      ca: z.string().min(1).optional().meta({ description: 'File with the certificate authority.' }),
      serverName: z.string().min(1).optional().meta({ description: 'Name the certificate has to carry.' }),
    })
    .optional()
    .meta({ description: 'TLS settings.' }),
};

const tls = z
  .strictObject({
    cert: z.string().min(1).meta({ description: 'Certificate file (PEM).' }),
    key: z.string().min(1).meta({ description: 'Key file (PEM).' }),
    clientCa: z.string().min(1).optional().meta({ description: 'Certificate authority that clients have to present a certificate of.' }),
  })
  .optional()
  .meta({ description: 'TLS of the listener.' });

const bearer = z
  .strictObject({ tokens: z.array(z.string().min(1)).min(1).meta({ description: 'Accepted tokens.' }) })
  .optional()
  .meta({ description: 'Bearer tokens.' });

const asyncQueue = z
  .strictObject({
    enabled: z.boolean().optional().meta({ description: 'Whether asynchronous events are accepted and processed.' }),
    concurrency: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .meta({ description: 'Asynchronous invocations at a time per poller.', wherryDefault: 50 }),
    maxPayload: size().optional().meta({ description: 'Largest asynchronous event.', wherryDefault: '1MiB' }),
    keepFailed: duration().optional().meta({ description: "How long the fleet's own store keeps failed events.", wherryDefault: '14d' }),
    lockDuration: duration().optional().meta({ description: 'How long a silent poller keeps an event.', wherryDefault: '30s' }),
    queues: z.int().min(1).max(1024).optional().meta({ description: 'Shared queues.', wherryDefault: 16 }),
    strict: z.boolean().optional().meta({ description: 'Refuse to start when Redis could lose accepted events.', wherryDefault: true }),
    durability: z
      .string()
      .regex(/^(?:memory|aof|fsync|replicated\([1-9]\))$/, { error: 'memory, aof, fsync or "replicated(n)"' })
      .optional()
      .meta({ description: 'What a 202 promises: memory, aof, fsync or "replicated(n)".', wherryDefault: 'aof' }),
    retryDelays: z
      .array(duration())
      .max(2)
      .optional()
      .meta({ description: 'Waits before the retries after function errors.', wherryDefault: '[1m, 2m]' }),
    backoff: z
      .strictObject({
        initial: duration().optional().meta({ description: 'First wait.', wherryDefault: '1s' }),
        maximum: duration().optional().meta({ description: 'Longest wait.', wherryDefault: '5m' }),
      })
      .optional()
      .meta({ description: 'Waits while a function is throttled or unavailable.' }),
    encryption: z
      .strictObject({
        active: z.string().min(1).meta({ description: 'Id of the key that new events are encrypted with.' }),
        keys: z.record(z.string(), z.string().min(1)).meta({ description: 'Keys by id: 32 bytes in base64.' }),
      })
      .optional()
      .meta({ description: 'AES-256-GCM of payloads in Redis.' }),
  })
  .optional()
  .meta({ description: 'Queue of asynchronous events.' });

const sigv4Key = z.union(
  [
    z.string().min(1),
    z.strictObject({
      secret: z.string().min(1).meta({ description: 'Secret access key.' }),
      functions: z.array(z.string().min(1)).optional().meta({ description: 'Functions the key may invoke; all when absent.' }),
    }),
  ],
  { error: 'a secret, or { secret, functions }' },
);

const api = z
  .strictObject({
    listen: listen().optional().meta({ description: 'Address of the Lambda-compatible API.', wherryDefault: '127.0.0.1:9400' }),
    mappings: z
      .enum(['read-only', 'read-write', 'off'])
      .optional()
      .meta({ description: 'What the API may do with mappings.', wherryDefault: 'read-only' }),
    requestResponse: z
      .enum(['proxy', 'reject'])
      .optional()
      .meta({ description: 'Synchronous invocations: hand on or refuse.', wherryDefault: 'proxy' }),
    auth: z
      .strictObject({
        none: z.literal(true).optional().meta({ description: 'No authentication, also off loopback.' }),
        sigv4: z
          .strictObject({ keys: z.record(z.string(), sigv4Key).meta({ description: 'Access key ids and their secrets.' }) })
          .optional()
          .meta({ description: 'AWS signatures, so that the AWS CLI and SDKs work.' }),
        bearer,
      })
      .optional()
      .meta({ description: 'Who may call.' }),
    tls,
  })
  .optional()
  .meta({ description: 'Lambda-compatible API; none without this block.' });

/** The whole file in its normal form: mappings plain, `Events` moved to `mappings`, references resolved. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'For editors.' }),
    version: z.literal(1).meta({ description: 'Version of this file format.' }),
    fleet: z
      .strictObject({
        id: redisKeyPart().default('default').meta({ description: 'Pollers with the same id share their work.' }),
        accountId: accountId().default('000000000000').meta({ description: 'Account id in ARNs of functions.' }),
        region: region().optional().meta({ description: 'Region in ARNs of functions.', wherryDefault: 'aws.region, else us-east-1' }),
      })
      .prefault({})
      .meta({ description: 'Who this fleet is.' }),
    include: z
      .array(z.string().min(1))
      .max(100)
      .optional()
      .meta({ description: 'Files or globs, relative to this file, that add functions and mappings.' }),
    reload: z
      .strictObject({
        interval: duration().default('5s').meta({ description: 'How often the files are looked at; 0s is never.' }),
        onSighup: z.boolean().default(true).meta({ description: 'Look at once on SIGHUP.' }),
      })
      .prefault({})
      .meta({ description: 'Hot reload.' }),
    redis: z
      .strictObject({
        ...redisFields,
        keyPrefix: redisKeyPart().default('wherry').meta({ description: 'First part of every Redis key.' }),
        events: z.strictObject(redisFields).optional().meta({ description: 'Another Redis for the payloads of asynchronous events.' }),
      })
      .prefault({})
      .meta({ description: 'The Redis that the fleet coordinates through.' }),
    aws: z
      .strictObject({
        ...awsOverrideFields,
        endpoints: z
          .partialRecord(z.enum(['sqs', 'kinesis', 'dynamodb', 'lambda', 'sts', 'sns', 's3', 'events']), httpUrl())
          .optional()
          .meta({ description: 'Endpoints by service.' }),
      })
      .prefault({})
      .meta({ description: 'Defaults of AWS calls for every source, target and destination.' }),
    resources: z.record(z.string(), z.string()).optional().meta({
      description:
        'What !Ref, !GetAtt and !Sub in pasted snippets stand for. In !Sub, as in CloudFormation, ${Name} is one of these, ${!Literal} becomes ${Literal}, and $$ stays as it is. In all other values ${VAR} is a variable of the environment and $$ a dollar sign.',
    }),
    functions: z.record(z.string(), functionSchema).prefault({}).meta({ description: 'Functions by name.' }),
    mappings: z.record(z.string(), mappingSchema).prefault({}).meta({ description: 'Event source mappings by name.' }),
    asyncQueue,
    limits: z
      .strictObject({
        bufferedBytes: size().optional().meta({
          description: 'Records one poller holds in memory; it stops polling above.',
          wherryDefault: '256MiB, or a quarter of the memory limit',
        }),
        inFlight: z.int().min(1).max(100_000).default(200).meta({ description: 'Invocations at a time per poller.' }),
        shardsPerPoller: z.int().min(1).max(100_000).default(500).meta({ description: 'Leases one poller takes at most.' }),
        filtersPerMapping: z.int().min(1).max(10).default(5).meta({ description: 'Filters per mapping.' }),
      })
      .prefault({})
      .meta({ description: 'Limits of one poller.' }),
    leases: z
      .strictObject({
        ttl: duration().default('10s').meta({ description: 'How long a silent poller keeps its leases.' }),
        renewEvery: duration().default('3s').meta({ description: 'How often leases are renewed; at most a third of ttl.' }),
        rebalanceEvery: duration().default('10s').meta({ description: 'How often pollers even out their shares.' }),
      })
      .prefault({})
      .meta({ description: 'Leases of queues and shards.' }),
    shutdown: z
      .strictObject({ grace: duration().default('110s').meta({ description: 'How long a stop waits for running invocations.' }) })
      .prefault({})
      .meta({ description: 'Stopping.' }),
    network: z
      .strictObject({
        blockPrivate: z.boolean().default(false).meta({ description: 'Refuse loopback and private addresses as targets.' }),
        allow: z.array(z.string().min(1)).default([]).meta({ description: 'Networks (CIDR) that blockPrivate lets through.' }),
      })
      .prefault({})
      .meta({ description: 'Which addresses targets may have.' }),
    api,
    admin: z
      .strictObject({
        listen: listen().default(DEFAULT_ADMIN_LISTEN).meta({ description: 'Address of health, metrics, status and operations.' }),
        console: z.boolean().optional().meta({ description: 'Console in the browser.' }),
        queues: z.boolean().optional().meta({ description: 'Read-only view of the event queues.' }),
        auth: z.strictObject({ bearer }).optional().meta({ description: 'Who may call.' }),
        tls,
      })
      .prefault({})
      .meta({ description: 'Administration.' }),
    logging: z
      .strictObject({
        level: z
          .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
          .default('info')
          .meta({ description: 'Least level that is logged.' }),
        format: z
          .enum(['auto', 'json', 'pretty'])
          .default('auto')
          .meta({ description: 'auto is pretty on a terminal and JSON elsewhere.' }),
        payloads: z
          .enum(['never', 'on-failure', 'always'])
          .optional()
          .meta({ description: 'Whether payloads appear in logs.', wherryDefault: 'never' }),
        redact: z.array(z.string().min(1)).max(100).default([]).meta({ description: 'Further paths of log lines to blank.' }),
      })
      .prefault({})
      .meta({ description: 'Logs.' }),
    audit: z
      .strictObject({
        enabled: z.boolean().default(true).meta({ description: 'Record who changed what in the running fleet: seek, pause, redrive …' }),
        keep: z.int().min(1).max(10_000_000).default(10_000).meta({ description: 'Newest entries that are kept.' }),
      })
      .prefault({})
      .meta({ description: 'Audit trail.' }),
    metrics: z
      .strictObject({
        prefix: z
          .string()
          .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, { error: 'a Prometheus name ([a-zA-Z_][a-zA-Z0-9_]*)' })
          .default('wherry')
          .meta({ description: 'First part of every metric name.' }),
        labels: prometheusLabels().default({}).meta({ description: 'Labels of every metric.' }),
        perShard: z
          .boolean()
          .default(false)
          .meta({ description: 'A gauge for each shard, not only per mapping; thousands of shards make scrapes slow.' }),
        nodejs: z.boolean().default(true).meta({ description: 'Metrics of the process itself.' }),
      })
      .prefault({})
      .meta({ description: 'Prometheus metrics.' }),
    tracing: z
      .strictObject({
        enabled: z.boolean().optional().meta({ description: 'Send traces.' }),
        endpoint: httpUrl().optional().meta({ description: 'OTLP endpoint.' }),
        sampleRatio: z.number().min(0).max(1).optional().meta({ description: 'Share of traces that are kept.' }),
        propagators: z
          .array(z.enum(['xray', 'tracecontext']))
          .optional()
          .meta({ description: 'Trace headers.' }),
      })
      .optional()
      .meta({ description: 'OpenTelemetry traces.' }),
  })
  .meta({ title: 'Wherry configuration', description: 'Functions, the event sources mapped to them, and how the fleet runs.' });

/** The configuration after validation, defaults filled in. */
export type ConfigValues = z.output<typeof configSchema>;
