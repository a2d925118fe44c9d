import type { Coordination, LeaseStore } from '@wherry/core/coordination';
import { StoreError } from '@wherry/core/coordination';
import type { Random } from '@wherry/core/clock';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { FailureDestination } from '@wherry/core/failure-destination';
import type { Invoker } from '@wherry/core/invoke';
import type { StreamMapping, WherryConfig } from '@wherry/core/mapping';
import type { StreamSource } from '@wherry/core/stream-source';
import type { StreamStore } from '@wherry/core/stream-store';
import { Fleet } from '@wherry/engine/fleet';
import type { SimClock } from '@wherry/testkit/sim-clock';
import { createSimulatedDestination } from '@wherry/testkit/simulated-destination';
import type { SimulatedStream } from '@wherry/testkit/simulated-stream';
import { callSimulatedStream, type CallFault, type StreamCall } from '@wherry/testkit/simulated-stream-calls';
import type { SimulatedStreamFunction } from '@wherry/testkit/simulated-stream-function';
import type { WitnessedLeases } from '@wherry/testkit/simulation-leases';
import { overLink } from '@wherry/testkit/simulation-link';
import { SimulatedProcess } from '@wherry/testkit/simulation-process';
import type { SimulationTrace } from '@wherry/testkit/simulation-trace';
import type { StreamLedger } from '@wherry/testkit/stream-ledger';
import type { SimulatedStreamPlan } from '@wherry/testkit/stream-simulation-plan';
import { openSimulatedSource } from './stream-service.ts';

/** What one poller reaches the world by; a planted fault replaces some of it. */
export interface StreamPorts {
  readonly leases: (store: LeaseStore) => LeaseStore;
  readonly streams: (store: StreamStore) => StreamStore;
  readonly source: (source: StreamSource, world: SimulatedStreamWorld) => StreamSource;
  readonly invoker: (invoker: Invoker) => Invoker;
  readonly destination: (destination: FailureDestination) => FailureDestination;
}

/** Faults a test plants into the fleet's surroundings to see that the ledger catches them. */
export interface StreamMutant {
  /** Asked once for each poller, whose faults may know of each other. */
  readonly plant?: () => Partial<StreamPorts>;
  /** The store itself, for all. */
  readonly store?: (store: LeaseStore) => LeaseStore;
  readonly config?: (config: WherryConfig) => WherryConfig;
}

/** One stream with all that belongs to it. */
export interface SimulatedStreamWorld {
  readonly plan: SimulatedStreamPlan;
  readonly stream: SimulatedStream;
  readonly ledger: StreamLedger;
  readonly function: SimulatedStreamFunction;
}

/** The servers that all pollers of a simulation share, and what is wrong with the ways to them. */
export interface StreamsWorld {
  readonly sim: SimClock;
  readonly random: Random;
  readonly trace: SimulationTrace;
  readonly witness: WitnessedLeases;
  readonly coordination: Coordination;
  /** By the name of the mapping. */
  readonly streams: ReadonlyMap<string, SimulatedStreamWorld>;
  readonly networkMs: number;
  readonly wallSkewMs: number;
  readonly mutant: StreamMutant;
  isStoreAway: boolean;
  areCallsBad: boolean;
  isDestinationDown: boolean;
  /** Calls to the store that were sent, by port and method. */
  readonly storeCalls: Map<string, number>;
}

/** One poller process of a simulation: a real `Fleet` behind the gate of a simulated process. */
export class StreamPoller {
  readonly token: string;
  readonly process: SimulatedProcess;
  readonly fleet: Fleet;
  readonly #world: StreamsWorld;
  readonly #planted: Partial<StreamPorts>;
  readonly #drain = new AbortController();
  readonly #kill = new AbortController();
  isPartitioned = false;
  isCutOff = false;
  isStopped = false;

