import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';
import type { InvocationOutcome, MappingState } from '@wherry/core/engine-event';

/** Every value of the `outcome` label of `invocations_total`. */
export const INVOCATION_OUTCOMES: readonly InvocationOutcome[] = [
  'success',
  'partial',
  'function_error',
  'throttled',
  'timeout',
  'unreachable',
];

/** Every value of the `outcome` label of `polls_total`. */
export const POLL_OUTCOMES = ['events', 'empty', 'throttled', 'error'] as const;

/** Every value of the `state` label of `mapping_state`. */
export const MAPPING_STATES: readonly MappingState[] = ['Creating', 'Enabling', 'Enabled', 'Disabling', 'Disabled', 'Updating', 'Deleting'];

/** Every value of the `state` label of `target_gate`. */
export const GATE_STATES = ['open', 'probing', 'closed', 'throttled'] as const;

/** Labels that Wherry sets itself; a label of the same name from the configuration gives way. */
export const OWN_LABELS = ['mapping', 'function', 'source'] as const;

/** Every value of the `reason` label of `events_dropped_total`. */
export const DROP_REASONS = { RetryAttemptsExhausted: 'retries', RecordAgeExceeded: 'age' } as const;

/** Every value of the `outcome` label of `checkpoints_total`. */
export const CHECKPOINT_OUTCOMES = ['written', 'fenced', 'regression', 'failed'] as const;

/** Every value of the `type` label of `destination_deliveries_total`. */
export const DESTINATION_TYPES = ['sqs', 'sns', 's3', 'failed'] as const;

/** The `outcome` label of `destination_deliveries_total`, by what the engine says. */
export const DELIVERY_OUTCOMES = { delivered: 'delivered', failed: 'error', dropped: 'dropped' } as const;

const INVOKE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];
const POLL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];
const AGE_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];
const REDIS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const EVENT_COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000];
const BATCH_BYTES = [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 2_097_152, 4_194_304, 6_291_456];

/** Labels of one series, by name. */
export type Labels = Readonly<Record<string, string>>;

/** All metrics, by name in code. */
export type MetricFamilies = ReturnType<typeof createFamilies>;

