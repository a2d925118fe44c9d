/**
 * This process's part of the fleet: which mappings there are, which units somebody has to hold, and who works on those leased to us.
 * It wires the parts below it and never touches a message or a record.
 *
 *   config ──reload──▶ mapping entries ──▶ mapping runs ◀──runUnit(lease)── lease keeper ◀──units── unit planner ◀── stores
 */
import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { Coordination } from '@wherry/core/coordination';
import type { EngineEvent, Observe } from '@wherry/core/engine-event';
import type { FailureDestination } from '@wherry/core/failure-destination';
import type { Invoker } from '@wherry/core/invoke';
import { readUnitId, type UnitName } from '@wherry/core/lease-unit';
import type { FunctionDefinition, SqsMapping, StreamMapping, WherryConfig } from '@wherry/core/mapping';
import type { QueueSource } from '@wherry/core/queue-source';
import { mappingSetups, planReload, type MappingSetup, type ReloadStep } from '@wherry/core/reload-plan';
import { isSequenceNumber } from '@wherry/core/stream/sequence-number';
import type { StreamSource } from '@wherry/core/stream-source';
import { AbandonedUnits } from './abandoned-units.ts';
import { ByteBudget } from './byte-budget.ts';
import { CutOffMappings } from './cut-off-mappings.ts';
import { type FleetStatus, mappingStatus } from './fleet-status.ts';
import { FunctionRuns } from './function-runs.ts';
import type { OwnLease } from './held-lease.ts';
import { LeaseKeeper, type UnitPlan } from './lease-keeper.ts';
import { MappingEntries, type MappingEntry } from './mapping-entries.ts';
import { MappingPauses } from './mapping-pauses.ts';
import { MappingRun } from './mapping-run.ts';
import { MappingWorks } from './mapping-works.ts';
import { Semaphore } from './semaphore.ts';
import { StoreHealth } from './store-health.ts';
import { StreamMemory } from './stream/stream-memory.ts';
import { UnitPlanner } from './unit-planner.ts';

/** Everything a fleet needs from outside; `apps/` wires it. */
export interface FleetOptions {
  readonly surroundings: Surroundings;
  readonly stop: StopSignals;
  readonly coordination: Coordination;
  readonly config: WherryConfig;
  readonly poller: { readonly token: string; readonly version: string; readonly adminUrl: string };
  readonly createSource: (mapping: SqsMapping) => QueueSource;
  readonly createStreamSource: (mapping: StreamMapping) => StreamSource;
  /** `undefined` for a mapping without `OnFailure`. */
  readonly createDestination: (mapping: StreamMapping) => FailureDestination | undefined;
  readonly createInvoker: (fn: FunctionDefinition) => Invoker;
  readonly observe: Observe;
}

