import type { Account, Ledger } from './ledger.ts';
import type { SampleFunction } from './sample-function.ts';

/** A message, a record or a change of an item, as the ledger knows it. */
export interface Entry {
  readonly id: string;
  /** Entries of one group must be delivered in the order in which they were sent. */
  readonly group?: string;
  /** False if the filters in wherry.yaml do not match it. */
  readonly isWanted: boolean;
}

/** What is sent in one call. */
export interface Shipment {
  readonly entries: readonly Entry[];
  readonly send: () => Promise<void>;
}

/** One source of the demo: its page of the ledger, what is sent into it, and where that is found which was given up. */
export interface Lane {
  /** The mapping's name in wherry.yaml. */
  readonly name: string;
  readonly kind: 'sqs' | 'sqs fifo' | 'kinesis' | 'dynamodb';
  /** Path of the function that gets the events. */
  readonly path: string;
  readonly ledger: Ledger;
  readonly shipments: readonly Shipment[];
  /** Ids that are now in the dead-letter queue or the failure destination. */
  readonly givenUp: () => Promise<readonly string[]>;
  /** What the source still holds and must not in the end; 0 for a stream, which keeps its records whatever happens. */
  readonly remaining: () => Promise<number>;
  /** What is worth knowing beside the count. */
  readonly note: (account: Account, sample: SampleFunction) => string;
}

/** How much of the lane has to be delivered or given up. */
export function wantedCount(lane: Lane): number {
  return lane.shipments.reduce((sum, { entries }) => sum + entries.filter(({ isWanted }) => isWanted).length, 0);
}

/** Cuts a list into pieces of ten, what every service here takes in one call. */
export function tens<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / 10) }, (_, index) => items.slice(index * 10, index * 10 + 10));
}
