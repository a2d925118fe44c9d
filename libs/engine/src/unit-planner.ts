import type { Clock } from '@wherry/core/clock';
import type { Coordination, LeaseUnit } from '@wherry/core/coordination';
import type { SqsMapping } from '@wherry/core/mapping';
import type { MappingSetup } from '@wherry/core/reload-plan';
import { shareSlots } from '@wherry/core/slot-share';
import { slotBounds, slotUnits } from '@wherry/core/slots';
import type { UnitPlan } from './lease-keeper.ts';
import type { MappingPauses } from './mapping-pauses.ts';
import type { StreamMemory } from './stream/stream-memory.ts';
import { StreamUnits } from './stream/stream-units.ts';

/** What plans are made from. */
export interface UnitPlannerOptions {
  readonly coordination: Pick<Coordination, 'leases' | 'streams' | 'scale'>;
  readonly clock: Clock;
  readonly memory: StreamMemory;
  readonly pauses: MappingPauses;
  /** The mappings that run now, those that are paused too, in an order that is the same everywhere. */
  readonly polling: () => readonly MappingSetup[];
  /** Leases that the live pollers may hold together. */
  readonly leaseRoom: () => number;
}

/**
 * Everything that somebody has to hold now, asked at every claim scan: of each stream mapping its chore and the shards that may be
 * read, of each queue mapping as many slots as the fleet wishes for. Paused mappings have nothing.
 *
 * Shards come first: each of them is needed, and one that nobody reads falls behind for good, while fewer slots only make a queue
 * slower. Slots share what room is left, and every queue keeps one.
 */
export class UnitPlanner {
  readonly #options: UnitPlannerOptions;
  /** Which shards may be read. */
  readonly streams: StreamUnits;
  /** Slots of queue mappings, by UUID. */
  #slots: ReadonlyMap<string, number> = new Map();

  constructor(options: UnitPlannerOptions) {
    const { coordination, clock, memory } = options;
    this.#options = options;
    this.streams = new StreamUnits({ ...coordination, clock, memory });
  }

  /** Throws `StoreError`. */
  async plan(): Promise<UnitPlan> {
    const setups = this.#options.polling();
    const [streams, wishes] = await Promise.all([
      this.streams.plan(setups.flatMap(({ mapping }) => (mapping.source === 'sqs' ? [] : [mapping]))),
      this.#wishes(setups.filter(isQueue)),
      this.#options.pauses.refresh(),
    ]);
    // Those that were reloaded or paused while the store was asked are not wanted any more.
    const polling = new Set(this.#options.polling());
    const stillActive = setups.filter((setup) => polling.has(setup) && this.#options.pauses.of(setup.mapping.uuid) === undefined);
    const active = new Set(stillActive.map(({ mapping }) => mapping.uuid));
    const shards = [...streams.units].flatMap(([mapping, units]) => (active.has(mapping) ? units : []));
    return { units: [...shards, ...this.#slotUnits(stillActive, wishes, shards.length)], views: streams.views };
  }

  /** Slots that a queue mapping has now, by its UUID. */
  slots(mapping: string): number {
    return this.#slots.get(mapping) ?? 0;
  }

  async #wishes(setups: readonly MappingSetup<SqsMapping>[]): Promise<ReadonlyMap<string, number>> {
    const bounds = setups.map(({ mapping, function: fn }) => slotBounds(mapping, fn));
    const asked = setups.map(({ mapping }, index) => ({ id: mapping.uuid, initial: bounds[index]!.initial }));
    const desired = await this.#options.coordination.scale.desired(asked);
    return new Map(
      asked.map(({ id, initial }, index) => {
        const { floor, ceiling } = bounds[index]!;
        return [id, Math.min(ceiling, Math.max(floor, desired.get(id) ?? initial))];
      }),
    );
  }

  #slotUnits(setups: readonly MappingSetup[], wishes: ReadonlyMap<string, number>, shards: number): LeaseUnit[] {
    const queues = setups.filter(isQueue).map(({ mapping }) => mapping);
    const room = Math.max(0, this.#options.leaseRoom() - shards);
    const shares = shareSlots(
      queues.map(({ uuid }) => wishes.get(uuid) ?? 0),
      room,
    );
    this.#slots = new Map(queues.map(({ uuid }, index) => [uuid, shares[index]!]));
    return queues.flatMap((mapping) => slotUnits(mapping, this.slots(mapping.uuid)));
  }
}

function isQueue(setup: MappingSetup): setup is MappingSetup<SqsMapping> {
  return setup.mapping.source === 'sqs';
}
