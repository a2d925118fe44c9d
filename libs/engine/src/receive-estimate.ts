/**
 * What a receive will bring, in bytes of its records, as far as that can be known before it is sent. It is learnt from what earlier
 * receives of the same mapping brought, rises at once, since too low an estimate overdraws the account, and sinks slowly.
 */

/**
 * What a look takes a message to be: the largest that SQS carries, with its envelope.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
export const LARGEST_MESSAGE_BYTES = 1_024 * 1_024 + 8_192;
/** What a message is taken to be in bytes when the source was empty so far; and the least it is ever taken to be. */
const UNSEEN_MESSAGE_BYTES = 4_096;
const LEAST_MESSAGE_BYTES = 512;
/** Weight of the newest receive when the estimate sinks. */
const SINK_WEIGHT = 0.2;

/** The bytes of receives to come, of one mapping. */
export interface ReceiveEstimate {
  /** Some receive has brought something. */
  readonly isKnown: boolean;
  /** Receives that may be out at a time until then: each of them may be a surprise. */
  readonly unseenAtOnce: number;
  /** @param isLook nobody has looked into the source yet: the worst case counts */
  bytesOf(messages: number, isLook: boolean): number;
  /** How many messages, up to `wanted`, a receive that may bring so many bytes should ask for; 0 if none. */
  messagesIn(bytes: number, wanted: number, isLook: boolean): number;
  learn(recordBytes: readonly number[]): void;
}

/** A few messages at a time, each of which may be as large as the largest of late. A long poll is out for long, so one at a time. */
export class MessageEstimate implements ReceiveEstimate {
  readonly unseenAtOnce = 1;
  #largest: number | undefined;

  get isKnown(): boolean {
    return this.#largest !== undefined;
  }

  bytesOf(messages: number, isLook: boolean): number {
    return messages * this.#each(isLook);
  }

  messagesIn(bytes: number, wanted: number, isLook: boolean): number {
    return Math.max(0, Math.min(wanted, Math.floor(bytes / this.#each(isLook))));
  }

  learn(recordBytes: readonly number[]): void {
    if (recordBytes.length > 0) this.#largest = risen(this.#largest, Math.max(LEAST_MESSAGE_BYTES, ...recordBytes));
  }

  #each(isLook: boolean): number {
    return this.#largest ?? (isLook ? LARGEST_MESSAGE_BYTES : UNSEEN_MESSAGE_BYTES);
  }
}

/** Reads of a shard are short, and the shards of a mapping are many: so many may be out while nothing is known of their records. */
const UNSEEN_PAGES_AT_ONCE = 4;

/**
 * Pages of up to thousands of records: as many as asked for of the mean size, and one as large as the largest of late. The source
 * itself ends a page at some bytes, whatever was asked for.
 */
export class PageEstimate implements ReceiveEstimate {
  readonly unseenAtOnce = UNSEEN_PAGES_AT_ONCE;
  readonly #pageBytesMax: number;
  #mean: number | undefined;
  #largest = 0;

  /** @param pageBytesMax most bytes that the records of one page come to */
  constructor(pageBytesMax: number) {
    this.#pageBytesMax = pageBytesMax;
  }

  get isKnown(): boolean {
    return this.#mean !== undefined;
  }

  bytesOf(messages: number, isLook: boolean): number {
    return Math.min(this.#pageBytesMax, messages * this.#each(isLook) + this.#largest);
  }

  messagesIn(bytes: number, wanted: number, isLook: boolean): number {
    if (this.#pageBytesMax <= bytes) return wanted;
    return Math.max(0, Math.min(wanted, Math.floor((bytes - this.#largest) / this.#each(isLook))));
  }

  learn(recordBytes: readonly number[]): void {
    if (recordBytes.length === 0) return;
    let sum = 0;
    let largest = 0;
    for (const bytes of recordBytes) {
      sum += bytes;
      if (bytes > largest) largest = bytes;
    }
    this.#mean = risen(this.#mean, Math.max(LEAST_MESSAGE_BYTES, Math.ceil(sum / recordBytes.length)));
    this.#largest = risen(this.#largest, largest);
  }

  #each(isLook: boolean): number {
    return this.#mean ?? (isLook ? LARGEST_MESSAGE_BYTES : UNSEEN_MESSAGE_BYTES);
  }
}

/** Whole bytes: a remainder of a fraction would keep the account from ever coming back to zero. */
function risen(known: number | undefined, seen: number): number {
  return known === undefined || seen >= known ? seen : Math.ceil(known + (seen - known) * SINK_WEIGHT);
}
