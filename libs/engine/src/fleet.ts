/**
 * This process's part of the fleet: which mappings there are, how many slots each shall have, and who works on the slots
 * leased to us. It wires the parts below it and never touches a message.
 *
 *   config ──reload──▶ mapping runs          lease keeper ──runUnit(lease)──▶ mapping run ──▶ queue loop
 *   scale store ──planUnits──▶ lease units ──▶ lease keeper
 */
import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { Coordination, HeldLease, LeaseUnit } from '@wherry/core/coordination';
import type { MappingState, Observe } from '@wherry/core/engine-event';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, SqsMapping, WherryConfig } from '@wherry/core/mapping';
import type { QueueSource } from '@wherry/core/queue-source';
import { mappingSetups, planReload, type MappingSetup, type ReloadStep } from '@wherry/core/reload-plan';
import { shareSlots } from '@wherry/core/slot-share';
import { slotBounds, slotUnits } from '@wherry/core/slots';
import { AbandonedUnits } from './abandoned-units.ts';
import { ByteBudget } from './byte-budget.ts';
import { CutOffMappings } from './cut-off-mappings.ts';
import type { FleetStatus, MappingStatus } from './fleet-status.ts';
import { FunctionRuns } from './function-runs.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { MappingRun } from './mapping-run.ts';
import { createMessageFilter } from './message-filter.ts';
import { QueueMapping, type QueueMappingStatus } from './queue-mapping.ts';
import { Semaphore } from './semaphore.ts';
import { StoreHealth } from './store-health.ts';

/** `StateTransitionReason` of every change made by configuration, as Lambda words it for queues. */
const USER_INITIATED = 'USER_INITIATED';

/** Everything a fleet needs from outside; `apps/` wires it. */
export interface FleetOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  readonly coordination: Coordination;
  readonly config: WherryConfig;
  readonly poller: { readonly token: string; readonly version: string; readonly adminUrl: string };
  readonly createSource: (mapping: SqsMapping) => QueueSource;
  readonly createInvoker: (fn: FunctionDefinition) => Invoker;
  readonly observe: Observe;
}

/** A mapping as it is now; `run` is absent while it is disabled, or on its way out. */
interface MappingEntry {
  setup: MappingSetup;
  run: MappingRun | undefined;
  state: MappingState | undefined;
  /** Runs of earlier versions whose batches have not ended. */
  readonly retiring: Set<MappingRun>;
  desired: number;
}

