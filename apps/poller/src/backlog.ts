import type { Clock } from '@wherry/core/clock';
import type { SqsMapping } from '@wherry/core/mapping';
import type { QueueSource } from '@wherry/core/queue-source';

/** How old a reading may become; queue counts are approximate anyway, and each costs one call. */
const READ_EVERY_MS = 30_000;

/** Messages in a queue, by SQS's own approximate counts. */
export interface QueueCounts {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export interface BacklogOptions {
  readonly clock: Clock;
  /** Queue mappings of the running configuration. */
  readonly mappings: () => readonly SqsMapping[];
  /** Ids of the leases this poller holds. */
  readonly heldUnits: () => readonly string[];
  readonly createSource: (mapping: SqsMapping) => QueueSource;
}

interface Reader {
  readonly mapping: SqsMapping;
  readonly source: QueueSource;
  counts: QueueCounts | undefined;
  dueAtMs: number;
}

/**
 * Reads how many messages wait in the queues of mappings whose slot 0 this poller holds. That makes exactly one poller of the fleet
 * report each queue, so that sums over pollers are right, and it moves on with the lease.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #readers = new Map<string, Reader>();

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** The last reading of a mapping; undefined where another poller reads it or none succeeded yet. */
  read(mapping: string): QueueCounts | undefined {
    return this.#readers.get(mapping)?.counts;
  }

  /** Reads what is due. Called every few seconds; never rejects. */
  async tick(): Promise<void> {
    const held = new Set(this.#options.heldUnits());
    const ours = this.#options.mappings().filter((mapping) => held.has(`sqs-${mapping.uuid}-0`));
    const kept = new Set(ours);
    for (const [name, reader] of this.#readers) if (!kept.has(reader.mapping)) this.#close(name, reader);
    for (const mapping of ours) {
      if (this.#readers.has(mapping.name)) continue;
      this.#readers.set(mapping.name, { mapping, source: this.#options.createSource(mapping), counts: undefined, dueAtMs: 0 });
    }
    const nowMs = this.#options.clock.monotonicMs();
    const due = [...this.#readers.values()].filter((reader) => nowMs >= reader.dueAtMs);
    await Promise.all(due.map((reader) => this.#readOne(reader, nowMs)));
  }

  close(): void {
    for (const [name, reader] of this.#readers) this.#close(name, reader);
  }

  async #readOne(reader: Reader, nowMs: number): Promise<void> {
    reader.dueAtMs = nowMs + READ_EVERY_MS;
    try {
      const found = await reader.source.attributes();
      reader.counts = {
        visible: found.approximateNumberOfMessages,
        inFlight: found.approximateNumberOfMessagesNotVisible,
        delayed: found.approximateNumberOfMessagesDelayed,
      };
    } catch {
      // The slots meet the same trouble and report it as the mapping's problem; here it only means that nothing is known.
      reader.counts = undefined;
      reader.source.refresh();
    }
  }

  #close(name: string, reader: Reader): void {
    this.#readers.delete(name);
    reader.source.close();
  }
}
