import type { Clock } from '@wherry/core/clock';
import type { StreamMapping } from '@wherry/core/mapping';
import { SourceError } from '@wherry/core/source-error';
import { toStreamError } from '../streams/errors.ts';
import type { ConsumerDescription, SubscriptionCalls } from './subscription.ts';

/** `ConsumerName`: 1 to 128 of `[a-zA-Z0-9_.-]`. */
const NAME_LENGTH_MAX = 128;
const NOT_IN_NAME = /[^a-zA-Z0-9_.-]/g;
const UUID_DIGITS = 8;

/** How often is looked whether a consumer has become active, and for how long at the most; AWS takes some seconds. Inferred. */
const LOOK_EVERY_MS = 1_000;
const LOOKS_MAX = 60;

/**
 * Name of the consumer that is registered for a mapping: its own name for people, and a part of its uuid so that two fleets which
 * read the same stream under the same mapping name do not take each other's subscriptions. Never change it: a consumer of the old
 * name would stay behind, and is paid for.
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html
 */
export function consumerName({ name, uuid }: Pick<StreamMapping, 'name' | 'uuid'>): string {
  const [head, tail] = ['wherry-', `-${uuid.slice(0, UUID_DIGITS)}`];
  return head + name.replace(NOT_IN_NAME, '-').slice(0, NAME_LENGTH_MAX - head.length - tail.length) + tail;
}

/** Gives the ARN of the consumer to subscribe with. */
export interface Consumer {
  /** Throws `SourceError`. */
  arn(): Promise<string>;
  /** The service does not know it any more: it is looked for anew. */
  forget(): void;
  /** Nobody needs it any more: ends what is under way. */
  close(): void;
}

/** The consumer that a mapping names by its ARN. */
export function givenConsumer(arn: string): Consumer {
  return { arn: () => Promise.resolve(arn), forget: () => {}, close: () => {} };
}

/**
 * A consumer that is looked for by its name, registered if there is none, and waited for until it is active. Any number of pollers may
 * do so at the same time: whoever comes second finds the consumer of the first.
 */
export class RegisteredConsumer implements Consumer {
  readonly #calls: () => Promise<SubscriptionCalls>;
  readonly #name: string;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #stop = new AbortController();
  /** One search for all shards. */
  #arn: Promise<string> | undefined;

  constructor(calls: () => Promise<SubscriptionCalls>, name: string, clock: Pick<Clock, 'sleep'>) {
    this.#calls = calls;
    this.#name = name;
    this.#clock = clock;
  }

  async arn(): Promise<string> {
    const search = (this.#arn ??= this.#look(this.#stop.signal));
    try {
      return await search;
    } catch (error) {
      if (this.#arn === search) this.#arn = undefined;
      throw error;
    }
  }

  forget(): void {
    this.#arn = undefined;
  }

  close(): void {
    this.#stop.abort();
  }

  async #look(signal: AbortSignal): Promise<string> {
    const calls = await this.#calls();
    let status = 'unknown';
    for (let look = 0; look < LOOKS_MAX && !signal.aborted; look += 1) {
      if (look > 0) await this.#clock.sleep(LOOK_EVERY_MS, signal);
      const consumer = (await this.#find(calls, signal)) ?? (await this.#register(calls, signal));
      if (consumer?.status === 'ACTIVE') return consumer.arn;
      status = consumer?.status ?? status;
    }
    throw new SourceError('unavailable', 'ConsumerNotActive', `consumer ${this.#name} did not become active; its state was ${status}`);
  }

  async #find(calls: SubscriptionCalls, signal: AbortSignal): Promise<ConsumerDescription | undefined> {
    try {
      return await calls.describeConsumer(this.#name, signal);
    } catch (thrown) {
      const error = toStreamError(thrown, 'DescribeStreamConsumer');
      if (error.code === 'notFound') return undefined;
      throw error;
    }
  }

  async #register(calls: SubscriptionCalls, signal: AbortSignal): Promise<ConsumerDescription | undefined> {
    try {
      return await calls.registerConsumer(this.#name, signal);
    } catch (thrown) {
      const error = toStreamError(thrown, 'RegisterStreamConsumer');
      // Another poller was faster, or one of this name is being deleted: the next look tells.
      if (error.serviceCode === 'ResourceInUseException') return undefined;
      throw error;
    }
  }
}
