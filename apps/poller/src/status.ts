import type { MappingState } from '@wherry/core/engine-event';
import type { Mapping, WherryConfig } from '@wherry/core/mapping';
import { slotBounds } from '@wherry/core/slots';
import type { FleetStatus, MappingStatus } from '@wherry/engine/fleet-status';
import type { MappingTotals } from '@wherry/observe/totals';
import type { QueueCounts } from './backlog.ts';
import type { PauseReport } from './pause-text.ts';
import { shardAgeMs, type ShardReport, shardReport } from './shard-report.ts';

/** A poller as the fleet's members list shows it. */
export interface PollerReport {
  readonly token: string;
  readonly version: string;
  readonly configHash: string;
  readonly adminUrl: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Milliseconds since its last heartbeat. */
  readonly silentMs: number;
  readonly draining: boolean;
  readonly leases: number;
  readonly inFlight: number;
  readonly bufferedBytes: number;
}

/** A mapping; counts, rates and `here` are those of the poller that answers, the other numbers of slots and shards those of the fleet. */
export interface MappingReport {
  readonly name: string;
  readonly uuid: string;
  readonly source: Mapping['source'];
  readonly state: MappingState;
  readonly stateTransitionReason: string;
  /** Streams: what Lambda shows, as far as this poller has seen, and since when (ISO 8601). Absent for queues, as on Lambda. */
  readonly lastProcessingResult?: string;
  readonly lastProcessedAt?: string | null;
  readonly paused: PauseReport | null;
  readonly eventSourceArn: string;
  readonly functionName: string;
  /** Zeros for a stream. */
  readonly slots: { readonly desired: number; readonly held: number; readonly here: number };
  /** Null for a queue. */
  readonly shards: {
    readonly known: number;
    readonly ended: number;
    readonly readable: number;
    readonly held: number;
    readonly here: readonly ShardReport[];
  } | null;
  /** Batches that all wished-for slots, or all shards that may be read, can carry together at a time. */
  readonly capacity: number;
  readonly inFlight: number;
  readonly bufferedBytes: number;
  readonly totals: Pick<MappingTotals, 'polled' | 'filtered' | 'invoked' | 'succeeded' | 'failed' | 'deleted' | 'dropped' | 'delivered'>;
  /** Events per second over the last 10 s. */
  readonly rates: MappingTotals['rates'];
  /** Age of the oldest event invoked in the last 10 s. */
  readonly oldestAgeMs: number | null;
  /** Streams: how far this poller is behind in the worst of its shards; null if it has none. */
  readonly iteratorAgeMs: number | null;
  /** Only from the poller that holds slot 0 of the mapping. */
  readonly backlog: QueueCounts | null;
  /** What is wrong with the source, if this poller cannot read it; the target's troubles are in `gate`. */
  readonly problem: string | null;
  /** Circuit breaker and throttle of the target; `concurrencyLimit` is null while none was learnt. */
  readonly gate: {
    readonly state: 'open' | 'throttled' | 'closed';
    readonly reason: string;
    readonly waitMs: number;
    readonly concurrencyLimit: number | null;
  } | null;
  readonly lastFailure: { readonly at: string; readonly outcome: string; readonly error: string } | null;
}

/** The answer of `GET /v1/status`. Names and meaning are stable: programs read them. */
export interface StatusReport {
  readonly fleet: string;
  /** Token of the poller that answers. */
  readonly poller: string;
  readonly version: string;
  readonly configHash: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly redisUp: boolean;
  readonly buffer: { readonly usedBytes: number; readonly limitBytes: number; readonly events: number; readonly backpressure: boolean };
  readonly pollers: readonly PollerReport[];
  readonly mappings: readonly MappingReport[];
}

export interface StatusInputs {
  readonly status: FleetStatus;
  readonly config: WherryConfig;
  readonly version: string;
  /** Wall clock, epoch milliseconds. */
  readonly nowMs: number;
  readonly totals: (mapping: string) => MappingTotals;
  readonly backlog: (mapping: string) => QueueCounts | undefined;
}