/** One process's part of the fleet. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #health: StoreHealth;
  readonly #bytes: ByteBudget;
  readonly #inFlight: Semaphore;
  readonly #keeper: LeaseKeeper;
  readonly #abandoned: AbandonedUnits;
  readonly #cutOff: CutOffMappings;
  readonly #mappings = new Map<string, MappingEntry>();
  readonly #functions: FunctionRuns;
  readonly #closing = new Set<Promise<void>>();
  readonly #startedAtMs: number;
  #config: WherryConfig;

  constructor(options: FleetOptions) {
    const { config, coordination, surroundings, stop, observe } = options;
    this.#options = options;
    this.#config = config;
    this.#startedAtMs = surroundings.clock.nowMs();
    this.#health = new StoreHealth(observe);
    this.#bytes = new ByteBudget(config.limits.bufferedBytes, surroundings.clock);
    this.#inFlight = new Semaphore(config.limits.inFlight);
    this.#abandoned = new AbandonedUnits(coordination, surroundings.clock);
    this.#cutOff = new CutOffMappings(surroundings.clock);
    const { createInvoker, poller } = options;
    this.#functions = new FunctionRuns({ surroundings, gates: coordination.gates, owner: poller.token, createInvoker, observe });
    this.#keeper = new LeaseKeeper({
      surroundings,
      stop,
      leases: coordination.leases,
      members: coordination.members,
      health: this.#health,
      timings: config.leases,
      token: options.poller.token,
      memberInfo: () => this.#memberInfo(),
      capacity: () => this.#config.limits.shardsPerPoller,
      mayHold: (unitId) => !this.#cutOff.isCutOff(this.#entryOf(unitId)?.setup.mapping.name ?? ''),
      planUnits: () => this.#planUnits(),
      runUnit: (lease) => this.#runUnit(lease),
      scanned: () => this.#scanned(),
      observe,
    });
    for (const [uuid, setup] of mappingSetups(config)) this.#apply({ kind: 'add', uuid, setup });
  }

  /** Polls until drained or killed; resolves when everything has stopped and every client is closed. */
  async run(): Promise<void> {
    await this.#keeper.run();
    for (const entry of this.#mappings.values()) this.#retire(entry);
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  /**
   * Applies a new configuration: mappings that differ finish their batches with the old values and go on with the new ones,
   * the others do not notice. Lease timings, limits on bytes and invocations, `redis` and `fleet` stay as at the start.
   */
  reload(config: WherryConfig): void {
    const { drain, kill } = this.#options.stop;
    if (drain.aborted || kill.aborted) return;
    const steps = planReload(mappingSetups(this.#config), mappingSetups(config));
    this.#config = { ...config, leases: this.#config.leases, limits: this.#config.limits };
    for (const step of steps) this.#apply(step);
    this.#keeper.announce();
  }

  /** True while this poller works or would: the store answers, a claim scan is complete, and no drain has begun. */
  isReady(): boolean {
    const { drain, kill } = this.#options.stop;
    return this.#keeper.scan !== undefined && this.#health.isUp && !drain.aborted && !kill.aborted;
  }

  /** What this poller knows of itself and the fleet; plain data for JSON. */
  status(): FleetStatus {
    const { poller, stop } = this.#options;
    const scan = this.#keeper.scan;
    // Counted in one pass: with thousands of mappings, a pass over all leases for each of them would stop everything else.
    const live = Map.groupBy(
      (scan?.leases ?? []).filter((view) => view.live),
      (view) => uuidOf(view.id),
    );
    return {
      fleet: this.#config.fleet.id,
      poller: poller.token,
      configHash: this.#config.hash,
      ready: this.isReady(),
      draining: stop.drain.aborted || stop.kill.aborted,
      storeUp: this.#health.isUp,
      inFlight: this.#inFlight.inUse,
      bufferedBytes: this.#bytes.usedBytes,
      bufferedEvents: this.#bytes.records,
      backpressure: this.#bytes.isExhausted,
      leases: (scan?.leases ?? []).map((view) => ({ ...view, mapping: this.#entryOf(view.id)?.setup.mapping.name ?? null })),
      held: this.#keeper.held.map((lease) => ({
        id: lease.id,
        epoch: lease.epoch,
        valid: lease.isValid(),
        yielding: lease.yielded.aborted,
      })),
      pollers: (scan?.members ?? []).map((member) => ({ token: member.token, silentMs: member.silentMs, ...member.info })),
      mappings: [...this.#mappings].map(([uuid, entry]) => this.#mappingStatus(uuid, entry, live.get(uuid)?.length ?? 0)),
    };
  }

  #mappingStatus(uuid: string, entry: MappingEntry, slotsHeld: number): MappingStatus {
    const { mapping } = entry.setup;
    // What earlier versions still carry counts too: a mapping that is being disabled runs until its last batch has ended.
    const runs = [...entry.retiring, ...(entry.run === undefined ? [] : [entry.run])].flatMap((run) => run.status() ?? []);
    const sum = (read: (run: QueueMappingStatus) => number): number => runs.reduce((total, run) => total + read(run), 0);
    return {
      name: mapping.name,
      uuid,
      state: entry.state ?? 'Creating',
      stateTransitionReason: USER_INITIATED,
      eventSourceArn: mapping.eventSourceArn,
      functionName: mapping.functionName,
      slotsDesired: entry.run === undefined ? 0 : entry.desired,
      slotsHeld,
      slotsHere: sum((run) => run.slots),
      inFlight: sum((run) => run.inFlight),
      bufferedBytes: sum((run) => run.bufferedBytes),
      problem: entry.run?.status()?.problem ?? null,
      gate: this.#functions.gateStatus(mapping.functionName) ?? null,
    };
  }

  #memberInfo() {
    const { poller } = this.#options;
    return {
      version: poller.version,
      configHash: this.#config.hash,
      capacity: 1,
      draining: false,
      startedAtMs: this.#startedAtMs,
      leases: this.#keeper.held.length,
      inFlight: this.#inFlight.inUse,
      bufferedBytes: this.#bytes.usedBytes,
      adminUrl: poller.adminUrl,
    };
  }

  /** The units that somebody has to hold now: as many slots of each mapping as the fleet wishes for. */
  async #planUnits(): Promise<readonly LeaseUnit[]> {
    const { coordination } = this.#options;
    const polling = [...this.#mappings.values()]
      .filter((entry) => entry.run !== undefined)
      .sort((one, other) => (one.setup.mapping.uuid < other.setup.mapping.uuid ? -1 : 1));
    const bounds = polling.map((entry) => slotBounds(entry.setup.mapping, entry.setup.function));
    const [desired] = await Promise.all([
      coordination.scale.desired(polling.map((entry, index) => ({ id: entry.setup.mapping.uuid, initial: bounds[index]!.initial }))),
      this.#functions.refreshGates(),
    ]);
    const wishes = polling.map((entry, index) => {
      const { initial, floor, ceiling } = bounds[index]!;
      return Math.min(ceiling, Math.max(floor, desired.get(entry.setup.mapping.uuid) ?? initial));
    });
    const shares = shareSlots(wishes, this.#leaseRoom());
    return polling.flatMap((entry, index) => {
      entry.desired = shares[index]!;
      // Without a run it was reloaded while the store was asked: this version's units are not wanted any more.
      return entry.run === undefined ? [] : slotUnits(entry.setup.mapping, entry.desired);
    });
  }

  /** Leases that the live pollers may hold together, as far as this one knows: it takes their limits to be its own. */
  #leaseRoom(): number {
    const living = this.#keeper.scan?.members.filter((member) => !member.info.draining).length ?? 0;
    return Math.max(1, living) * this.#config.limits.shardsPerPoller;
  }

  async #scanned(): Promise<void> {
    for (const entry of this.#mappings.values()) this.#settleState(entry);
    await this.#abandoned.sweep([...this.#mappings].map(([id, entry]) => ({ id, slots: entry.desired })));
  }

  /** Works on a slot until the lease ends; a changed mapping goes on with its next version under the same lease. */
  async #runUnit(lease: HeldLease): Promise<void> {
    while (!lease.yielded.aborted && !lease.lost.aborted && !this.#options.stop.kill.aborted) {
      const run = this.#entryOf(lease.id)?.run;
      if (run === undefined) return;
      await run.runSlot(lease);
    }
  }

  #entryOf(unitId: string): MappingEntry | undefined {
    return this.#mappings.get(uuidOf(unitId));
  }

  #apply(step: ReloadStep): void {
    const entry = this.#mappings.get(step.uuid);
    switch (step.kind) {
      case 'add':
        this.#add(step.uuid, step.setup);
        return;
      case 'remove':
        if (entry !== undefined) this.#remove(step.uuid, entry);
        return;
      case 'enable':
      case 'disable':
      case 'update':
        if (entry === undefined) return;
        this.#retire(entry);
        entry.setup = step.setup;
        entry.run = step.setup.mapping.enabled ? this.#createRun(step.setup) : undefined;
        this.#setState(entry, STATE_OF_CHANGE[step.kind]);
        if (entry.run === undefined) this.#settleState(entry);
        return;
    }
  }

  #add(uuid: string, setup: MappingSetup): void {
    // A queue mapping created disabled is Disabled at once; others are Creating until the first claim scan.
    const run = setup.mapping.enabled ? this.#createRun(setup) : undefined;
    const entry: MappingEntry = { setup, run, state: undefined, retiring: new Set(), desired: 0 };
    this.#mappings.set(uuid, entry);
    this.#setState(entry, run === undefined ? 'Disabled' : 'Creating');
  }

  #remove(uuid: string, entry: MappingEntry): void {
    this.#mappings.delete(uuid);
    this.#setState(entry, 'Deleting');
    this.#retire(entry);
  }

  #createRun(setup: MappingSetup): MappingRun {
    const { surroundings, stop, coordination, createSource, observe } = this.#options;
    const fn = this.#functions.use(setup.function);
    const told: Observe = (event) => {
      this.#cutOff.note(event);
      observe(event);
    };
    return new MappingRun({
      surroundings,
      stop,
      setup,
      observe: told,
      createQueue: () =>
        new QueueMapping({
          surroundings,
          stop,
          shutdownGraceMs: this.#config.shutdownGraceMs,
          fleetId: this.#config.fleet.id,
          mapping: setup.mapping,
          function: setup.function,
          matches: createMessageFilter(setup.mapping),
          source: createSource(setup.mapping),
          invoker: fn.invoker,
          gate: fn.gate,
          bytes: this.#bytes,
          inFlight: this.#inFlight,
          permits: coordination.permits,
          scale: coordination.scale,
          observe: told,
        }),
      closed: () => this.#waitFor(this.#functions.leave(fn)),
    });
  }

  /** Ends the entry's current run in its own time; the entry settles when the last batch of its old versions has ended. */
  #retire(entry: MappingEntry): void {
    const { run } = entry;
    if (run === undefined) return;
    entry.run = undefined;
    entry.retiring.add(run);
    const retired = run.retire().then(() => {
      entry.retiring.delete(run);
      this.#settleState(entry);
    });
    this.#waitFor(retired);
  }

  /** Moves a mapping that is between two states on to the steady one, once nothing of its old version runs any more. */
  #settleState(entry: MappingEntry): void {
    if (entry.retiring.size > 0 || entry.state === 'Deleting' || this.#options.stop.drain.aborted) return;
    this.#setState(entry, entry.setup.mapping.enabled ? 'Enabled' : 'Disabled');
  }

  #setState(entry: MappingEntry, state: MappingState): void {
    if (entry.state === state) return;
    entry.state = state;
    this.#options.observe({ type: 'mappingState', mapping: entry.setup.mapping.name, state, reason: USER_INITIATED });
  }

  /** `run` does not resolve before this has. */
  #waitFor(closing: Promise<void>): void {
    const closed = closing.finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}

const STATE_OF_CHANGE = { enable: 'Enabling', disable: 'Disabling', update: 'Updating' } as const;

/** The mapping's UUID in a unit id `sqs-<uuid>-<slot>`. */
function uuidOf(unitId: string): string {
  return unitId.slice('sqs-'.length, unitId.lastIndexOf('-'));
}
