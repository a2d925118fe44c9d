import type { FunctionDefinition, Mapping, RedisSettings, Target, WherryConfig } from '@wherry/core/mapping';
import { awsSettings } from './aws-settings.ts';
import { streamSettings } from './build-stream.ts';
import type { FunctionReference } from './function-name.ts';
import { mappingUuid } from './identity.ts';
import type { ResolvedMapping } from './mapping-rules.ts';
import { parseDuration, parseSize } from './quantity.ts';
import type { ConfigValues } from './schema.ts';
import { withoutUndefined } from './without-undefined.ts';

/** Default of `limits.bufferedBytes`, and the part of a container's memory that it never exceeds. */
const DEFAULT_BUFFERED_BYTES = 256 * 1024 ** 2;
const MEMORY_SHARE = 0.25;
/** How often free leases are looked for. */
const CLAIM_EVERY_MS = 1000;
/** The part of a lease's ttl in which its holder no longer trusts it: 2 s of the default 10 s. */
const MARGIN_SHARE = 0.2;

type MappingValues = ConfigValues['mappings'][string];
type FunctionValues = ConfigValues['functions'][string];

/**
 * Turns validated values into the form the engine works with: units resolved, defaults that depend on the source filled in,
 * AWS settings merged, identities computed.
 *
 * @param given the container's memory limit, where there is one, and the fleet of a poller that runs already
 */
export function buildConfig(
  values: ConfigValues,
  resolved: ReadonlyMap<string, ResolvedMapping>,
  hash: string,
  given: { readonly memoryLimitBytes?: number | undefined; readonly runningFleetId?: string | undefined },
): WherryConfig {
  const region = values.fleet.region ?? values.aws.region ?? 'us-east-1';
  const fleet = { id: values.fleet.id, accountId: values.fleet.accountId, region };
  const functions = new Map<string, FunctionDefinition>();
  for (const [name, fn] of Object.entries(values.functions)) functions.set(name, buildFunction(name, fn, values, fleet));
  const mappings = new Map<string, Mapping>();
  for (const [name, mapping] of Object.entries(values.mappings)) {
    const source = resolved.get(name);
    if (source !== undefined) mappings.set(name, buildMapping(name, mapping, source, values, given.runningFleetId ?? fleet.id));
  }
  const ttlMs = ms(values.leases.ttl);
  const buffered = Math.min(DEFAULT_BUFFERED_BYTES, (given.memoryLimitBytes ?? Number.POSITIVE_INFINITY) * MEMORY_SHARE);
  return {
    fleet,
    redis: buildRedis(values.redis),
    functions,
    mappings,
    leases: {
      ttlMs,
      renewEveryMs: ms(values.leases.renewEvery),
      claimEveryMs: CLAIM_EVERY_MS,
      rebalanceEveryMs: ms(values.leases.rebalanceEvery),
      marginMs: Math.round(ttlMs * MARGIN_SHARE),
    },
    limits: {
      bufferedBytes: values.limits.bufferedBytes === undefined ? Math.floor(buffered) : (parseSize(values.limits.bufferedBytes) ?? 0),
      inFlight: values.limits.inFlight,
      shardsPerPoller: values.limits.shardsPerPoller,
    },
    shutdownGraceMs: ms(values.shutdown.grace),
    reload: { intervalMs: ms(values.reload.interval), onSighup: values.reload.onSighup },
    admin: { listen: values.admin.listen, bearerTokens: values.admin.auth?.bearer?.tokens ?? [] },
    logging: { level: values.logging.level, format: values.logging.format, redact: values.logging.redact },
    metrics: values.metrics,
    network: values.network,
    audit: values.audit,
    hash,
  };
}

/** Durations were checked by the schema. */
function ms(text: string): number {
  return parseDuration(text) ?? 0;
}

