import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import type { EngineEvent, Observe } from '@wherry/core/engine-event';
import type { WherryConfig } from '@wherry/core/mapping';
import {
  CHECKPOINT_OUTCOMES,
  createFamilies,
  DELIVERY_OUTCOMES,
  DESTINATION_TYPES,
  DROP_REASONS,
  GATE_STATES,
  INVOCATION_OUTCOMES,
  MAPPING_STATES,
  OWN_LABELS,
  POLL_OUTCOMES,
} from './metric-families.ts';
import type { Labels, MetricFamilies } from './metric-families.ts';

/** What cannot be counted from events: levels, read from the fleet at each scrape. */
export interface Levels {
  readonly leasesHeld: number;
  readonly bufferedBytes: number;
  readonly bufferedEvents: number;
  /** Polling waits because the byte budget is used up. */
  readonly backpressure: boolean;
  readonly mappings: readonly {
    readonly mapping: string;
    readonly inFlight: number;
    /** Only from the poller that holds slot 0 of the mapping; else sums over pollers double. */
    readonly queue?: { readonly visible: number; readonly inFlight: number; readonly delayed: number };
    /** Slots the fleet wants; likewise only from the holder of slot 0. */
    readonly desiredPollers?: number;
    /** Streams: how their shards stand. */
    readonly stream?: StreamLevels;
  }[];
  readonly functions: readonly { readonly function: string; readonly concurrencyLimit: number }[];
  /** Event loop delay since the last reading, seconds per quantile such as `0.99`. */
  readonly eventLoopDelay: Readonly<Record<string, number>>;
}

/** How the shards of one mapping stand. */
export interface StreamLevels {
  /** Shards that this poller reads, and whether each of them keeps failing. */
  readonly shards: readonly { readonly shard: string; readonly isBlocked: boolean; readonly ageMs: number }[];
  /** All others, only from the poller that lists the stream; else sums over pollers double. */
  readonly fleet?: { readonly waiting: number; readonly pending: number; readonly finished: number };
}

/** Before there is a fleet to read them from. */
export const NO_LEVELS: Levels = {
  leasesHeld: 0,
  bufferedBytes: 0,
  bufferedEvents: 0,
  backpressure: false,
  mappings: [],
  functions: [],
  eventLoopDelay: {},
};

/** What `Metrics` is made from. */
export interface MetricsOptions {
  readonly config: WherryConfig;
  /** The poller's name, as its log lines have it. */
  readonly poller: string;
  readonly version: string;
  readonly nodeVersion: string;
  /** Read once per scrape. */
  readonly levels: () => Levels;
}

/** Same name rule as Prometheus: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const OF_ONE_METRIC = ['outcome', 'state', 'action', 'code', 'reason', 'type', 'condition', 'shard', 'le'];

/** Label names that a mapping's `labels:` cannot take because a metric of ours uses them. */
const TAKEN_LABELS: ReadonlySet<string> = new Set([...OWN_LABELS, ...OF_ONE_METRIC]);

