import type { Clock } from '@wherry/core/clock';
import type { Coordination } from '@wherry/core/coordination';
import { shardUnitId, type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';

/** What rows and registers are kept in. */
export type ShardStore = Pick<Coordination, 'leases' | 'streams'>;

/**
 * For how long the register of a stream that a mapping read before is kept. While a deployment rolls, pollers with an older
 * configuration may still name that stream.
 */
export const EARLIER_KEPT_MS = 900_000;

/**
 * Removes what one stream of a mapping has left in the store, rows first, because they are found through the register. Nothing is
 * removed while somebody holds one of its shards. Throws `StoreError`; may be repeated.
 */
export async function removeStream({ leases, streams }: ShardStore, mapping: string, stream: StreamIdentity): Promise<boolean> {
  const register = await streams.readOf(mapping, stream);
  if (register === undefined) return true;
  const key = streamKey(stream);
  const units = register.shards.map(({ shardId }) => shardUnitId(mapping, key, shardId));
  if (units.length > 0) {
    if ((await leases.view(units)).some((view) => view.live)) return false;
    await leases.remove(units);
    // Somebody may have taken one just before it would have gone.
    if ((await leases.view(units)).some((view) => view.epoch > 0)) return false;
  }
  await streams.remove(mapping, stream);
  return true;
}

/** The streams that one mapping read before, and since when this process sees them left behind. */
export class EarlierStreams {
  readonly #store: ShardStore;
  readonly #clock: Clock;
  readonly #mapping: string;
  /** By stream key, monotonic. */
  #leftSinceMs: ReadonlyMap<string, number> = new Map();

  constructor(store: ShardStore, clock: Clock, mapping: string) {
    this.#store = store;
    this.#clock = clock;
    this.#mapping = mapping;
  }

  /** Removes those that were left behind long enough. Throws `StoreError`. @param present key of the stream that is read now */
  async sweep(present: string): Promise<void> {
    const now = this.#clock.monotonicMs();
    const left = (await this.#store.streams.streams(this.#mapping)).filter((stream) => streamKey(stream) !== present);
    this.#leftSinceMs = new Map(left.map((stream) => [streamKey(stream), this.#leftSinceMs.get(streamKey(stream)) ?? now]));
    for (const stream of left) {
      if (now - this.#leftSinceMs.get(streamKey(stream))! >= EARLIER_KEPT_MS) await removeStream(this.#store, this.#mapping, stream);
    }
  }
}
