/** A batch that was given up, in the fleet's own store (`wherry://failed/<name>`), with its records. */
export interface FailedBatch {
  readonly id: string;
  /** `<name>` of the destination. */
  readonly name: string;
  /** Name and UUID of the mapping. */
  readonly mapping: string;
  readonly mappingUuid: string;
  /** Name of the function, and the qualifier that the mapping named. */
  readonly functionName: string;
  readonly qualifier?: string;
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly shardId: string;
  readonly records: number;
  /** Sequence numbers of the first and the last record; empty for the last call of a window, which has none. */
  readonly firstSequenceNumber: string;
  readonly lastSequenceNumber: string;
  /** Epoch milliseconds. */
  readonly failedAtMs: number;
  /** The failure record as SQS would get it, JSON text. */
  readonly document: string;
  /** UTF-8 length of the event. */
  readonly eventBytes: number;
}

/** Narrows a listing. */
export interface FailedQuery {
  readonly name?: string;
  readonly mapping?: string;
  /** Most batches to return. */
  readonly limit: number;
  /** Id of the last batch of the page before. */
  readonly after?: string;
}

/** The fleet's own store of what was given up. Batches stay until somebody redrives or discards them. Methods throw `StoreError`. */
export interface FailedStore {
  /** A repeat with the same id changes nothing. Throws also when the store is full: the caller keeps the batch. */
  put(batch: FailedBatch, event: Uint8Array): Promise<void>;
  /** The oldest first. */
  list(query: FailedQuery): Promise<FailedBatch[]>;
  get(id: string): Promise<{ readonly batch: FailedBatch; readonly event: Uint8Array } | undefined>;
  /** @returns how many of them there were */
  remove(ids: readonly string[]): Promise<number>;
  /** Batches and bytes by name. */
  counts(): Promise<ReadonlyMap<string, { readonly batches: number; readonly bytes: number }>>;
}