function buildRedis(redis: ConfigValues['redis']): RedisSettings {
  const { url, cluster, sentinel, password, keyPrefix, tls } = redis;
  return withoutUndefined<RedisSettings>({
    url: url ?? (cluster === undefined && sentinel === undefined ? 'redis://127.0.0.1:6379' : undefined),
    cluster,
    sentinel,
    password: password === '' ? undefined : password,
    keyPrefix,
    tls: tls && withoutUndefined(tls),
  });
}

function buildFunction(name: string, fn: FunctionValues, values: ConfigValues, fleet: WherryConfig['fleet']): FunctionDefinition {
  const partition = fleet.region.startsWith('cn-') ? 'aws-cn' : fleet.region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return withoutUndefined<FunctionDefinition>({
    name,
    arn: `arn:${partition}:lambda:${fleet.region}:${fleet.accountId}:function:${name}`,
    target: buildTarget(fn.target, values, fleet.region),
    timeoutSeconds: fn.Timeout,
    reservedConcurrentExecutions: fn.ReservedConcurrentExecutions,
  });
}

function buildTarget(target: FunctionValues['target'], values: ConfigValues, region: string): Target {
  const { lambda, rie, http } = target;
  if (lambda !== undefined) {
    const arnRegion = /^arn:[^:]+:lambda:([^:]+):/.exec(lambda.functionName)?.[1];
    return withoutUndefined<Target & { kind: 'lambda' }>({
      kind: 'lambda',
      functionName: lambda.functionName,
      qualifier: lambda.qualifier,
      aws: awsSettings(values, 'lambda', lambda.region ?? arnRegion ?? values.aws.region ?? region, lambda.aws),
    });
  }
  if (rie !== undefined) return { kind: 'rie', urls: rie.urls ?? [rie.url ?? ''], concurrency: rie.concurrency ?? 1 };
  return withoutUndefined<Target & { kind: 'http' }>({
    kind: 'http',
    url: http?.url ?? '',
    headers: http?.headers ?? {},
    bearer: http?.bearer,
    hmac: http?.hmac && { secret: http.hmac.secret, header: http.hmac.header ?? 'X-Wherry-Signature' },
  });
}

function buildMapping(name: string, mapping: MappingValues, source: ResolvedMapping, values: ConfigValues, fleetId: string): Mapping {
  const { name: functionName, qualifier }: FunctionReference = source.function;
  const level = mapping.LoggingConfig?.SystemLogLevel?.toLowerCase() as 'debug' | 'info' | 'warn' | undefined;
  const base = {
    name,
    uuid: mappingUuid(fleetId, mapping.renamedFrom ?? name),
    eventSourceArn: mapping.EventSourceArn,
    functionName,
    qualifier,
    enabled: mapping.Enabled ?? true,
    // Lambda's defaults: 10 for queues, 100 for streams.
    batchSize: mapping.BatchSize ?? (source.kind === 'sqs' ? 10 : 100),
    maximumBatchingWindowInSeconds: mapping.MaximumBatchingWindowInSeconds ?? 0,
    reportBatchItemFailures: (mapping.FunctionResponseTypes ?? []).length > 0,
    filterPatterns: source.filterPatterns,
    labels: mapping.labels ?? {},
    logLevel: level,
    // A queue or stream answers in its own region only, which is that of its ARN; mapping-rules.ts tells who asked for another one.
    aws: { ...awsSettings(values, source.kind, source.region, mapping.aws), region: source.region },
  };
  if (source.kind !== 'sqs') {
    return withoutUndefined<Mapping>({ ...base, source: source.kind, ...streamSettings(mapping, source.region, values) });
  }
  const pollers = mapping.ProvisionedPollerConfig;
  return withoutUndefined<Mapping>({
    ...base,
    source: 'sqs',
    fifo: source.fifo,
    maximumConcurrency: mapping.ScalingConfig?.MaximumConcurrency,
    provisionedPollerConfig: pollers && { minimumPollers: pollers.MinimumPollers ?? 2, maximumPollers: pollers.MaximumPollers ?? 200 },
    waitTimeSeconds: Number.parseInt(mapping.sqs?.waitTime ?? '20s', 10),
    extendVisibility: mapping.sqs?.extendVisibility ?? true,
  });
}
