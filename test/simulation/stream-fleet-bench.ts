import type { Coordination } from '@wherry/core/coordination';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { InvokeRequest, Invoker } from '@wherry/core/invoke';
import type { StreamMapping, WherryConfig } from '@wherry/core/mapping';
import type { StreamSource } from '@wherry/core/stream-source';
import { Fleet } from '@wherry/engine/fleet';
import { success } from '@wherry/testkit/fake-invoker';
import { createMemoryCoordination } from '@wherry/testkit/memory-coordination';
import { sampleConfig, sampleStreamMapping } from '@wherry/testkit/sample-config';
import { seededRandom } from '@wherry/testkit/seeded-random';
import { SimClock } from '@wherry/testkit/sim-clock';
import type { SimulatedStream } from '@wherry/testkit/simulated-stream';
import { callSimulatedStream } from '@wherry/testkit/simulated-stream-calls';
import { SimulatedProcess } from '@wherry/testkit/simulation-process';
import { createSimulatedStream, openSimulatedSource } from './stream-service.ts';

/** A record as the function got it. */
export interface Delivered {
  readonly data: string;
  readonly poller: string;
  readonly atMs: number;
}

/** One poller of the bench. */
export interface BenchPoller {
  readonly token: string;
  readonly fleet: Fleet;
  readonly drain: AbortController;
  readonly kill: AbortController;
  readonly events: EngineEvent[];
  isStopped: boolean;
}

/** What a test changes. */
export interface StreamFleetOptions {
  readonly shards?: number;
  readonly kind?: 'kinesis' | 'dynamodb';
  readonly mapping?: Partial<StreamMapping>;
  readonly settings?: Parameters<typeof sampleConfig>[0];
  readonly durationMs?: number;
  /** Stands between the pollers and the stream. */
  readonly source?: (source: StreamSource) => StreamSource;
}

/** Pollers that read one stream, whole and real, on memory stores and a virtual clock. */
export class StreamFleetBench {
  readonly sim = new SimClock();
  readonly clock = this.sim.clock();
  readonly pollers: BenchPoller[] = [];
  readonly delivered: Delivered[] = [];
  readonly mapping: StreamMapping;
  /** What stands at the stream's name now. */
  stream: SimulatedStream;
  /** The store behind what the pollers have. */
  store: Coordination = createMemoryCoordination(this.clock);
  readonly storeCalls: string[] = [];
  readonly #options: StreamFleetOptions;
  readonly #random = seededRandom(1);
  #written = 0;

  constructor(options: StreamFleetOptions = {}) {
    this.#options = options;
    this.mapping = sampleStreamMapping({ source: options.kind ?? 'kinesis', ...options.mapping });
    this.stream = this.createStream(options.shards ?? 2);
  }

  createStream(shards: number): SimulatedStream {
    const { source: kind, eventSourceArn: arn } = this.mapping;
    return createSimulatedStream({ clock: this.clock, kind, arn, shards });
  }

