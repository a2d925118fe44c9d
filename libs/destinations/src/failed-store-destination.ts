import type { Clock } from '@wherry/core/clock';
import type { FailedBatch, FailedStore } from '@wherry/core/failed-store';
import type { FailureDelivery, FailureDestination } from '@wherry/core/failure-destination';
import type { StreamMapping } from '@wherry/core/mapping';
import { SourceError } from '@wherry/core/source-error';
import { failureRecord } from '@wherry/core/stream/failure-record';
import { boundedCall } from './bounded-call.ts';

/** What the fleet's own store says of the mapping whose batch it holds. */
export type FailedMapping = Pick<StreamMapping, 'name' | 'uuid' | 'functionName' | 'qualifier'>;

/** Batches in the fleet's own store, with their events, for `wherry failed`. A repeat changes nothing, because batches keep their ids. */
export class FailedStoreDestination implements FailureDestination {
  readonly #name: string;
  readonly #mapping: FailedMapping;
  readonly #store: FailedStore;
  readonly #clock: Clock;

  constructor(name: string, options: { readonly mapping: FailedMapping; readonly store: FailedStore; readonly clock: Clock }) {
    this.#name = name;
    this.#mapping = options.mapping;
    this.#store = options.store;
    this.#clock = options.clock;
  }

  async deliver(delivery: FailureDelivery, signal: AbortSignal): Promise<void> {
    const event = delivery.event();
    const batch = failedBatch(this.#name, this.#mapping, delivery, event.byteLength);
    const operation = `writing to wherry://failed/${this.#name}`;
    try {
      await boundedCall(() => this.#store.put(batch, event), { operation, signal, clock: this.#clock });
    } catch (error) {
      if (error instanceof SourceError) throw error;
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      throw new SourceError('unavailable', name, `${operation} failed: ${message}`, { cause: error });
    }
  }

  close(): void {
    // The store is the process's own, and others use it too.
  }
}

function failedBatch(name: string, mapping: FailedMapping, { id, failure, origin }: FailureDelivery, eventBytes: number): FailedBatch {
  const { records, condition, discardedAtMs } = failure;
  return {
    id,
    name,
    mapping: mapping.name,
    mappingUuid: mapping.uuid,
    functionName: mapping.functionName,
    ...(mapping.qualifier === undefined ? {} : { qualifier: mapping.qualifier }),
    condition,
    shardId: origin.shardId,
    records: records.length,
    firstSequenceNumber: records[0]?.sequenceNumber ?? '',
    lastSequenceNumber: records.at(-1)?.sequenceNumber ?? '',
    failedAtMs: discardedAtMs,
    document: failureRecord(failure, origin),
    eventBytes,
  };
}
