import type { SimClock } from './sim-clock.ts';
import { SimulationTrace } from './simulation-trace.ts';

/** What the answer of an invocation and a delete may take together, slow calls and the deleter's own pause included. */
const SETTLE_MS = 2_200;

/** What the ledger knows of one message. */
interface MessageAccount {
  readonly queue: string;
  readonly group: string | undefined;
  readonly order: number;
  /** False where the mapping's filter does not match it. */
  readonly isWanted: boolean;
  deliveries: number;
  succeededBy: string | undefined;
  deleted: boolean;
  /** Why a delivery after the first success may happen: the poller that got it was killed or stopped, or its delete was lost. */
  excuse: string | undefined;
  /** Who has received it last, and until when the queue keeps it from others. */
  holder: { readonly poller: string; untilMs: number } | undefined;
}

interface RunningInvocation {
  readonly poller: string;
  readonly queue: string;
  readonly function: string;
  readonly ids: readonly string[];
  readonly groups: ReadonlySet<string>;
}

/** Caps on concurrent invocations, `Infinity` where there is none. */
export interface InvocationCaps {
  readonly maximumConcurrency: number;
  readonly reservedConcurrentExecutions: number;
}

/**
 * The one who knows the truth in a simulation: told by the servers' side of every port what really happened, it checks each
 * fact against the fleet's promises as it comes in. The first broken promise ends the run.
 */
export class SimulationLedger {
  readonly #sim: SimClock;
  readonly #startMs: number;
  readonly #trace: SimulationTrace;
  readonly #messages = new Map<string, MessageAccount>();
  readonly #firstDelivered = new Map<string, number>();
  readonly #running = new Map<number, RunningInvocation>();
  #nextInvocation = 0;
  #duplicates = 0;
  #filtered = 0;
  #capsUncheckedUntilMs = 0;

  /** @param isTraced keep every line of the trace, not only its digest */
  constructor(sim: SimClock, isTraced: boolean) {
    this.#sim = sim;
    this.#startMs = sim.nowMs();
    this.#trace = new SimulationTrace(sim, isTraced);
  }

  get violation(): string | undefined {
    return this.#trace.violation;
  }

  get trace(): readonly string[] {
    return this.#trace.lines;
  }