  config(mapping: Partial<StreamMapping> = {}): WherryConfig {
    return sampleConfig({ mappings: [{ ...this.mapping, ...mapping }], ...this.#options.settings });
  }

  start(config = this.config()): BenchPoller {
    const token = `poller-${this.pollers.length}`;
    const process = new SimulatedProcess(token);
    const clock = process.clock(this.sim, 0);
    const drain = new AbortController();
    const kill = new AbortController();
    const events: EngineEvent[] = [];
    let ids = 0;
    const fleet = new Fleet({
      surroundings: { clock, random: this.#random, newId: () => `${token}-${ids++}` },
      stop: { drain: drain.signal, kill: kill.signal },
      coordination: this.#coordination(),
      config,
      poller: { token, version: '1', adminUrl: '' },
      createSource: ({ name }) => {
        throw new Error(`${name}: there are streams alone here`);
      },
      createStreamSource: () => this.#source(process),
      createDestination: () => undefined,
      createInvoker: () => this.#invoker(token),
      observe: (event) => void events.push(event),
    });
    const poller: BenchPoller = { token, fleet, drain, kill, events, isStopped: false };
    void fleet.run().then(() => (poller.isStopped = true));
    this.pollers.push(poller);
    return poller;
  }

  /** Writes so many records, each with a key of its own. */
  put(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const data = `record-${(this.#written += 1)}`;
      this.stream.put({ key: data, data });
    }
  }

  /** Lets time pass in small steps until this holds; throws if it does not in time. */
  async until(what: () => boolean, withinMs = 120_000): Promise<void> {
    const untilMs = this.sim.nowMs() + withinMs;
    while (!what()) {
      if (this.sim.nowMs() > untilMs) throw new Error(`after ${withinMs} ms: ${this.delivered.length} of ${this.#written} delivered`);
      await this.sim.advance(100);
    }
  }

  untilAllDelivered(withinMs?: number): Promise<void> {
    return this.until(() => new Set(this.delivered.map(({ data }) => data)).size === this.#written, withinMs);
  }

  /** Records delivered more than once. */
  get repeated(): number {
    return this.delivered.length - new Set(this.delivered.map(({ data }) => data)).size;
  }

  /** The shards that each poller works on. */
  shardsHere(): string[][] {
    return this.pollers.map(({ fleet }) => (fleet.status().mappings[0]?.shards?.here ?? []).map(({ shardId }) => shardId).toSorted());
  }

  #coordination(): Coordination {
    const port = <Name extends keyof Coordination>(name: Name): Coordination[Name] =>
      new Proxy({} as Coordination[Name], {
        get:
          (_, method) =>
          async (...args: unknown[]): Promise<unknown> => {
            this.storeCalls.push(`${name}.${String(method)}`);
            const real = this.store[name] as unknown as Record<string | symbol, (...given: unknown[]) => Promise<unknown>>;
            return await real[method]!(...args);
          },
      });
    return {
      leases: port('leases'),
      members: port('members'),
      permits: port('permits'),
      gates: port('gates'),
      scale: port('scale'),
      streams: port('streams'),
      pauses: port('pauses'),
      audit: port('audit'),
    };
  }

  #source(process: SimulatedProcess): StreamSource {
    const link = { sim: this.sim, random: this.#random, process, latencyMs: 10, fault: () => 'none' };
    const callsOf = (): ReturnType<typeof callSimulatedStream> => callSimulatedStream(this.stream, link);
    const { kind } = this.stream.options;
    // Whatever stands at the stream's name is asked, as a real client would.
    const source = openSimulatedSource(
      {
        ...callsOf(),
        identity: (signal) => callsOf().identity(signal),
        listShards: (after, signal) => callsOf().listShards(after, signal),
        getShardIterator: (shardId, position, signal) => callsOf().getShardIterator(shardId, position, signal),
        getRecords: (shardId, iterator, limit, signal) => callsOf().getRecords(shardId, iterator, limit, signal),
      },
      this.clock,
      kind,
    );
    return this.#options.source?.(source) ?? source;
  }

  #invoker(poller: string): Invoker {
    const { durationMs = 50 } = this.#options;
    return {
      invoke: async (request) => {
        await this.clock.sleep(durationMs, request.signal);
        if (request.signal.aborted) return { kind: 'unavailable', reason: 'aborted', permanent: false, durationMs };
        this.#deliver(request, poller);
        return { ...success(), durationMs };
      },
      close: () => Promise.resolve(),
    };
  }

  #deliver({ payload }: InvokeRequest, poller: string): void {
    const event = JSON.parse(Buffer.from(payload).toString()) as { Records: readonly EventRecord[] };
    for (const { kinesis, dynamodb } of event.Records) {
      const data = kinesis === undefined ? dynamodb?.Keys.pk.S : kinesis.partitionKey;
      this.delivered.push({ data: data ?? '', poller, atMs: this.sim.nowMs() });
    }
  }
}

interface EventRecord {
  readonly kinesis?: { readonly partitionKey: string };
  readonly dynamodb?: { readonly Keys: { readonly pk: { readonly S: string } } };
}
