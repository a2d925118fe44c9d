import type { Coordination, LeaseStore, PermitStore } from '@wherry/core/coordination';
import { StoreError } from '@wherry/core/coordination';
import type { Random } from '@wherry/core/clock';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { Invoker } from '@wherry/core/invoke';
import type { SqsMapping, WherryConfig } from '@wherry/core/mapping';
import type { QueueMessage, QueueSource } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';
import { Fleet } from '@wherry/engine/fleet';
import type { SimClock } from '@wherry/testkit/sim-clock';
import type { SimulatedFunction } from '@wherry/testkit/simulation-function';
import type { WitnessedLeases } from '@wherry/testkit/simulation-leases';
import type { SimulationLedger } from '@wherry/testkit/simulation-ledger';
import { overLink, type LinkOptions, type Loss } from '@wherry/testkit/simulation-link';
import { SimulatedProcess } from '@wherry/testkit/simulation-process';
import { witnessQueue } from '@wherry/testkit/simulation-queue';

/** Faults a test plants into the fleet's surroundings to see that the ledger catches them; each wraps one port of every poller. */
export interface Mutant {
  readonly leases?: (store: LeaseStore) => LeaseStore;
  readonly permits?: (store: PermitStore) => PermitStore;
  readonly source?: (source: QueueSource) => QueueSource;
  readonly invoker?: (invoker: Invoker) => Invoker;
  readonly config?: (config: WherryConfig) => WherryConfig;
}

/** The servers that all pollers of a simulation share, and what is wrong with the ways to them. */
export interface SimulatedWorld {
  readonly sim: SimClock;
  readonly random: Random;
  readonly ledger: SimulationLedger;
  readonly witness: WitnessedLeases;
  readonly coordination: Coordination;
  readonly queues: ReadonlyMap<string, QueueSource>;
  readonly functions: ReadonlyMap<string, SimulatedFunction>;
  readonly latencyMs: number;
  readonly wallSkewMs: number;
  readonly mutant: Mutant;
  isStoreAway: boolean;
  areDeletesLost: boolean;
  areReceivesLost: boolean;
}

/** One poller process of a simulation: a real `Fleet` behind the gate of a simulated process. */
export class SimulatedPoller {
  readonly token: string;
  readonly process: SimulatedProcess;
  readonly fleet: Fleet;
  readonly #world: SimulatedWorld;
  readonly #drain = new AbortController();
  readonly #kill = new AbortController();
  isPartitioned = false;
  isCutOff = false;
  isStopped = false;

  constructor(world: SimulatedWorld, number: number, config: WherryConfig) {
    this.#world = world;
    this.token = `poller-${number}`;
    this.process = new SimulatedProcess(this.token);
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
      createSource: (mapping) => this.#source(mapping),
      createStreamSource: (mapping) => {
        throw new Error(`${mapping.name}: there are queues alone here`);
      },
      createDestination: () => undefined,
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
      if (this.isStopped) return;
      this.#world.ledger.pollerFailed(this.token, 'terminate');
      void this.process.deliver(() => this.#kill.abort());
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
    const { ledger } = this.#world;
    try {
      await this.fleet.run();
      if (!this.isDraining) ledger.broken('a fleet runs until it is told to stop', this.token);
    } catch (error) {
      ledger.broken('a fleet never throws', `${this.token}: ${String(error instanceof Error ? error.stack : error)}`);
    }
    const { inFlight, bufferedBytes } = this.fleet.status();
    if (inFlight !== 0 || bufferedBytes !== 0)
      ledger.broken('a stopped poller holds nothing', `${inFlight} invocations, ${bufferedBytes} bytes`);
    this.isStopped = true;
    ledger.note(`stopped ${this.token}`);
  }

  #coordination(): Coordination {
    const { coordination, mutant } = this.#world;
    const options = this.#link(
      () => (this.isPartitioned || this.#world.isStoreAway ? 'request' : 'none'),
      (method) => new StoreError(`${method}: command timed out`),
    );
    return {
      leases: mutate(overLink(coordination.leases, options), mutant.leases),
      members: overLink(coordination.members, options),
      permits: mutate(overLink(coordination.permits, options), mutant.permits),
      gates: overLink(coordination.gates, options),
      scale: overLink(coordination.scale, options),
      streams: overLink(coordination.streams, options),
      pauses: overLink(coordination.pauses, options),
      audit: overLink(coordination.audit, options),
    };
  }

  #source(mapping: SqsMapping): QueueSource {
    const { queues, ledger, sim, mutant } = this.#world;
    const queue = witnessQueue(queues.get(mapping.name)!, this.token, { sim, ledger });
    const options = this.#link(
      (method, args) => this.#sourceLoss(method, args),
      (method) => new SourceError('unavailable', 'TimeoutError', `${method} timed out`),
    );
    return mutate(overLink(queue, options), mutant.source);
  }

  #sourceLoss(method: string, args: readonly unknown[]): Loss {
    const { areDeletesLost, areReceivesLost, ledger, random } = this.#world;
    if (method === 'receive' && areReceivesLost) return random() < 0.5 ? 'response' : 'none';
    if (method !== 'delete') return this.isCutOff ? 'request' : 'none';
    if (!areDeletesLost && !this.isCutOff) return 'none';
    for (const message of args[0] as readonly QueueMessage[]) ledger.settleLost(message.messageId);
    return this.isCutOff || random() < 0.5 ? 'request' : 'response';
  }

  #invoker(name: string): Invoker {
    const { functions, witness, mutant } = this.#world;
    const caller = {
      process: this.process,
      token: this.token,
      isLeaseHeld: (mapping: string, epoch: number) => witness.isHeld(`sqs-${uuidOf(mapping)}-`, this.token, epoch),
    };
    return mutate(functions.get(name)!.invoker(caller), mutant.invoker);
  }

  #link(loss: LinkOptions['loss'], fail: LinkOptions['fail']): LinkOptions {
    const { sim, random, latencyMs } = this.#world;
    return { sim, random, process: this.process, latencyMs, loss, fail };
  }

  #observe(event: EngineEvent): void {
    const { ledger } = this.#world;
    if (event.type === 'crashed')
      ledger.broken('no loop crashes', `${this.token}: ${String(event.error instanceof Error ? event.error.stack : event.error)}`);
    if (event.type !== 'polled' && event.type !== 'invoked' && event.type !== 'settled')
      ledger.note(`${this.token} ${JSON.stringify(event)}`);
  }
}

/** Mappings are named after their queue, `queue-0` and so on; the number makes the UUID. */
export function uuidOf(mapping: string): string {
  return `${mapping.slice(-1)}1111111-1111-5111-8111-111111111111`;
}

function mutate<Port>(port: Port, mutant: ((port: Port) => Port) | undefined): Port {
  return mutant === undefined ? port : mutant(port);
}
