import type { Clock } from '@wherry/core/clock';
import type { Coordination, NotedMapping } from '@wherry/core/coordination';
import { discoveryUnitId } from '@wherry/core/lease-unit';
import { slotUnits } from '@wherry/core/slots';
import { removeStream } from './stream/earlier-streams.ts';

/** How often a poller notes the mappings of its configuration, and looks for those that nobody notes any more. */
const NOTE_EVERY_MS = 300_000;
/** A mapping that nobody has noted for so long is gone: three notes were due, from each poller that knows it. */
const FORGOTTEN_MS = 3 * NOTE_EVERY_MS;

/** Where mappings leave things behind. */
type Store = Pick<Coordination, 'leases' | 'scale' | 'streams' | 'pauses'>;

/**
 * Removes what mappings leave behind in the store: the lease rows of their slots, shards and chores, the registers of their streams, the
 * wish for slots, a pause. Every poller notes the
 * mappings of its own configuration, disabled ones too; what none has noted for a quarter of an hour, any poller removes. So it does
 * not matter which poller saw the mapping go, or whether any did, and during a rolling deployment an old poller that still has the
 * mapping keeps its rows.
 *
 * After an outage of the store all notes are old. Therefore a mapping is removed only when it was found forgotten at two looks in a
 * row, between which everybody had time to note. Should its rows be needed after all, they are claimed anew: rows that somebody holds
 * stay, epochs never start again, and slots of queues have no checkpoint to lose. A stream mapping of the same name that comes later begins
 * at its `StartingPosition`, as one does that is created anew on Lambda. Rows of a mapping whose slots became fewer stay.
 */
export class AbandonedUnits {
  readonly #store: Store;
  readonly #clock: Clock;
  /** By mapping UUID, the most slots that this process has noted. */
  #noted = new Map<string, number>();
  /** What the last look found. */
  #suspects: ReadonlySet<string> = new Set();
  #dueAtMs = Number.NEGATIVE_INFINITY;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Called after each claim scan; mostly does nothing. Rejects if the store does not answer.
   *
   * @param mappings all of the configuration, with the slots each has now
   */
  async sweep(mappings: readonly NotedMapping[]): Promise<void> {
    const now = this.#clock.monotonicMs();
    const isDue = now >= this.#dueAtMs;
    // New and grown ones at once: the rows would be lost if this process ended before it noted them.
    const toNote = isDue ? mappings : mappings.filter(({ id, slots }) => slots > (this.#noted.get(id) ?? -1));
    if (toNote.length > 0) await this.#store.scale.note(toNote);
    if (isDue) this.#noted = new Map();
    for (const { id, slots } of toNote) this.#noted.set(id, slots);
    if (!isDue) return;
    this.#dueAtMs = now + NOTE_EVERY_MS;
    const forgotten = await this.#store.scale.forgotten(FORGOTTEN_MS);
    for (const mapping of forgotten) if (this.#suspects.has(mapping.id)) await this.#remove(mapping);
    this.#suspects = new Set(forgotten.map(({ id }) => id));
  }

  async #remove({ id, slots }: NotedMapping): Promise<void> {
    const { leases, scale, streams, pauses } = this.#store;
    const units = [discoveryUnitId(id), ...slotUnits({ uuid: id }, slots).map((unit) => unit.id)];
    if ((await leases.view(units)).some((view) => view.live)) return;
    for (const stream of await streams.streams(id)) if (!(await removeStream(this.#store, id, stream))) return;
    await leases.remove(units);
    await pauses.resume(id);
    // The note goes last: if this is cut short, the next look finds it again.
    await scale.forget(id, FORGOTTEN_MS);
  }
}