  constructor(world: StreamsWorld, number: number, config: WherryConfig) {
    this.#world = world;
    this.token = `poller-${number}`;
    this.process = new SimulatedProcess(this.token);
    this.#planted = world.mutant.plant?.() ?? {};
    let ids = 0;
    this.fleet = new Fleet({
      surroundings: {
        clock: this.process.clock(world.sim, Math.round((world.random() - 0.5) * 2 * world.wallSkewMs)),
        random: world.random,
        newId: () => `${this.token}-${ids++}`,
      },
      stop: { drain: this.#drain.signal, kill: this.#kill.signal },
      coordination: this.#coordination(),
      config: world.mutant.config?.(config) ?? config,
      poller: { token: this.token, version: '0', adminUrl: '' },
      createSource: () => {
        throw new Error('there are no queues here');
      },
      createStreamSource: (mapping) => this.#source(mapping),
      createDestination: (mapping) => this.#destination(mapping),
      createInvoker: (fn) => this.#invoker(fn.name),
      observe: (event) => this.#observe(event),
    });
    void this.#run();
  }

  get isDraining(): boolean {
    return this.#drain.signal.aborted;
  }

  /** SIGTERM. */
  drain(): void {
    void this.process.deliver(() => this.#drain.abort());
  }

  /** SIGTERM, and a second one a little later. */
  terminate(afterMs: number): void {
    this.drain();
    this.#world.sim.after(afterMs, () => {
      if (!this.isStopped) void this.process.deliver(() => this.#kill.abort());
    });
  }

  /** Looks at the configuration file as soon as the process runs, and takes what stands in it then. */
  reload(readConfig: () => WherryConfig): void {
    void this.process.deliver(() => {
      const config = readConfig();
      this.fleet.reload(this.#world.mutant.config?.(config) ?? config);
    });
  }

  async #run(): Promise<void> {
    const { trace } = this.#world;
    try {
      await this.fleet.run();
      if (!this.isDraining) trace.broken('a fleet runs until it is told to stop', this.token);
    } catch (error) {
      trace.broken('a fleet never throws', `${this.token}: ${String(error instanceof Error ? error.stack : error)}`);
    }
    const { inFlight, bufferedBytes } = this.fleet.status();
    if (inFlight !== 0 || bufferedBytes !== 0)
      trace.broken('a stopped poller holds nothing', `${this.token}: ${inFlight} invocations, ${bufferedBytes} bytes`);
    this.isStopped = true;
    trace.note(`stopped ${this.token}`);
  }

  #coordination(): Coordination {
    const { coordination, sim, random, networkMs, storeCalls } = this.#world;
    const reach = <Port extends object>(port: Port, name: string): Port =>
      overLink(port, {
        sim,
        random,
        process: this.process,
        latencyMs: networkMs,
        loss: (method) => {
          storeCalls.set(`${name}.${method}`, (storeCalls.get(`${name}.${method}`) ?? 0) + 0.5);
          return this.isPartitioned || this.#world.isStoreAway ? 'request' : 'none';
        },
        fail: (method) => new StoreError(`${method}: command timed out`),
      });
    const { leases, streams } = this.#planted;
    return {
      leases: planted(reach(coordination.leases, 'leases'), leases),
      members: reach(coordination.members, 'members'),
      permits: reach(coordination.permits, 'permits'),
      gates: reach(coordination.gates, 'gates'),
      scale: reach(coordination.scale, 'scale'),
      streams: planted(reach(coordination.streams, 'streams'), streams),
      pauses: reach(coordination.pauses, 'pauses'),
      audit: reach(coordination.audit, 'audit'),
    };
  }

  #source(mapping: StreamMapping): StreamSource {
    const { sim, random, streams } = this.#world;
    const world = streams.get(mapping.name)!;
    const { stream, plan } = world;
    const link = { sim, random, process: this.process, latencyMs: plan.networkMs, fault: (call: StreamCall) => this.#callFault(call) };
    const source = openSimulatedSource(callSimulatedStream(stream, link), sim.clock(), plan.kind);
    return this.#planted.source?.(source, world) ?? source;
  }

  #callFault(call: StreamCall): CallFault {
    if (this.isCutOff) return 'hang';
    const { areCallsBad, random } = this.#world;
    if (!areCallsBad) return 'none';
    const drawn = random();
    if (drawn > 0.5) return 'none';
    const faults: readonly CallFault[] = [
      'hang',
      'lost',
      'ProvisionedThroughputExceededException',
      'InternalFailure',
      'LimitExceededException',
    ];
    const fault = faults[Math.floor(drawn * 2 * faults.length)]!;
    return call === 'getRecords' && drawn < 0.05 ? 'ExpiredIteratorException' : fault;
  }

  #destination(mapping: StreamMapping): FailureDestination | undefined {
    if (mapping.onFailure === undefined) return undefined;
    const { sim, random, streams, witness } = this.#world;
    const { ledger, plan } = streams.get(mapping.name)!;
    const destination = createSimulatedDestination({
      sim,
      random,
      ledger,
      process: this.process,
      poller: this.token,
      latencyMs: plan.networkMs,
      fault: () => (this.#world.isDestinationDown ? 'refused' : random() < 0.05 ? 'lost' : 'none'),
      isLeaseHeld: (unit) => witness.isHeld(unit, this.token),
    });
    return this.#planted.destination?.(destination) ?? destination;
  }

  #invoker(functionName: string): Invoker {
    const { streams, witness } = this.#world;
    const invoker = streams.get(functionName)!.function.invoker({
      process: this.process,
      token: this.token,
      isLeaseHeld: (unit, epoch) => witness.isHeld(unit, this.token, epoch),
      isOwner: (unit, epoch) => witness.isOwner(unit, this.token, epoch),
    });
    return this.#planted.invoker?.(invoker) ?? invoker;
  }

  #observe(event: EngineEvent): void {
    const { trace } = this.#world;
    if (event.type === 'crashed')
      trace.broken('no loop crashes', `${this.token}: ${String(event.error instanceof Error ? event.error.stack : event.error)}`);
    if (!QUIET.has(event.type)) trace.note(`${this.token} ${JSON.stringify(event)}`);
  }
}

/** Events of every read and invocation: the servers' side tells of them. */
const QUIET: ReadonlySet<EngineEvent['type']> = new Set(['polled', 'invoked', 'settled', 'iteratorAge', 'checkpointed', 'filtered']);

function planted<Port>(port: Port, exchange: ((port: Port) => Port) | undefined): Port {
  return exchange === undefined ? port : exchange(port);
}
