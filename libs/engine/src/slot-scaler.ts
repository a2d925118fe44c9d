import type { Clock } from '@wherry/core/clock';
import type { ScaleStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { SqsMapping } from '@wherry/core/mapping';
import { NOTHING_SEEN, voteOnSlots } from '@wherry/core/slot-scaling';
import type { SlotBounds } from '@wherry/core/slots';

/** The mapping whose slots are counted. */
export interface SlotScalerOptions {
  readonly clock: Clock;
  readonly store: Pick<ScaleStore, 'adjust'>;
  readonly mapping: SqsMapping;
  readonly bounds: SlotBounds;
  /** Invocations that this process may have in flight, `limits.inFlight`; it may change. */
  readonly inFlightMax: () => number;
  readonly observe: Observe;
}

/** Counts what this poller's slots of a mapping see, and votes on the fleet-wide number of slots. */
export class SlotScaler {
  readonly #options: SlotScalerOptions;
  #slotsHeld = 0;
  #seen: { -readonly [Key in keyof typeof NOTHING_SEEN]: number } = { ...NOTHING_SEEN };
  #sinceMs: number;
  #slots: number | undefined;

  constructor(options: SlotScalerOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.monotonicMs();
  }

  get slotsHeld(): number {
    return this.#slotsHeld;
  }

  slotBegan(): void {
    this.#slotsHeld += 1;
  }

  slotEnded(): void {
    this.#slotsHeld -= 1;
  }

  received(asked: number, got: number): void {
    this.#seen.receives += 1;
    if (got >= asked) this.#seen.fullReceives += 1;
    if (got === 0) this.#seen.emptyReceives += 1;
    this.#vote();
  }

  invoked(functionFailed: boolean): void {
    this.#seen.invocations += 1;
    if (functionFailed) this.#seen.functionErrors += 1;
    this.#vote();
  }

  #vote(): void {
    const { clock, store, mapping, bounds } = this.#options;
    const nowMs = clock.monotonicMs();
    const delta = voteOnSlots({ ...this.#seen, slotsHeld: this.#slotsHeld }, nowMs - this.#sinceMs, mapping.reportBatchItemFailures);
    if (delta === undefined) return;
    this.#seen = { ...NOTHING_SEEN };
    this.#sinceMs = nowMs;
    // More slots than this process can carry batches for would only wait for each other; the other pollers vote for themselves.
    const usable = Math.max(0, Math.ceil(this.#options.inFlightMax() / bounds.batchesPerSlot) - this.#slotsHeld);
    const change = Math.min(delta, usable);
    if (change === 0) return;
    void store
      .adjust(mapping.uuid, change, bounds)
      .then((slots) => this.#tell(slots))
      // A lost vote costs nothing: while the reason lasts there will be another.
      .catch(() => undefined);
  }

  #tell(slots: number): void {
    if (slots === this.#slots) return;
    this.#slots = slots;
    this.#options.observe({ type: 'scaled', mapping: this.#options.mapping.name, slots });
  }
}