/** One process's part of the fleet. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #health: StoreHealth;
  readonly #bytes: ByteBudget;
  readonly #inFlight: Semaphore;
  readonly #keeper: LeaseKeeper;
  readonly #planner: UnitPlanner;
  readonly #pauses: MappingPauses;
  readonly #abandoned: AbandonedUnits;
  readonly #cutOff: CutOffMappings;
  readonly #memory = new StreamMemory();
  readonly #entries: MappingEntries;
  readonly #works: MappingWorks;
  readonly #functions: FunctionRuns;
  readonly #startedAtMs: number;
  #config: WherryConfig;

  constructor(options: FleetOptions) {
    const { config, coordination, surroundings, stop, observe, poller, createInvoker } = options;
    const { clock } = surroundings;
    this.#options = options;
    this.#config = config;
    this.#startedAtMs = clock.nowMs();
    this.#health = new StoreHealth(observe);
    this.#bytes = new ByteBudget(config.limits.bufferedBytes, clock);
    this.#inFlight = new Semaphore(config.limits.inFlight);
    this.#abandoned = new AbandonedUnits(coordination, clock);
    this.#cutOff = new CutOffMappings(clock);
    this.#functions = new FunctionRuns({ surroundings, gates: coordination.gates, owner: poller.token, createInvoker, observe });
    this.#works = new MappingWorks({
      ...options,
      owner: poller.token,
      bytes: this.#bytes,
      inFlight: this.#inFlight,
      memory: this.#memory,
      observe: (event) => this.#heard(event),
    });
    this.#entries = new MappingEntries({
      createRun: (setup) => this.#createRun(setup),
      isDraining: () => stop.drain.aborted,
      observe,
    });
    this.#pauses = new MappingPauses(coordination.pauses, () => this.#mappings(), observe);
    this.#planner = new UnitPlanner({
      coordination,
      clock,
      memory: this.#memory,
      pauses: this.#pauses,
      polling: () => this.#entries.polling(),
      leaseRoom: () => this.#leaseRoom(),
    });
    this.#keeper = new LeaseKeeper({
      surroundings,
      stop,
      leases: coordination.leases,
      members: coordination.members,
      health: this.#health,
      timings: config.leases,
      token: poller.token,
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
    await this.#entries.close();
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
    const leases = (scan?.leases ?? []).map((view) => ({ view, unit: readUnitId(view.id) }));
    // Counted in one pass: with thousands of mappings, a pass over all leases for each of them would stop everything else.
    const live = Map.groupBy(
      leases.filter(({ view, unit }) => view.live && unit?.kind !== 'discovery'),
      ({ unit }) => unit?.mapping,
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
      leases: leases.map(({ view, unit }) => ({
        ...view,
        mapping: this.#entries.all.get(unit?.mapping ?? '')?.setup.mapping.name ?? null,
      })),
      held: this.#keeper.held.map((lease) => ({
        id: lease.id,
        epoch: lease.epoch,
        valid: lease.isValid(),
        yielding: lease.yielded.aborted,
      })),
      pollers: (scan?.members ?? []).map((member) => ({ token: member.token, silentMs: member.silentMs, ...member.info })),
      mappings: [...this.#entries.all].map(([uuid, entry]) => this.#mappingStatus(uuid, entry, live.get(uuid)?.length ?? 0)),
    };
  }

  #mappingStatus(uuid: string, entry: MappingEntry, unitsHeld: number): FleetStatus['mappings'][number] {
    const { mapping } = entry.setup;
    return mappingStatus(entry, {
      pause: this.#pauses.of(uuid),
      slots: this.#planner.slots(uuid),
      shards: this.#planner.streams.count(uuid),
      unitsHeld,
      gate: this.#functions.gateStatus(mapping.functionName),
    });
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

  async #planUnits(): Promise<UnitPlan> {
    const [plan] = await Promise.all([this.#planner.plan(), this.#functions.refreshGates()]);
    return plan;
  }

  /** Leases that the live pollers may hold together, as far as this one knows: it takes their limits to be its own. */
  #leaseRoom(): number {
    const living = this.#keeper.scan?.members.filter((member) => !member.info.draining).length ?? 0;
    return Math.max(1, living) * this.#config.limits.shardsPerPoller;
  }

  async #scanned(): Promise<void> {
    this.#entries.scanned();
    await this.#abandoned.sweep([...this.#entries.all.keys()].map((id) => ({ id, slots: this.#planner.slots(id) })));
  }

  /** Works on a unit until its lease or its work ends; a changed mapping goes on with its next version under the same lease. */
  async #runUnit(lease: OwnLease): Promise<void> {
    const unit = readUnitId(lease.id);
    while (!lease.yielded.aborted && !lease.lost.aborted && !this.#options.stop.kill.aborted) {
      const run = this.#entryOf(lease.id)?.run;
      if (run === undefined || unit === undefined) return;
      await run.runUnit(lease, unit);
      if (!run.isRetired) return;
    }
  }

  /**
   * Whether the work under a lease may begin now. A shard begins where the store says that it was left, and not at all without that:
   * its row was lost, and what that means is for discovery to decide. One that has not been begun waits for its parents.
   */
  async #mayBegin(lease: OwnLease, unit: UnitName): Promise<boolean> {
    if (unit.kind !== 'shard') return true;
    if (!(await this.#keeper.refresh(lease)) || lease.checkpoint === undefined) return false;
    if (isSequenceNumber(lease.checkpoint)) return true;
    const answer = await this.#health.ask(() => this.#planner.streams.mayBegin(unit.mapping, unit.streamKey, unit.shardId));
    return answer?.value === true;
  }

  #entryOf(unitId: string): MappingEntry | undefined {
    return this.#entries.all.get(readUnitId(unitId)?.mapping ?? '');
  }

  #mappings() {
    return [...this.#entries.all.values()].map(({ setup }) => setup.mapping);
  }

  #apply(step: ReloadStep): void {
    if (step.kind === 'remove') this.#memory.forget(step.uuid);
    this.#entries.apply(step);
  }

  #createRun(setup: MappingSetup): MappingRun {
    const { surroundings, stop } = this.#options;
    const fn = this.#functions.use(setup.function);
    return new MappingRun({
      surroundings,
      stop,
      mapping: setup.mapping.name,
      createWork: () => this.#works.create(setup, fn),
      mayBegin: (lease, unit) => this.#mayBegin(lease, unit),
      closed: () => this.#entries.waitFor(this.#functions.leave(fn)),
      observe: (event) => this.#heard(event),
    });
  }

  /** What the loops tell. */
  #heard(event: EngineEvent): void {
    this.#cutOff.note(event);
    this.#options.observe(event);
  }
}
