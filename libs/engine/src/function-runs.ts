import type { Surroundings } from '@wherry/core/clock';
import type { GateStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition } from '@wherry/core/mapping';
import { TargetGate, type TargetGateStatus } from './target-gate.ts';

/** A function as this process calls it: shared by every mapping that names it, closed when the last one has let go. */
export interface FunctionRun {
  readonly definition: FunctionDefinition;
  readonly invoker: Invoker;
  readonly gate: TargetGate;
}

/** What functions are called with. */
export interface FunctionRunsOptions {
  readonly surroundings: Surroundings;
  readonly gates: GateStore;
  /** Token of this poller. */
  readonly owner: string;
  readonly createInvoker: (fn: FunctionDefinition) => Invoker;
  readonly observe: Observe;
}

/**
 * The functions that mappings of this process call. A function whose definition changed gets a new run for mappings that begin
 * to use it; the old one lasts as long as an earlier version of a mapping does.
 */
export class FunctionRuns {
  readonly #options: FunctionRunsOptions;
  /** By name, the newest run of each. */
  readonly #newest = new Map<string, FunctionRun>();
  readonly #users = new Map<FunctionRun, number>();

  constructor(options: FunctionRunsOptions) {
    this.#options = options;
  }

  /** The run of this very definition. Whoever uses it leaves it once. */
  use(fn: FunctionDefinition): FunctionRun {
    const known = this.#newest.get(fn.name);
    const run = known !== undefined && JSON.stringify(known.definition) === JSON.stringify(fn) ? known : this.#create(fn);
    this.#newest.set(fn.name, run);
    this.#users.set(run, (this.#users.get(run) ?? 0) + 1);
    return run;
  }

  /** The last one to leave closes the invoker; resolves when it is closed. */
  async leave(run: FunctionRun): Promise<void> {
    const users = (this.#users.get(run) ?? 0) - 1;
    this.#users.set(run, users);
    if (users > 0) return;
    this.#users.delete(run);
    const { name } = run.definition;
    if (this.#newest.get(name) === run) this.#newest.delete(name);
    await run.invoker.close();
  }

  /** Takes in what the fleet knows of all targets. Rejects if the store does not answer. */
  async refreshGates(): Promise<void> {
    const askedAtMs = this.#options.surroundings.clock.monotonicMs();
    const runs = [...this.#newest];
    const states = await this.#options.gates.gates(runs.map(([name]) => name));
    for (const [name, { gate }] of runs) gate.refresh(states.get(name), askedAtMs);
  }

  /** The gate of a function that is in use. */
  gateStatus(name: string): TargetGateStatus | undefined {
    return this.#newest.get(name)?.gate.status();
  }

  #create(definition: FunctionDefinition): FunctionRun {
    const { surroundings, gates, owner, createInvoker, observe } = this.#options;
    const gate = new TargetGate({ surroundings, store: gates, target: definition.name, owner, observe });
    return { definition, invoker: createInvoker(definition), gate };
  }
}