/**
 * Declares every metric of a poller in `registry`. The help text of each names Lambda's own metric where there is one, so that
 * CloudWatch alarms can be ported by reading `/metrics`.
 *
 * @param prefix joined to each name with `_`
 * @param extraLabels label names that mappings add by their own `labels:`
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export function createFamilies(registry: Registry, prefix: string, extraLabels: readonly string[]) {
  const perMapping = [...OWN_LABELS, ...extraLabels];
  const options = (name: string, help: string, labelNames: readonly string[]) => ({
    name: `${prefix}_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
  const counter = (name: string, help: string, ...labels: string[]) => new Counter<string>(options(name, help, [...perMapping, ...labels]));
  const gauge = (name: string, help: string, ...labels: string[]) => new Gauge<string>(options(name, help, [...perMapping, ...labels]));
  const histogram = (name: string, help: string, buckets: number[], ...labels: string[]) =>
    new Histogram<string>({ ...options(name, help, [...perMapping, ...labels]), buckets });
  const own = (name: string, help: string, ...labels: string[]) => new Gauge<string>(options(name, help, labels));
  const ownCounter = (name: string, help: string, ...labels: string[]) => new Counter<string>(options(name, help, labels));

  return {
    eventsPolled: counter('events_polled_total', 'Events read from the source. Lambda: PolledEventCount'),
    eventsFiltered: counter('events_filtered_total', 'Events removed by FilterCriteria. Lambda: FilteredOutEventCount'),
    eventsInvoked: counter('events_invoked_total', 'Events sent to the function; every repeat counts again. Lambda: InvokedEventCount'),
    eventsFailed: counter(
      'events_failed_total',
      'Events whose invocation failed: the whole batch, or those in batchItemFailures; throttles included. Lambda: FailedInvokeEventCount',
    ),
    eventsDeleted: counter(
      'events_deleted_total',
      'Messages deleted from the queue after a success or a filter. Lambda: DeletedEventCount',
    ),
    eventsDropped: counter(
      'events_dropped_total',
      'Events given up that no failure destination has; those lost to the retention of the source are not among them. Lambda: DroppedEventCount',
      'reason',
    ),
    eventsDelivered: counter(
      'events_onfailure_delivered_total',
      'Events given up whose failure destination has confirmed them. Lambda: OnFailureDestinationDeliveredEventCount',
    ),
    eventsCheckpointed: counter('events_checkpointed_total', 'Events of streams that a checkpoint has come to cover. Lambda: none'),
    checkpoints: counter(
      'checkpoints_total',
      'Checkpoints of shards by outcome; fenced = the lease had changed hands, regression = a later one is stored, failed = tried again. Lambda: none',
      'outcome',
    ),
    destinationDeliveries: counter(
      'destination_deliveries_total',
      'Tries to deliver a failure record by outcome; error = tried again, dropped = the last try, after which the events were given up. Lambda: DestinationDeliveryFailures is dropped',
      'type',
      'condition',
      'outcome',
    ),
    bisects: counter('bisects_total', 'Batches of streams that were split in two after a failure. Lambda: none'),
    iteratorAgeSeconds: gauge(
      'iterator_age_seconds',
      'How far this poller is behind in the shards that it reads, the worst of them; a shard that is blocked grows older. Lambda: IteratorAge',
    ),
    shardIteratorAgeSeconds: gauge(
      'shard_iterator_age_seconds',
      'The same of each shard; only with metrics.perShard. Lambda: IteratorAge (nearest)',
      'shard',
    ),
    shards: gauge(
      'shards',
      'Shards by state: leased and blocked of this poller; waiting (nobody has their lease), pending (their parents come first) and finished of the fleet, reported only by the poller that lists the stream. Lambda: none',
      'state',
    ),
    eventsExpired: counter(
      'events_expired_total',
      'Messages dropped from memory without an invocation because their visibility timeout ran out; the queue hands them out again. Lambda: none',
    ),
    settles: counter(
      'settles_total',
      'Messages settled, by action and outcome; gone = the receipt was no longer valid, so the message may be delivered twice. Lambda: none',
      'action',
      'outcome',
    ),
    invocations: counter('invocations_total', 'Invocations by outcome. Lambda: Invocations, Errors, Throttles', 'outcome'),
    retries: counter('retries_total', 'Invocations that repeat a batch kept in memory, as after a throttle. Lambda: none'),
    invokeSeconds: histogram(
      'invoke_duration_seconds',
      'Time one invocation took, by outcome. Lambda: Duration',
      INVOKE_SECONDS,
      'outcome',
    ),
    batchEvents: histogram('batch_events', 'Events in one invocation. Lambda: none', EVENT_COUNTS),
    batchBytes: histogram('batch_bytes', 'Bytes of the event of one invocation. Lambda: none', BATCH_BYTES),
    eventAgeSeconds: histogram(
      'event_age_seconds',
      'Age of the oldest event of a batch when its invocation began; for streams of its last event. Lambda: AsyncEventAge, IteratorAge',
      AGE_SECONDS,
    ),
    polls: counter('polls_total', 'Calls that read the source, by outcome. Lambda: none', 'outcome'),
    pollSeconds: histogram(
      'poll_duration_seconds',
      'Time one call that read the source took, a long poll included. Lambda: none',
      POLL_SECONDS,
    ),
    queueMessages: gauge(
      'queue_messages',
      'Messages in the queue; reported only by the poller that holds slot 0 of the mapping, so that sums are right. SQS: ApproximateNumberOfMessages…',
      'state',
    ),
    inflightInvocations: gauge('inflight_invocations', 'Invocations running in this poller. Lambda: ConcurrentExecutions'),
    desiredPollers: gauge(
      'desired_pollers',
      'Slots the fleet wants for the mapping; reported only by the poller that holds slot 0. Lambda: ProvisionedPollers (nearest)',
    ),
    mappingState: gauge('mapping_state', '1 for the state the mapping is in, else 0. Lambda: State', 'state'),
    mappingPaused: gauge('mapping_paused', '1 while people have paused the mapping (wherry pause). Lambda: none'),
    mappingProblem: gauge(
      'mapping_problem',
      '1 while the mapping has trouble that it retries by itself, such as a missing queue. Lambda: StateTransitionReason (nearest)',
      'code',
    ),
    mappingCrashes: counter(
      'mapping_crashes_total',
      'Programming errors caught at the edge of the mapping, which then restarted. Lambda: none',
    ),
    concurrencyLimit: own(
      'concurrency_limit',
      'Invocations this poller now lets run at a time for the function, learnt from throttles and timeouts. Lambda: ConcurrentExecutions limit (nearest)',
      'function',
    ),
    targetGate: own(
      'target_gate',
      '1 for the state of the target’s circuit breaker, else 0; while open or throttled nobody fetches. Lambda: none',
      'target',
      'state',
    ),
    leasesHeld: own('leases_held', 'Leases held by this poller. Lambda: none'),
    leaseTransitions: ownCounter('lease_transitions_total', 'Changes of lease ownership seen by this poller. Lambda: none', 'event'),
    bufferedBytes: own('buffered_bytes', 'Bytes of events held or reserved in memory by this poller. Lambda: none'),
    bufferedEvents: own('buffered_events', 'Events held in memory by this poller. Lambda: none'),
    backpressure: own('backpressure', '1 while polling waits because limits.bufferedBytes is used up. Lambda: none'),
    reloadSuccessful: own('config_last_reload_successful', '1 if the last attempt to load the configuration succeeded. Lambda: none'),
    reloadAtSeconds: own(
      'config_last_reload_success_timestamp_seconds',
      'When the running configuration was loaded, in seconds since 1970. Lambda: LastModified (nearest)',
    ),
    configInfo: own(
      'config_info',
      'Always 1; hash of the running configuration, equal on pollers that run the same. Lambda: none',
      'hash',
      'fleet',
    ),
    buildInfo: own(
      'build_info',
      'Always 1; version of Wherry and of Node.js, and the name by which log lines and status know this poller. Lambda: none',
      'version',
      'node',
      'poller',
    ),
    redisUp: own('redis_up', '1 while Redis answers. Lambda: none'),
    redisSeconds: new Histogram<string>({
      ...options('redis_command_duration_seconds', 'Time one operation on Redis took, by operation. Lambda: none', ['command']),
      buckets: REDIS_SECONDS,
    }),
    eventLoopDelay: own('event_loop_delay_seconds', 'Delay of the event loop since the last scrape. Lambda: none', 'quantile'),
    graceExceeded: ownCounter(
      'shutdown_grace_exceeded_total',
      'Drains that ended because shutdown.grace ran out; batches in flight may then be delivered twice. Lambda: none',
    ),
  };
}
