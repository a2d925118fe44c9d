import type { Observe } from '@wherry/core/engine-event';
import type { FaultCode, SourceError } from '@wherry/core/source-error';

/** What a person has to mend. One shard that says so is enough; other faults pass, and count when no shard can be read. */
const FOR_PEOPLE: ReadonlySet<FaultCode> = new Set<FaultCode>(['accessDenied', 'notFound', 'invalid']);

interface Trouble {
  readonly code: FaultCode;
  readonly message: string;
}

/**
 * What is wrong with the shards of one mapping, told as one problem: once when it begins and once when it has gone away, however many
 * shards run into it. How long a shard pauses is its own business (`poll-pace.ts`), so that one that cannot be read holds up no other.
 * A throttle is no trouble: others read the shard too, and it paces itself.
 */
export class ShardTroubles {
  readonly #mapping: string;
  readonly #observe: Observe;
  readonly #shards = new Map<string, Trouble | undefined>();
  #told: Trouble | undefined;

  constructor(mapping: string, observe: Observe) {
    this.#mapping = mapping;
    this.#observe = observe;
  }

  /** What is wrong now. */
  get problem(): string | undefined {
    return this.#told?.message;
  }

  /** A shard is read from now on. */
  enter(shardId: string): void {
    this.#shards.set(shardId, undefined);
  }

  failed(shardId: string, error: SourceError): void {
    if (error.code === 'throttled') return;
    this.#shards.set(shardId, { code: error.code, message: `${shardId}: ${error.serviceCode}: ${error.message}` });
    this.#tell();
  }

  worked(shardId: string): void {
    if (this.#shards.get(shardId) === undefined && this.#told === undefined) return;
    this.#shards.set(shardId, undefined);
    this.#tell();
  }

  /** The shard is not read any more. Its trouble, if it had one, goes with it. */
  leave(shardId: string): void {
    this.#shards.delete(shardId);
    this.#tell({ isLeft: true });
  }

  #tell(how: { readonly isLeft?: true } = {}): void {
    const now = this.#problemNow();
    const before = this.#told;
    this.#told = now;
    if (now?.code === before?.code) return;
    if (before !== undefined) this.#observe({ type: 'problem', mapping: this.#mapping, ...before, resolved: true, ...how });
    if (now !== undefined) this.#observe({ type: 'problem', mapping: this.#mapping, ...now, resolved: false });
  }

  #problemNow(): Trouble | undefined {
    const troubles = [...this.#shards.values()].filter((trouble) => trouble !== undefined);
    const forPeople = troubles.find(({ code }) => FOR_PEOPLE.has(code));
    return forPeople ?? (troubles.length === this.#shards.size ? troubles[0] : undefined);
  }
}