/**
 * Turns engine events into Prometheus metrics. The counters follow Lambda's definitions: a batch that is throttled twice and then
 * succeeds counts as polled once, invoked three times and failed twice.
 *
 * Label names are fixed when the process starts, because a Prometheus series must not change its labels while it counts; `configure`
 * answers with the names it cannot take before a restart.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #families: MetricFamilies;
  readonly #extraLabels: readonly string[];
  readonly #levels: () => Levels;
  readonly #perShard: boolean;
  #labels = new Map<string, Labels>();
  #problems = new Map<string, Set<string>>();
  /** Functions whose gate has been told of. */
  #targets = new Set<string>();

  constructor(options: MetricsOptions) {
    const { prefix, labels, nodejs, perShard } = options.config.metrics;
    this.#perShard = perShard;
    this.#levels = options.levels;
    this.#extraLabels = mappingLabelNames(options.config);
    this.#registry.setDefaultLabels({ ...labels });
    this.#families = createFamilies(this.#registry, prefix, this.#extraLabels);
    if (nodejs) collectDefaultMetrics({ register: this.#registry, prefix: `${prefix}_` });
    this.#families.buildInfo.set({ version: options.version, node: options.nodeVersion, poller: options.poller }, 1);
    this.configure(options.config);
  }

  /**
   * Takes the mappings of a new configuration: series of removed or relabelled mappings disappear, counters of new ones start at 0.
   *
   * @returns label names of mappings that need a restart to appear
   */
  configure(config: WherryConfig): string[] {
    const next = new Map<string, Labels>();
    for (const mapping of config.mappings.values()) next.set(mapping.name, this.#labelsOf(mapping));
    for (const [name, labels] of this.#labels) if (!isSame(labels, next.get(name))) this.#forget(name, labels);
    for (const target of this.#targets) if (!config.functions.has(target)) this.#forgetTarget(target);
    const fresh = [...next].filter(([name]) => !this.#labels.has(name));
    this.#labels = next;
    for (const [, labels] of fresh) this.#startAtZero(labels);
    this.#families.configInfo.reset();
    this.#families.configInfo.set({ hash: config.hash, fleet: config.fleet.id }, 1);
    return mappingLabelNames(config).filter((name) => !this.#extraLabels.includes(name));
  }

  /** Whether the last load of the configuration succeeded, and when the one that runs was loaded. */
  reloaded(isSuccess: boolean, atMs: number): void {
    this.#families.reloadSuccessful.set(isSuccess ? 1 : 0);
    if (isSuccess) this.#families.reloadAtSeconds.set(atMs / 1000);
  }

  /** One operation on Redis, such as `leases.renew`. */
  redisCommand(command: string, seconds: number): void {
    this.#families.redisSeconds.observe({ command }, seconds);
  }

  /** The drain ended because its time ran out. */
  graceExceeded(): void {
    this.#families.graceExceeded.inc();
  }

  readonly observe: Observe = (event) => {
    const labels = 'mapping' in event ? this.#labels.get(event.mapping) : {};
    // The last batches of a mapping that has just been removed: its series are gone, and new ones would stay for ever.
    if (labels === undefined) return;
    const families = this.#families;
    switch (event.type) {
      case 'polled':
        families.polls.inc({ ...labels, outcome: event.outcome });
        families.pollSeconds.observe(labels, event.durationMs / 1000);
        families.eventsPolled.inc(labels, event.events);
        return;
      case 'filtered':
        families.eventsFiltered.inc(labels, event.events);
        return;
      case 'invoked':
        this.#invoked(labels, event);
        return;
      case 'settled':
        if (event.action === 'deleted') families.eventsDeleted.inc(labels, event.done);
        for (const outcome of ['done', 'gone', 'failed'] as const) {
          if (event[outcome] > 0) families.settles.inc({ ...labels, action: event.action, outcome }, event[outcome]);
        }
        return;
      case 'expired':
        families.eventsExpired.inc(labels, event.events);
        return;
      case 'lease':
        families.leaseTransitions.inc({ event: event.event });
        return;
      case 'mappingState':
        for (const state of MAPPING_STATES) families.mappingState.set({ ...labels, state }, state === event.state ? 1 : 0);
        return;
      case 'problem':
        this.#problem(labels, event);
        return;
      case 'gate':
        this.#targets.add(event.target);
        for (const state of GATE_STATES) families.targetGate.set({ target: event.target, state }, state === event.state ? 1 : 0);
        return;
      case 'storeUp':
        families.redisUp.set(event.up ? 1 : 0);
        return;
      case 'crashed':
        families.mappingCrashes.inc(labels);
        return;
      case 'checkpointed':
      case 'destination':
        this.#stream(labels, event);
        return;
      case 'paused':
      case 'resumed':
        families.mappingPaused.set(labels, event.type === 'paused' ? 1 : 0);
        return;
      case 'iteratorAge':
      case 'blocked':
      case 'shards':
        return; // Levels, read from the status.
      case 'discarded':
        return; // What becomes of the events is told by what their destination says.
      case 'scaled':
        return; // The wish is a fleet-wide level: only the holder of slot 0 reports it, from its status.
    }
  };

  /** The text of `/metrics`, in the format of `contentType`. */
  async render(): Promise<string> {
    this.#readLevels();
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #invoked(labels: Labels, event: Extract<EngineEvent, { type: 'invoked' }>): void {
    const families = this.#families;
    families.invocations.inc({ ...labels, outcome: event.outcome });
    families.eventsInvoked.inc(labels, event.events);
    families.eventsFailed.inc(labels, event.failed);
    if (event.attempt > 1) families.retries.inc(labels);
    families.invokeSeconds.observe({ ...labels, outcome: event.outcome }, event.durationMs / 1000);
    families.batchEvents.observe(labels, event.events);
    families.batchBytes.observe(labels, event.bytes);
    if (event.isBisected === true) families.bisects.inc(labels);
    families.eventAgeSeconds.observe(labels, Math.max(0, event.lastAgeMs ?? event.ageMs) / 1000); // The producer’s clock may run ahead of ours.
  }

  #stream(labels: Labels, event: Extract<EngineEvent, { type: 'checkpointed' | 'destination' }>): void {
    const families = this.#families;
    if (event.type === 'checkpointed') {
      families.checkpoints.inc({ ...labels, outcome: event.result });
      families.eventsCheckpointed.inc(labels, event.events ?? 0);
      return;
    }
    const { destination: type, condition, outcome, events } = event;
    if (outcome === 'delivered') families.eventsDelivered.inc(labels, events);
    if (outcome === 'dropped') families.eventsDropped.inc({ ...labels, reason: DROP_REASONS[condition] }, events);
    if (type !== 'none') families.destinationDeliveries.inc({ ...labels, type, condition, outcome: DELIVERY_OUTCOMES[outcome] });
  }

  #problem(labels: Labels, event: Extract<EngineEvent, { type: 'problem' }>): void {
    this.#families.mappingProblem.set({ ...labels, code: event.code }, event.resolved ? 0 : 1);
    const codes = this.#problems.get(event.mapping) ?? new Set();
    this.#problems.set(event.mapping, codes.add(event.code));
  }

  #readLevels(): void {
    const levels = this.#levels();
    const families = this.#families;
    families.leasesHeld.set(levels.leasesHeld);
    families.bufferedBytes.set(levels.bufferedBytes);
    families.bufferedEvents.set(levels.bufferedEvents);
    families.backpressure.set(levels.backpressure ? 1 : 0);
    // Reset first: a mapping whose slot 0 moved elsewhere must not keep its last reading here.
    for (const gauge of [families.inflightInvocations, families.queueMessages, families.desiredPollers, families.concurrencyLimit]) {
      gauge.reset();
    }
    for (const gauge of [families.iteratorAgeSeconds, families.shardIteratorAgeSeconds, families.shards]) gauge.reset();
    for (const { mapping, inFlight, queue, desiredPollers, stream } of levels.mappings) {
      const labels = this.#seriesOf(mapping);
      families.inflightInvocations.set(labels, inFlight);
      if (stream !== undefined) this.#readShards(labels, stream);
      if (desiredPollers !== undefined) families.desiredPollers.set(labels, desiredPollers);
      if (queue === undefined) continue;
      families.queueMessages.set({ ...labels, state: 'visible' }, queue.visible);
      families.queueMessages.set({ ...labels, state: 'inflight' }, queue.inFlight);
      families.queueMessages.set({ ...labels, state: 'delayed' }, queue.delayed);
    }
    for (const { function: name, concurrencyLimit } of levels.functions)
      families.concurrencyLimit.set({ function: name }, concurrencyLimit);
    for (const [quantile, seconds] of Object.entries(levels.eventLoopDelay)) families.eventLoopDelay.set({ quantile }, seconds);
  }

  #readShards(labels: Labels, { shards, fleet }: StreamLevels): void {
    const families = this.#families;
    const blocked = shards.filter(({ isBlocked }) => isBlocked).length;
    families.shards.set({ ...labels, state: 'leased' }, shards.length - blocked);
    families.shards.set({ ...labels, state: 'blocked' }, blocked);
    for (const [state, count] of Object.entries(fleet ?? {})) families.shards.set({ ...labels, state }, count);
    // A poller without a shard of the mapping is not at its tip: it says nothing.
    if (shards.length > 0) families.iteratorAgeSeconds.set(labels, shards.reduce((worst, { ageMs }) => Math.max(worst, ageMs), 0) / 1000);
    if (!this.#perShard) return;
    for (const { shard, ageMs } of shards) families.shardIteratorAgeSeconds.set({ ...labels, shard }, ageMs / 1000);
  }

  /** Labels for a level, which is set anew at each scrape; a mapping that is leaving the configuration has its name alone. */
  #seriesOf(mapping: string): Labels {
    return this.#labels.get(mapping) ?? { mapping, function: '', source: '' };
  }

  #labelsOf(mapping: { name: string; functionName: string; source: string; labels: Labels }): Labels {
    const extra = this.#extraLabels.map((name) => [name, mapping.labels[name] ?? ''] as const);
    return { ...Object.fromEntries(extra), mapping: mapping.name, function: mapping.functionName, source: mapping.source };
  }

  /** Counters exist from the start, so that `increase()` sees the first event. */
  #startAtZero(labels: Labels): void {
    for (const counter of this.#plainCounters()) counter.inc(labels, 0);
    for (const outcome of INVOCATION_OUTCOMES) this.#families.invocations.inc({ ...labels, outcome }, 0);
    for (const outcome of POLL_OUTCOMES) this.#families.polls.inc({ ...labels, outcome }, 0);
    this.#families.mappingPaused.set(labels, 0);
    if (labels['source'] === 'sqs') return;
    for (const counter of this.#streamCounters()) counter.inc(labels, 0);
    for (const outcome of CHECKPOINT_OUTCOMES) this.#families.checkpoints.inc({ ...labels, outcome }, 0);
    for (const reason of Object.values(DROP_REASONS)) this.#families.eventsDropped.inc({ ...labels, reason }, 0);
  }

  /** A gate that was open when its function left the configuration would be reported as open for ever. */
  #forgetTarget(target: string): void {
    for (const state of GATE_STATES) this.#families.targetGate.remove({ target, state });
    this.#targets.delete(target);
  }

  #forget(name: string, labels: Labels): void {
    const families = this.#families;
    for (const counter of [...this.#plainCounters(), ...this.#streamCounters()]) counter.remove(labels);
    this.#forgetStream(labels);
    for (const histogram of [families.batchEvents, families.batchBytes, families.eventAgeSeconds, families.pollSeconds])
      histogram.remove(labels);
    for (const outcome of INVOCATION_OUTCOMES) {
      families.invocations.remove({ ...labels, outcome });
      families.invokeSeconds.remove({ ...labels, outcome });
    }
    for (const outcome of POLL_OUTCOMES) families.polls.remove({ ...labels, outcome });
    for (const action of ['deleted', 'released', 'extended']) {
      for (const outcome of ['done', 'gone', 'failed']) families.settles.remove({ ...labels, action, outcome });
    }
    for (const state of MAPPING_STATES) families.mappingState.remove({ ...labels, state });
    families.mappingPaused.remove(labels);
    for (const code of this.#problems.get(name) ?? []) families.mappingProblem.remove({ ...labels, code });
    this.#problems.delete(name);
    this.#labels.delete(name);
  }

  #forgetStream(labels: Labels): void {
    const families = this.#families;
    for (const outcome of CHECKPOINT_OUTCOMES) families.checkpoints.remove({ ...labels, outcome });
    for (const [condition, reason] of Object.entries(DROP_REASONS)) {
      families.eventsDropped.remove({ ...labels, reason });
      for (const type of DESTINATION_TYPES) {
        for (const outcome of Object.values(DELIVERY_OUTCOMES))
          families.destinationDeliveries.remove({ ...labels, type, condition, outcome });
      }
    }
  }

  #streamCounters() {
    const families = this.#families;
    return [families.eventsDelivered, families.eventsCheckpointed, families.bisects];
  }

  #plainCounters() {
    const families = this.#families;
    return [
      families.eventsPolled,
      families.eventsFiltered,
      families.eventsInvoked,
      families.eventsFailed,
      families.eventsDeleted,
      families.eventsExpired,
      families.retries,
      families.mappingCrashes,
    ];
  }
}

/** Names of all labels that mappings add, sorted; those that Prometheus or a metric of ours forbids are left out. */
function mappingLabelNames(config: WherryConfig): string[] {
  const names = [...config.mappings.values()].flatMap((mapping) => Object.keys(mapping.labels));
  return [...new Set(names)].filter((name) => LABEL_NAME.test(name) && !TAKEN_LABELS.has(name)).toSorted();
}

function isSame(one: Labels, other: Labels | undefined): boolean {
  return other !== undefined && Object.keys(one).every((name) => one[name] === other[name]);
}
