import type { Clock } from '@wherry/core/clock';
import { SourceError } from '@wherry/core/source-error';
import type { ShardPage, ShardPosition, ShardReader, StreamRecord, StreamShard } from '@wherry/core/stream-source';
import { toPositionError, toStreamError } from '../streams/errors.ts';
import { LATEST_MARGIN_MS } from '../streams/iterator-reader.ts';
import type { Consumer } from './consumer.ts';
import type { SubscriptionCalls, SubscriptionEvent } from './subscription.ts';
import type { PushedRecord } from './unpack-records.ts';

/**
 * A subscription on which no event came for this long is given up and made anew. AWS sends one about every five seconds, also
 * without records, and documents no figure: three of them. Inferred.
 */
const SILENCE_MS = 15_000;
/**
 * Less than five seconds after a subscription was made there can be no other for the same shard and consumer: for so long and some
 * more the refusal is waited out, with this step.
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
 */
const IN_USE_WAIT_MS = 8_000;
const IN_USE_STEP_MS = 1_000;
/** A subscription that ended earlier than this and brought no record is a failure and not a renewal. Inferred. */
const SHORT_LIFE_MS = 1_000;

/** What a reader is given. */
export interface FanOutReaderOptions {
  readonly shardId: string;
  readonly position: ShardPosition;
  readonly consumer: Consumer;
  /** The calls of the shard's stream, as soon as they can be made. */
  readonly calls: () => Promise<Pick<SubscriptionCalls, 'subscribe'>>;
  /** Writes the records of an event; may ask the service something. */
  readonly unpack: (records: readonly PushedRecord[], consumerArn: string) => Promise<readonly StreamRecord[]>;
  readonly clock: Clock;
}

/** A subscription that stands. */
interface Subscription {
  readonly events: AsyncIterator<SubscriptionEvent>;
  readonly consumerArn: string;
  readonly sinceMs: number;
  readonly stop: AbortController;
  hasRecords: boolean;
  hasSpoken: boolean;
}

/** An event that arrived, and was not unpacked yet. */
interface Arrived {
  readonly event: SubscriptionEvent;
  readonly consumerArn: string;
}

/** An event that was unpacked, and how much of it was read. */
interface HeldPage {
  readonly event: SubscriptionEvent;
  readonly records: readonly StreamRecord[];
  read: number;
}

/**
 * Reads one shard by SubscribeToShard. One event is held at a time: the next is taken off the connection when somebody waits for it, so
 * that a reader whose records nobody wants stops the service from sending more.
 *
 * A subscription ends after five minutes, or with its connection, or in silence; the next one begins behind the last event that arrived
 * whole, so nothing is missing and nothing comes twice. What the service itself says against it is told to whoever reads.
 *
 * `LATEST` is not a place that can be found again, as long as no event has named one: see `IteratorReader`.
 */
export class FanOutReader implements ShardReader {
  readonly #options: FanOutReaderOptions;
  #position: ShardPosition;
  /** When the shard was subscribed to at `LATEST`, with the margin taken off; until the first event came. */
  #latestSinceMs: number | undefined;
  /** Ends all that runs; another one after that. */
  #stop = new AbortController();
  #subscribing: Promise<void> | undefined;
  #filling: Promise<void> | undefined;
  #subscription: Subscription | undefined;
  #arrived: Arrived | undefined;
  #page: HeldPage | undefined;
  #failure: SourceError | undefined;

  constructor(options: FanOutReaderOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#isReady && !signal.aborted) await this.#unlessAborted(this.#fill(), signal);
  }

  async read(maxRecords: number, signal: AbortSignal): Promise<ShardPage> {
    if (!this.#isReady && !signal.aborted) await this.#unlessAborted(this.#subscribed(), signal);
    if (signal.aborted) throw new SourceError('unavailable', 'AbortError', 'SubscribeToShard failed: the read was aborted');
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return this.#take(Math.max(1, maxRecords));
  }

  close(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#subscribing = undefined;
    this.#filling = undefined;
    this.#subscription = undefined;
  }

  get #isReady(): boolean {
    return this.#page !== undefined || this.#failure !== undefined;
  }

