import type { MappingState } from '@wherry/core/engine-event';
import type { WherryConfig } from '@wherry/core/mapping';
import { slotBounds } from '@wherry/core/slots';
import type { FleetStatus, MappingStatus } from '@wherry/engine/fleet-status';
import type { MappingTotals } from '@wherry/observe/totals';
import type { QueueCounts } from './backlog.ts';

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

/** A mapping; counts and rates are those of the poller that answers, `slots.desired` and `slots.held` those of the fleet. */
export interface MappingReport {
  readonly name: string;
  readonly uuid: string;
  readonly source: 'sqs';
  readonly state: MappingState;
  readonly stateTransitionReason: string;
  readonly eventSourceArn: string;
  readonly functionName: string;
  readonly slots: { readonly desired: number; readonly held: number; readonly here: number };
  /** Batches that all wished-for slots together can carry at a time. */
  readonly capacity: number;
  readonly inFlight: number;
  readonly bufferedBytes: number;
  readonly totals: Pick<MappingTotals, 'polled' | 'filtered' | 'invoked' | 'succeeded' | 'failed' | 'deleted'>;
  /** Events per second over the last 10 s. */
  readonly rates: MappingTotals['rates'];
  /** Age of the oldest event invoked in the last 10 s. */
  readonly oldestAgeMs: number | null;
  /** Only from the poller that holds slot 0 of the mapping. */
  readonly backlog: QueueCounts | null;
  /** What is wrong with the queue, if this poller cannot read it; the target's troubles are in `gate`. */
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
  readonly totals: (mapping: string) => MappingTotals;
  readonly backlog: (mapping: string) => QueueCounts | undefined;
}

/** Puts together what the engine knows of itself, what was counted, and what waits in the queues. */
export function statusReport({ status, config, version, totals, backlog }: StatusInputs): StatusReport {
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
    mappings: status.mappings.map((mapping) => mappingReport(mapping, config, totals(mapping.name), backlog(mapping.name))),
  };
}

function mappingReport(
  mapping: MappingStatus,
  config: WherryConfig,
  counted: MappingTotals,
  backlog: QueueCounts | undefined,
): MappingReport {
  const { polled, filtered, invoked, succeeded, failed, deleted, rates, oldestAgeMs, lastFailure } = counted;
  return {
    name: mapping.name,
    uuid: mapping.uuid,
    source: 'sqs',
    state: mapping.state,
    stateTransitionReason: mapping.stateTransitionReason,
    eventSourceArn: mapping.eventSourceArn,
    functionName: mapping.functionName,
    slots: { desired: mapping.slotsDesired, held: mapping.slotsHeld, here: mapping.slotsHere },
    capacity: mapping.slotsDesired * batchesPerSlot(config, mapping.name),
    inFlight: mapping.inFlight,
    bufferedBytes: mapping.bufferedBytes,
    totals: { polled, filtered, invoked, succeeded, failed, deleted },
    rates,
    oldestAgeMs: oldestAgeMs ?? null,
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

/** Batches one slot carries at a time: 1, or 10 in provisioned mode. */
export function batchesPerSlot(config: WherryConfig, name: string): number {
  const mapping = config.mappings.get(name);
  const fn = config.functions.get(mapping?.functionName ?? '');
  return mapping?.source === 'sqs' && fn !== undefined ? slotBounds(mapping, fn).batchesPerSlot : 1;
}
