import type { Pause, PauseStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { Mapping } from '@wherry/core/mapping';

/** Which mappings people have paused, as of the last claim scan. */
export class MappingPauses {
  readonly #store: PauseStore;
  readonly #mappings: () => readonly Pick<Mapping, 'uuid' | 'name'>[];
  readonly #observe: Observe;
  #pauses: ReadonlyMap<string, Pause> = new Map();
  /** UUIDs of mappings of which this poller has told that they are paused. */
  #told: ReadonlySet<string> = new Set();

  /** @param mappings those of the configuration, disabled ones too */
  constructor(store: PauseStore, mappings: () => readonly Pick<Mapping, 'uuid' | 'name'>[], observe: Observe) {
    this.#store = store;
    this.#mappings = mappings;
    this.#observe = observe;
  }

  /** Asks the store, and tells which mappings are paused or resumed since. Throws `StoreError`. */
  async refresh(): Promise<void> {
    this.#pauses = await this.#store.pauses();
    const paused = new Set<string>();
    for (const { uuid, name } of this.#mappings()) {
      const pause = this.#pauses.get(uuid);
      if (pause !== undefined) paused.add(uuid);
      if (pause !== undefined && !this.#told.has(uuid))
        this.#observe({ type: 'paused', mapping: name, by: pause.by, reason: pause.reason });
      if (pause === undefined && this.#told.has(uuid)) this.#observe({ type: 'resumed', mapping: name });
    }
    this.#told = paused;
  }

  /** @param mapping UUID */
  of(mapping: string): Pause | undefined {
    return this.#pauses.get(mapping);
  }
}