  async #unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      this.close();
      resolve();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve);
    await promise;
    signal.removeEventListener('abort', onAbort);
  }

  #take(maxRecords: number): ShardPage {
    const page = this.#page;
    if (page === undefined) return { records: [], isEnd: false };
    const { event, read } = page;
    const records = page.records.slice(read, read + maxRecords);
    page.read += records.length;
    const isDone = page.read >= page.records.length;
    const behind = event.behindMs === undefined ? {} : { behindMs: event.behindMs };
    if (isDone && event.isEnd) return { records, isEnd: true, ...children(event.childShards), ...behind };
    if (isDone) this.#page = undefined;
    return { records, isEnd: false, ...behind };
  }

  /** Resolves when there is a page, or a failure, or it was stopped. Never rejects. */
  #fill(): Promise<void> {
    const { signal } = this.#stop;
    this.#filling ??= this.#fillPage(signal).finally(() => {
      if (!signal.aborted) this.#filling = undefined;
    });
    return this.#filling;
  }

  async #fillPage(signal: AbortSignal): Promise<void> {
    while (!this.#isReady && !signal.aborted) {
      if (this.#arrived !== undefined) await this.#unpack(this.#arrived, signal);
      else if (this.#subscription === undefined) await this.#subscribed();
      else await this.#receive(this.#subscription, signal);
    }
  }

  async #unpack({ event, consumerArn }: Arrived, signal: AbortSignal): Promise<void> {
    try {
      const records = await this.#options.unpack(event.records, consumerArn);
      if (signal.aborted) return;
      this.#arrived = undefined;
      this.#page = { event, records, read: 0 };
    } catch (thrown) {
      if (!signal.aborted) this.#failure = toStreamError(thrown, 'ListShards');
    }
  }

  /** Waits for the next event of a subscription. */
  async #receive(subscription: Subscription, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    try {
      const next = subscription.events.next();
      // Nobody is told about it any more once the silence was long enough.
      next.catch(() => {});
      const result = await Promise.race([next, this.#options.clock.sleep(SILENCE_MS, silence.signal)]);
      if (signal.aborted) return;
      if (result === undefined) this.#lose(subscription, new Error(`no event came for ${SILENCE_MS} ms`));
      else if (result.done === true) this.#lose(subscription, new Error('it ended without an event'));
      else this.#accept(subscription, result.value);
    } catch (thrown) {
      if (!signal.aborted) this.#lose(subscription, thrown);
    } finally {
      silence.abort();
    }
  }

  #accept(subscription: Subscription, event: SubscriptionEvent): void {
    subscription.hasSpoken = true;
    if (event.records.length > 0) subscription.hasRecords = true;
    const sequenceNumber = event.continuationSequenceNumber;
    if (sequenceNumber !== undefined) this.#position = { kind: 'AFTER_SEQUENCE_NUMBER', sequenceNumber };
    if (sequenceNumber !== undefined) this.#latestSinceMs = undefined;
    this.#arrived = { event, consumerArn: subscription.consumerArn };
    if (event.isEnd) this.#drop(subscription);
  }

  #drop(subscription: Subscription): void {
    subscription.stop.abort();
    this.#subscription = undefined;
  }

  /** A subscription is over: told if the service has said why, or if it never was of any use; else the next one follows. */
  #lose(subscription: Subscription, reason: unknown): void {
    this.#drop(subscription);
    const error = toStreamError(reason, 'SubscribeToShard');
    if (error.code === 'notFound') this.#options.consumer.forget();
    const isSaid =
      (typeof reason === 'object' && reason !== null && '$fault' in reason) || !['unavailable', 'unknown'].includes(error.code);
    const lifeMs = this.#options.clock.monotonicMs() - subscription.sinceMs;
    if (isSaid) this.#failure = error;
    else if (!subscription.hasRecords && !(subscription.hasSpoken && lifeMs >= SHORT_LIFE_MS)) {
      this.#failure = new SourceError('unavailable', error.serviceCode, error.message, { cause: reason });
    }
  }

  /** Resolves when a subscription stands, or there is a failure, or it was stopped. Never rejects. */
  #subscribed(): Promise<void> {
    if (this.#subscription !== undefined) return Promise.resolve();
    const { signal } = this.#stop;
    this.#subscribing ??= this.#subscribe(signal).then(
      (subscription) => {
        if (signal.aborted) return;
        this.#subscribing = undefined;
        this.#subscription = subscription;
      },
      (error: unknown) => {
        if (signal.aborted) return;
        this.#subscribing = undefined;
        this.#failure = toStreamError(error, 'SubscribeToShard');
      },
    );
    return this.#subscribing;
  }

  async #subscribe(signal: AbortSignal): Promise<Subscription> {
    const { clock, consumer, shardId } = this.#options;
    const calls = await this.#options.calls();
    const firstMs = clock.monotonicMs();
    for (;;) {
      const consumerArn = await consumer.arn();
      const position = this.#nextPosition();
      const [askedAtMs, sinceMs] = [clock.nowMs(), clock.monotonicMs()];
      const stop = new AbortController();
      try {
        const events = await calls.subscribe(consumerArn, shardId, position, AbortSignal.any([signal, stop.signal]));
        if (position.kind === 'LATEST') this.#latestSinceMs = askedAtMs - LATEST_MARGIN_MS;
        return { events, consumerArn, sinceMs, stop, hasRecords: false, hasSpoken: false };
      } catch (thrown) {
        const error = toPositionError(thrown, position, 'SubscribeToShard');
        if (error.code === 'notFound') consumer.forget();
        const isWorthWaiting = error.serviceCode === 'ResourceInUseException' && clock.monotonicMs() - firstMs < IN_USE_WAIT_MS;
        if (!isWorthWaiting || signal.aborted) throw error;
      }
      await clock.sleep(IN_USE_STEP_MS, signal);
    }
  }

  #nextPosition(): ShardPosition {
    return this.#latestSinceMs === undefined ? this.#position : { kind: 'AT_TIMESTAMP', timestampMs: this.#latestSinceMs };
  }
}

function children(childShards: readonly StreamShard[]): { childShards?: readonly StreamShard[] } {
  return childShards.length === 0 ? {} : { childShards };
}
