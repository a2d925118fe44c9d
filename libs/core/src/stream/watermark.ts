const FIRST_CAPACITY = 64;

/**
 * How far a shard is done: its records in the order of the shard, and the highest sequence number up to which every one of them
 * is terminal (succeeded, filtered out, discarded, or written to the failure destination). That number, the watermark, is the only
 * one that may be written as the shard's checkpoint: after a crash everything above it comes again, and nothing below it is missing.
 *
 * Records are dealt to lanes, and a lane settles its records in order. It is therefore enough to count: the oldest record that is
 * not done yet belongs to some lane, and is terminal exactly if that lane has settled one more record than the watermark has passed
 * of it. The list is a ring of sequence numbers and lane numbers; a record costs no object, and passing it takes constant time.
 *
 * The user records of one aggregate all have its sequence number, and reading begins behind a number, never inside one. The number
 * therefore counts as done with the last of them; until then the watermark stays at the number before, whatever the lanes of the
 * others.
 */
export class Watermark {
  /**
   * Sequence number up to which the shard is done once the entry and all before it are: that of its record, or of filtered records
   * right behind it. Within an aggregate it is that of the record before the aggregate; empty if there was none.
   */
  #through: string[] = Array.from({ length: FIRST_CAPACITY }, () => '');
  #laneOf = new Uint8Array(FIRST_CAPACITY);
  #head = 0;
  #size = 0;
  /** Per lane: records that it has settled and the watermark has not passed, because an older record of another lane is not done. */
  readonly #ahead: number[];
  /** Up to here the shard is done once everything that was added is. */
  #tail = '';
  #sequenceNumber = '';

  /** @param lanes how many lanes there are, 1 to 256 */
  constructor(lanes: number) {
    this.#ahead = Array.from({ length: lanes }, () => 0);
  }

  /** The highest sequence number such that it and everything below it is terminal; undefined until there is one. */
  get sequenceNumber(): string | undefined {
    return this.#sequenceNumber === '' ? undefined : this.#sequenceNumber;
  }

  /** Records above the watermark that are not filtered: what a crash now would deliver again, or for the first time. */
  get size(): number {
    return this.#size;
  }

  /**
   * The next record of the shard goes to `lane`.
   * @param isWithinAggregate others of the same sequence number follow it
   */
  add(lane: number, sequenceNumber: string, isWithinAggregate = false): void {
    if (this.#ahead[lane] === undefined) throw new Error(`there is no lane ${lane}: expected 0 to ${this.#ahead.length - 1}`);
    if (this.#size === this.#through.length) this.#grow();
    const slot = (this.#head + this.#size) & (this.#through.length - 1);
    if (!isWithinAggregate) this.#tail = sequenceNumber;
    this.#through[slot] = this.#tail;
    this.#laneOf[slot] = lane;
    this.#size += 1;
  }

  /**
   * The next record of the shard was filtered out: it is terminal at once. It takes no room, since it is done when the record before
   * it is. Within an aggregate that tells nothing, because others of the same number follow.
   */
  pass(sequenceNumber: string, isWithinAggregate = false): void {
    if (isWithinAggregate) return;
    this.#tail = sequenceNumber;
    if (this.#size === 0) this.#sequenceNumber = sequenceNumber;
    else this.#through[(this.#head + this.#size - 1) & (this.#through.length - 1)] = sequenceNumber;
  }

  /** The `count` oldest records of `lane` that were not terminal are so now. */
  finish(lane: number, count: number): void {
    this.#ahead[lane]! += count;
    while (this.#size > 0) {
      const owner = this.#laneOf[this.#head]!;
      if (!(this.#ahead[owner]! > 0)) return;
      this.#ahead[owner]! -= 1;
      this.#sequenceNumber = this.#through[this.#head]!;
      this.#through[this.#head] = '';
      this.#head = (this.#head + 1) & (this.#through.length - 1);
      this.#size -= 1;
    }
  }

  #grow(): void {
    const capacity = this.#through.length;
    const through = Array.from({ length: capacity * 2 }, () => '');
    const laneOf = new Uint8Array(capacity * 2);
    for (let i = 0; i < this.#size; i += 1) {
      const slot = (this.#head + i) & (capacity - 1);
      through[i] = this.#through[slot]!;
      laneOf[i] = this.#laneOf[slot]!;
    }
    this.#through = through;
    this.#laneOf = laneOf;
    this.#head = 0;
  }
}
