import type { MappingState, Observe } from '@wherry/core/engine-event';
import type { Mapping } from '@wherry/core/mapping';
import type { MappingSetup, ReloadStep } from '@wherry/core/reload-plan';
import type { MappingRun } from './mapping-run.ts';

/** A mapping as it is now; `run` is absent while it is disabled, or on its way out. */
export interface MappingEntry {
  readonly setup: MappingSetup;
  readonly run: MappingRun | undefined;
  readonly state: MappingState;
  /** Runs of earlier versions whose batches have not ended. */
  readonly retiring: ReadonlySet<MappingRun>;
}

type Changing = { -readonly [Key in keyof MappingEntry]: MappingEntry[Key] } & { readonly retiring: Set<MappingRun> };

/** What the mappings of a configuration are started with. */
export interface MappingEntriesOptions {
  readonly createRun: (setup: MappingSetup) => MappingRun;
  /** Nothing changes its state any more. */
  readonly isDraining: () => boolean;
  readonly observe: Observe;
}

const STATE_OF_CHANGE = { enable: 'Enabling', disable: 'Disabling', update: 'Updating' } as const;

/** `StateTransitionReason` of every change made by configuration, as Lambda words it: one way for queues, another for streams. */
export function transitionReason(mapping: Mapping): string {
  return mapping.source === 'sqs' ? 'USER_INITIATED' : 'User action';
}

/**
 * The mappings of this process: their versions and their states, with Lambda's names. A mapping that changes is between two states
 * until nothing of its earlier version runs any more.
 */
export class MappingEntries {
  readonly #options: MappingEntriesOptions;
  readonly #entries = new Map<string, Changing>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: MappingEntriesOptions) {
    this.#options = options;
  }

  /** By UUID, in the order of the configuration. */
  get all(): ReadonlyMap<string, MappingEntry> {
    return this.#entries;
  }

  /** The enabled ones, in an order that is the same on all pollers. */
  polling(): MappingSetup[] {
    return [...this.#entries.values()]
      .filter(({ run }) => run !== undefined)
      .map(({ setup }) => setup)
      .sort((one, other) => (one.mapping.uuid < other.mapping.uuid ? -1 : 1));
  }

  /** Takes one step to the next configuration. */
  apply(step: ReloadStep): void {
    const entry = this.#entries.get(step.uuid);
    switch (step.kind) {
      case 'add':
        this.#add(step.uuid, step.setup);
        return;
      case 'remove':
        if (entry === undefined) return;
        this.#entries.delete(step.uuid);
        this.#setState(entry, 'Deleting');
        this.#retire(entry);
        return;
      case 'enable':
      case 'disable':
      case 'update':
        if (entry === undefined) return;
        this.#retire(entry);
        entry.setup = step.setup;
        entry.run = step.setup.mapping.enabled ? this.#options.createRun(step.setup) : undefined;
        this.#setState(entry, STATE_OF_CHANGE[step.kind]);
        if (entry.run === undefined) this.#settle(entry);
        return;
    }
  }

  /** A claim scan is complete: what is enabled is polled by somebody. */
  scanned(): void {
    for (const entry of this.#entries.values()) this.#settle(entry);
  }

  /** Ends everything in its own time. */
  async close(): Promise<void> {
    for (const entry of this.#entries.values()) this.#retire(entry);
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  /** `close` does not resolve before this has. */
  waitFor(closing: Promise<void>): void {
    const closed = closing.finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #add(uuid: string, setup: MappingSetup): void {
    const { mapping } = setup;
    const run = mapping.enabled ? this.#options.createRun(setup) : undefined;
    // A queue mapping created disabled is Disabled at once; others are Creating until the first claim scan.
    const state = run === undefined && mapping.source === 'sqs' ? 'Disabled' : 'Creating';
    const entry: Changing = { setup, run, state, retiring: new Set() };
    this.#entries.set(uuid, entry);
    this.#tell(entry);
  }

  /** Ends the entry's current run; the entry settles when the last batch of its old versions has ended. */
  #retire(entry: Changing): void {
    const { run } = entry;
    if (run === undefined) return;
    entry.run = undefined;
    entry.retiring.add(run);
    const retired = run.retire().then(() => {
      entry.retiring.delete(run);
      this.#settle(entry);
    });
    this.waitFor(retired);
  }

  /** Moves a mapping that is between two states on to the steady one, once nothing of its old version runs any more. */
  #settle(entry: Changing): void {
    if (entry.retiring.size > 0 || entry.state === 'Deleting' || this.#options.isDraining()) return;
    this.#setState(entry, entry.setup.mapping.enabled ? 'Enabled' : 'Disabled');
  }

  #setState(entry: Changing, state: MappingState): void {
    if (entry.state === state) return;
    entry.state = state;
    this.#tell(entry);
  }

  #tell({ setup: { mapping }, state }: MappingEntry): void {
    this.#options.observe({ type: 'mappingState', mapping: mapping.name, state, reason: transitionReason(mapping) });
  }
}
