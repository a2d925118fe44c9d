import type { LeaseUnit } from './coordination.ts';
import type { FunctionDefinition, SqsMapping } from './mapping.ts';

/** How many slots a queue mapping may have across the fleet, and what one slot carries. */
export interface SlotBounds {
  /** Slots to begin with. */
  readonly initial: number;
  /** Slots left when the queue is quiet. */
  readonly floor: number;
  readonly ceiling: number;
  /** Slots the fleet may add within a minute. */
  readonly growthPerMinute: number;
  /** Batches one slot may have in flight at a time. */
  readonly batchesPerSlot: number;
}

/**
 * Lambda's default mode: 5 concurrent batches to start with, up to 300 more a minute, at most 1,250, and 2 when the queue is quiet.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const DEFAULT_MODE: SlotBounds = { initial: 5, floor: 2, ceiling: 1_250, growthPerMinute: 300, batchesPerSlot: 1 };

/**
 * One provisioned poller carries up to 10 concurrent invocations, and a mapping gains up to 1,000 concurrent invocations a
 * minute, which is 100 pollers.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const PROVISIONED_BATCHES_PER_POLLER = 10;
const PROVISIONED_POLLERS_PER_MINUTE = 100;

/**
 * The bounds between which a mapping's number of slots moves. A slot is one long-poll loop, leased to one poller at a time, so
 * the number of slots bounds both the receives and the batches in flight: a queue is not read by anybody who cannot carry what
 * comes back.
 *
 * `MaximumConcurrency` N: at most N slots, and no fall to 2 while quiet. `ProvisionedPollerConfig`: a slot is a provisioned
 * poller. `ReservedConcurrentExecutions` and the capacity of RIE containers lower the ceiling, because more slots could only wait.
 */
export function slotBounds(mapping: SqsMapping, fn: FunctionDefinition): SlotBounds {
  const wished = wishedBounds(mapping);
  const ceiling = Math.min(wished.ceiling, Math.ceil(invocationsAtOnce(fn) / wished.batchesPerSlot));
  return { ...wished, initial: Math.min(wished.initial, ceiling), floor: Math.min(wished.floor, ceiling), ceiling };
}

function wishedBounds(mapping: SqsMapping): SlotBounds {
  const provisioned = mapping.provisionedPollerConfig;
  if (provisioned !== undefined) {
    return {
      initial: provisioned.minimumPollers,
      floor: provisioned.minimumPollers,
      ceiling: provisioned.maximumPollers,
      growthPerMinute: PROVISIONED_POLLERS_PER_MINUTE,
      batchesPerSlot: PROVISIONED_BATCHES_PER_POLLER,
    };
  }
  const maximum = mapping.maximumConcurrency;
  if (maximum === undefined) return DEFAULT_MODE;
  const initial = Math.min(DEFAULT_MODE.initial, maximum);
  return { ...DEFAULT_MODE, initial, floor: initial, ceiling: Math.min(DEFAULT_MODE.ceiling, maximum) };
}

/** Invocations of this function that can run at a time, whoever asks for them. */
function invocationsAtOnce(fn: FunctionDefinition): number {
  const reserved = fn.reservedConcurrentExecutions ?? Number.POSITIVE_INFINITY;
  return Math.min(reserved, rieCapacity(fn) ?? Number.POSITIVE_INFINITY);
}

/** Requests that a function's RIE containers take at a time, together; `undefined` for other targets. */
export function rieCapacity(fn: FunctionDefinition): number | undefined {
  return fn.target.kind === 'rie' ? fn.target.urls.length * fn.target.concurrency : undefined;
}

/** The lease units of a mapping that shall have `count` slots: `sqs-<mapping uuid>-0` and so on. */
export function slotUnits(mapping: Pick<SqsMapping, 'uuid'>, count: number): LeaseUnit[] {
  return Array.from({ length: count }, (_, index) => ({ id: `sqs-${mapping.uuid}-${index}`, weight: 1 }));
}
