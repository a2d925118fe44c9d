import type { Random } from '@wherry/core/clock';
import type { FailureDelivery, FailureDestination } from '@wherry/core/failure-destination';
import { SourceError } from '@wherry/core/source-error';
import type { SimClock } from './sim-clock.ts';
import type { SimulatedProcess } from './simulation-process.ts';
import type { StreamLedger } from './stream-ledger.ts';

/** One process's way to the failure destination of one mapping. */
export interface SimulatedDestinationOptions {
  readonly sim: SimClock;
  readonly random: Random;
  readonly ledger: StreamLedger;
  readonly process: SimulatedProcess;
  readonly poller: string;
  readonly latencyMs: number;
  /** Asked at each delivery: it refuses, or confirms and the answer is lost. */
  readonly fault: () => 'none' | 'refused' | 'lost';
  readonly isLeaseHeld: (unitId: string) => boolean;
}

/** A failure destination that tells the ledger what it took. */
export function createSimulatedDestination(options: SimulatedDestinationOptions): FailureDestination {
  return {
    deliver: (delivery, signal) => deliver(options, delivery, signal),
    close: () => {},
  };
}

async function deliver(options: SimulatedDestinationOptions, { id, failure, origin }: FailureDelivery, signal: AbortSignal): Promise<void> {
  const { sim, random, ledger, process, poller, latencyMs } = options;
  const numbers = failure.records.map(({ sequenceNumber }) => sequenceNumber);
  ledger.deliveryAsked(poller, numbers, failure.condition, options.isLeaseHeld(ledger.unitOf(origin.shardId)));
  const fault = options.fault();
  await sim.sleep(2 * latencyMs * (0.2 + 0.8 * random()), signal);
  await process.pass();
  if (signal.aborted) throw new SourceError('unavailable', 'AbortError', 'the delivery was aborted');
  ledger.deliveryHeard(poller, numbers, id, fault === 'none');
  if (fault !== 'none') throw new SourceError(fault === 'refused' ? 'accessDenied' : 'unavailable', 'Refused', `the destination ${fault}`);
}
