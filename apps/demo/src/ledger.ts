/**
 * The demo's own bookkeeping of every message, record or change it sent: what the function acknowledged, what was given up to a
 * dead-letter queue or a failure destination, what came twice, and whether the order inside a group held. It learns nothing from
 * the pollers: their word is what is being checked. That the queues are empty in the end has to be looked up beside it.
 */
export interface Account {
  readonly source: string;
  readonly sent: number;
  readonly delivered: number;
  /** Messages that the filters shall take out, and that are neither acknowledged nor dead-lettered. */
  readonly filtered: number;
  readonly deadLettered: number;
  /** Ids that the function saw although the filters should have taken them out. */
  readonly unwanted: readonly string[];
  /** Ids that are nowhere: neither acknowledged by the function nor given up. */
  readonly missing: readonly string[];
  /** Ids the function acknowledged more than once. */
  readonly duplicates: readonly string[];
  /** Ids the function saw although nobody sent them. */
  readonly unknown: readonly string[];
  /** Message groups and keys in which a later message was acknowledged before an earlier one, as `group: id after id`. */
  readonly outOfOrder: readonly string[];
}

interface Entry {
  readonly group: string | undefined;
  readonly isWanted: boolean;
  readonly position: number;
  acknowledged: number;
  deadLettered: boolean;
}

/** One source's page of the ledger. */
export class Ledger {
  readonly source: string;
  #entries = new Map<string, Entry>();
  #unknown = new Set<string>();
  #outOfOrder: string[] = [];
  #lastInGroup = new Map<string, { id: string; position: number }>();
  #delivered = 0;
  #deadLettered = 0;

  constructor(source: string) {
    this.source = source;
  }

  /**
   * Must be called before the message is handed to the source, or a fast fleet delivers an "unknown" one.
   *
   * @param isWanted false if the filters do not match it
   */
  sent(id: string, group?: string, isWanted = true): void {
    this.#entries.set(id, { group, isWanted, position: this.#entries.size, acknowledged: 0, deadLettered: false });
  }

  /** The function finished this message and said so. */
  acknowledged(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#unknown.add(id);
      return;
    }
    entry.acknowledged += 1;
    if (entry.acknowledged > 1) return;
    if (!entry.deadLettered) this.#delivered += 1;
    this.#checkOrder(id, entry);
  }

  /** The message was found in the dead-letter queue or the failure destination. */
  deadLettered(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#unknown.add(id);
      return;
    }
    if (entry.deadLettered) return;
    entry.deadLettered = true;
    if (entry.acknowledged === 0) this.#deadLettered += 1;
  }

  get sentCount(): number {
    return this.#entries.size;
  }

  /** Messages whose fate is known; of a filtered one nobody hears. */
  get settledCount(): number {
    return this.#delivered + this.#deadLettered;
  }

  account(): Account {
    const missing: string[] = [];
    const duplicates: string[] = [];
    const unwanted: string[] = [];
    let delivered = 0;
    let deadLettered = 0;
    let filtered = 0;
    for (const [id, entry] of this.#entries) {
      if (entry.acknowledged > 0) delivered += 1;
      else if (entry.deadLettered) deadLettered += 1;
      else if (entry.isWanted) missing.push(id);
      else filtered += 1;
      if (entry.acknowledged > 0 && !entry.isWanted) unwanted.push(id);
      if (entry.acknowledged > 1) duplicates.push(id);
    }
    return {
      source: this.source,
      sent: this.#entries.size,
      delivered,
      filtered,
      deadLettered,
      unwanted,
      missing,
      duplicates,
      unknown: [...this.#unknown],
      outOfOrder: this.#outOfOrder,
    };
  }

  #checkOrder(id: string, entry: Entry): void {
    if (entry.group === undefined) return;
    const last = this.#lastInGroup.get(entry.group);
    if (last !== undefined && last.position > entry.position) this.#outOfOrder.push(`${entry.group}: ${id} after ${last.id}`);
    else this.#lastInGroup.set(entry.group, { id, position: entry.position });
  }
}

/** True when every message of the account ended in exactly one place, in order, and nothing came from nowhere. */
export function balances(account: Account): boolean {
  return (
    account.sent === account.delivered + account.filtered + account.deadLettered &&
    account.missing.length === 0 &&
    account.unknown.length === 0 &&
    account.unwanted.length === 0 &&
    account.outOfOrder.length === 0
  );
}