/** Puts together what the engine knows of itself, what was counted, and what waits in the queues. */
export function statusReport({ status, config, version, nowMs, totals, backlog }: StatusInputs): StatusReport {
  return {
    fleet: status.fleet,
    poller: status.poller,
    version,
    configHash: status.configHash,
    ready: status.ready,
    draining: status.draining,
    redisUp: status.storeUp,
    buffer: {
      usedBytes: status.bufferedBytes,
      limitBytes: config.limits.bufferedBytes,
      events: status.bufferedEvents,
      backpressure: status.backpressure,
    },
    pollers: status.pollers.map((poller) => ({
      token: poller.token,
      version: poller.version,
      configHash: poller.configHash,
      adminUrl: poller.adminUrl,
      startedAt: new Date(poller.startedAtMs).toISOString(),
      silentMs: poller.silentMs,
      draining: poller.draining,
      leases: poller.leases,
      inFlight: poller.inFlight,
      bufferedBytes: poller.bufferedBytes,
    })),
    mappings: status.mappings.map((mapping) => mappingReport(mapping, config, totals(mapping.name), backlog(mapping.name), nowMs)),
  };
}

function mappingReport(
  mapping: MappingStatus,
  config: WherryConfig,
  counted: MappingTotals,
  backlog: QueueCounts | undefined,
  nowMs: number,
): MappingReport {
  const { polled, filtered, invoked, succeeded, failed, deleted, dropped, delivered, rates, oldestAgeMs, lastFailure } = counted;
  const { shards } = mapping;
  return {
    name: mapping.name,
    uuid: mapping.uuid,
    source: mapping.source,
    state: mapping.state,
    stateTransitionReason: mapping.stateTransitionReason,
    ...lastProcessing(mapping, counted),
    paused: mapping.paused,
    eventSourceArn: mapping.eventSourceArn,
    functionName: mapping.functionName,
    slots: { desired: mapping.slotsDesired, held: mapping.slotsHeld, here: mapping.slotsHere },
    shards: shards && { ...shards, here: shards.here.map(shardReport) },
    capacity: capacityOf(config, mapping.name, shards?.readable ?? mapping.slotsDesired),
    inFlight: mapping.inFlight,
    bufferedBytes: mapping.bufferedBytes,
    totals: { polled, filtered, invoked, succeeded, failed, deleted, dropped, delivered },
    rates,
    oldestAgeMs: oldestAgeMs ?? null,
    iteratorAgeMs: shards === null || shards.here.length === 0 ? null : Math.max(...shards.here.map((shard) => shardAgeMs(shard, nowMs))),
    backlog: backlog ?? null,
    problem: mapping.problem,
    gate: gateReport(mapping.gate),
    lastFailure:
      lastFailure === undefined
        ? null
        : { at: new Date(lastFailure.atMs).toISOString(), outcome: lastFailure.outcome, error: lastFailure.error },
  };
}

/** JSON has no infinity, which is the limit before anything was learnt. */
function gateReport(gate: MappingStatus['gate']): MappingReport['gate'] {
  if (gate === null) return null;
  const { state, reason, waitMs, concurrencyLimit } = gate;
  return { state, reason, waitMs, concurrencyLimit: Number.isFinite(concurrencyLimit) ? concurrencyLimit : null };
}

/** Lambda tells it of streams alone, in these words before anything was read. */
function lastProcessing(
  mapping: MappingStatus,
  { lastProcessing: last }: MappingTotals,
): Pick<MappingReport, 'lastProcessingResult' | 'lastProcessedAt'> {
  if (mapping.source === 'sqs') return {};
  if (last === undefined) return { lastProcessingResult: NOTHING_PROCESSED, lastProcessedAt: null };
  return { lastProcessingResult: last.result, lastProcessedAt: new Date(last.atMs).toISOString() };
}

/** What Lambda shows as `LastProcessingResult` before there is one. */
export const NOTHING_PROCESSED = 'No records processed';

/** Batches that so many slots or shards carry at a time: a slot 1, or 10 in provisioned mode; a shard as many as it has lanes. */
export function capacityOf(config: WherryConfig, name: string, units: number): number {
  const mapping = config.mappings.get(name);
  if (mapping === undefined) return units;
  if (mapping.source !== 'sqs') return units * mapping.parallelizationFactor;
  const fn = config.functions.get(mapping.functionName);
  return fn === undefined ? units : units * slotBounds(mapping, fn).batchesPerSlot;
}