  /** FNV-1a over every line of the trace. */
  get digest(): number {
    return this.#trace.digest;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  /** Messages that were deleted because the filter does not match them. */
  get filtered(): number {
    return this.#filtered;
  }

  note(text: string): void {
    this.#trace.note(text);
  }

  /** Records a broken promise; only the first one counts, because the rest follows from it. */
  broken(promise: string, detail: string): void {
    this.#trace.broken(promise, detail);
  }

  sent(queue: string, id: string, group: string | undefined, order: number, isWanted: boolean): void {
    this.#messages.set(id, {
      queue,
      group,
      order,
      isWanted,
      deliveries: 0,
      succeededBy: undefined,
      deleted: false,
      excuse: undefined,
      holder: undefined,
    });
    this.note(`sent ${id}`);
  }

  received(poller: string, ids: readonly string[], untilMs: number): void {
    for (const id of ids) this.#account(id).holder = { poller, untilMs };
    if (ids.length > 0) this.note(`received ${poller} ${ids.join(',')}`);
  }

  visibilityChanged(id: string, untilMs: number): void {
    const { holder } = this.#account(id);
    if (holder !== undefined) holder.untilMs = untilMs;
    this.note(`visibility ${id} until ${Math.round(untilMs - this.#startMs)}`);
  }

  /** The store lost its permits: for a while nobody can hold a cap. */
  permitsLost(forMs: number): void {
    this.#capsUncheckedUntilMs = this.#sim.nowMs() + forMs;
  }

  /** A poller asks its invoker to run a batch: the moment at which its lease and the messages' visibility have to hold. */
  invokeAsked(poller: string, ids: readonly string[], isLeaseHeld: boolean, lease: string): void {
    const now = this.#sim.nowMs();
    if (!isLeaseHeld) this.broken('no invoke without a valid lease', `${poller} invokes ${ids.join(',')} under ${lease}`);
    for (const id of ids) {
      const { holder } = this.#account(id);
      if (holder?.poller !== poller || holder.untilMs <= now) {
        this.broken('no invoke of a message whose visibility ended', `${poller} invokes ${id}, held by ${holder?.poller ?? 'nobody'}`);
      }
    }
  }

  /** The message group it was sent in, if its queue has groups. */
  groupOf(id: string): string | undefined {
    return this.#account(id).group;
  }

  /** The function begins to run. @returns a number for `invokeEnded` */
  invokeStarted(started: Omit<RunningInvocation, 'groups'>, caps: InvocationCaps): number {
    const groups = new Set(started.ids.flatMap((id) => this.#account(id).group ?? []));
    this.note(`invoke ${started.poller} ${started.function} ${started.ids.join(',')}`);
    for (const other of this.#running.values()) {
      const shared = [...groups].find((group) => other.groups.has(group));
      if (shared !== undefined) this.broken('one batch in flight per message group', `${shared} in ${started.poller} and ${other.poller}`);
    }
    const number = this.#nextInvocation++;
    this.#running.set(number, { ...started, groups });
    this.#checkCaps(started.queue, started.function, caps);
    for (const id of started.ids) this.#delivered(id);
    return number;
  }

  #checkCaps(queue: string, fn: string, caps: InvocationCaps): void {
    if (this.#sim.nowMs() < this.#capsUncheckedUntilMs) return;
    const running = [...this.#running.values()];
    const ofQueue = running.filter((one) => one.queue === queue).length;
    const ofFunction = running.filter((one) => one.function === fn).length;
    if (ofQueue > caps.maximumConcurrency) this.broken('MaximumConcurrency holds', `${ofQueue} of ${caps.maximumConcurrency} for ${queue}`);
    if (ofFunction > caps.reservedConcurrentExecutions) {
      this.broken('ReservedConcurrentExecutions holds', `${ofFunction} of ${caps.reservedConcurrentExecutions} for ${fn}`);
    }
  }

  #delivered(id: string): void {
    const account = this.#account(id);
    account.deliveries += 1;
    if (!account.isWanted) this.broken('nothing is delivered that the filter does not match', id);
    if (account.succeededBy !== undefined) {
      this.#duplicates += 1;
      if (account.excuse === undefined)
        this.broken('duplicates only after a fault', `${id} succeeded in ${account.succeededBy} and comes again`);
    }
    if (account.group === undefined || account.deliveries > 1) return;
    const before = this.#firstDelivered.get(account.group) ?? -1;
    if (account.order <= before)
      this.broken('first deliveries of a group are in order', `${id} after number ${before} of ${account.group}`);
    this.#firstDelivered.set(account.group, account.order);
  }

  /** The function has ended. @param succeeded the messages it has dealt with */
  invokeEnded(number: number, succeeded: readonly string[], outcome: string): void {
    const invocation = this.#running.get(number);
    this.#running.delete(number);
    for (const id of succeeded) {
      const account = this.#account(id);
      account.succeededBy ??= invocation?.poller ?? '?';
      // A success so late that a slow delete comes after the visibility's end.
      if ((account.holder?.untilMs ?? 0) - this.#sim.nowMs() < SETTLE_MS) account.excuse ??= 'late';
    }
    this.note(`ended ${invocation?.poller} ${outcome} ${succeeded.length}`);
  }

  deleted(id: string): void {
    const account = this.#account(id);
    // A delete whose answer was lost is made again, and done again.
    if (!account.isWanted) this.#filtered += account.deleted ? 0 : 1;
    else if (account.succeededBy === undefined) this.broken('delete only after a success', id);
    account.deleted = true;
    this.note(`deleted ${id}`);
  }

  /** Something befell a poller after which what it had not settled may come again. */
  pollerFailed(poller: string, fault: string): void {
    this.note(`${fault} ${poller}`);
    for (const account of this.#messages.values()) if (account.holder?.poller === poller && !account.deleted) account.excuse ??= fault;
  }

  /** A message whose settling was lost on the way, or whose success nobody heard of. */
  settleLost(id: string): void {
    this.#account(id).excuse ??= 'lost';
  }

  /** True when every message that was sent is deleted, or dead-lettered as the argument knows. */
  isSettled(isDeadLettered: (id: string) => boolean): boolean {
    for (const [id, account] of this.#messages) if (!account.deleted && !isDeadLettered(id)) return false;
    return true;
  }

  /** Messages that are neither deleted nor dead-lettered. */
  unsettled(isDeadLettered: (id: string) => boolean): string[] {
    return [...this.#messages].filter(([id, account]) => !account.deleted && !isDeadLettered(id)).map(([id]) => id);
  }

  #account(id: string): MessageAccount {
    const account = this.#messages.get(id);
    if (account === undefined) throw new Error(`the ledger does not know message ${id}`);
    return account;
  }
}
