import { StoreError } from '@wherry/core/coordination';
import type { AcquireResult, CheckpointResult, LeaseRow, LeaseStore, LeaseView, RenewResult } from '@wherry/core/coordination';
import { partitionOf } from '@wherry/core/stable-hash';
import type { Keys } from './keys.ts';
import { chunks, unexpectedReply } from './scripts.ts';
import type { Scripts, ScriptName } from './scripts.ts';

/**
 * Shown as the owner of a row that is damaged (no epoch, or a number that is none). Nobody claims such a lease and nothing is
 * written to it until a person has looked at it: guessing an epoch could let two pollers work at once.
 */
export const CORRUPT_OWNER = '(corrupt)';

const RENEW_RESULTS: readonly RenewResult[] = ['lost', 'renewed', 'wanted'];
const VIEW_WIDTH = 10;

/** Where the row of a lease is. */
interface Place {
  readonly partition: number;
  readonly key: string;
}

/** Places remembered; far above what one fleet has, so that forgetting them all at once is rare. */
const PLACES_MAX = 100_000;

/** Leases as Redis hashes that never expire by themselves: the epoch and the checkpoint would go with them. */
export class RedisLeaseStore implements LeaseStore {
  readonly #scripts: Scripts;
  readonly #keys: Keys;
  /** Hashing the ids and building the keys would cost a fifth of each renewal, and they are always the same. */
  readonly #places = new Map<string, Place>();

  constructor(scripts: Scripts, keys: Keys) {
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async acquire(id: string, owner: string, ttlMs: number): Promise<AcquireResult> {
    const { partition, key } = this.#place(id);
    const keys = [key, this.#keys.epochFloor(partition)];
    const reply = list('lease-acquire', await this.#scripts.run('lease-acquire', keys, [owner, ttlMs]));
    switch (reply[0]) {
      case 'acquired':
        return { kind: 'acquired', epoch: Number(reply[1]), checkpoint: text(reply[2]), window: text(reply[3]) ?? '' };
      case 'held':
        return { kind: 'held', owner: String(reply[1]) };
      case 'ended':
        return { kind: 'ended' };
      case 'corrupt':
        return { kind: 'held', owner: CORRUPT_OWNER };
      default:
        throw unexpectedReply('lease-acquire', reply);
    }
  }

  async renew(
    owner: string,
    leases: readonly { readonly id: string; readonly epoch: number; readonly weight?: number }[],
    ttlMs: number,
  ): Promise<RenewResult[]> {
    const results: RenewResult[] = [];
    const isWeighed = leases.some(({ weight }) => weight !== undefined);
    const renewChunk = async (indexes: number[], keys: string[]): Promise<void> => {
      const epochs = indexes.map((index) => leases[index]?.epoch ?? 0).join(' ');
      const weights = isWeighed ? [indexes.map((index) => leases[index]?.weight ?? '-').join(' ')] : [];
      const args = [owner, ttlMs, epochs, ...weights];
      const reply = list('lease-renew', await this.#scripts.run('lease-renew', keys, args));
      indexes.forEach((index, i) => (results[index] = RENEW_RESULTS[Number(reply[i])] ?? 'lost'));
    };
    await this.#eachPartition(
      leases.map((lease) => lease.id),
      renewChunk,
    );
    return results;
  }

  async release(id: string, owner: string, epoch: number, next = ''): Promise<boolean> {
    return (await this.#scripts.run('lease-release', [this.#place(id).key], [owner, epoch, next])) === 1;
  }

  async want(id: string, claimant: string, ttlMs: number): Promise<boolean> {
    return (await this.#scripts.run('lease-want', [this.#place(id).key], [claimant, ttlMs])) === 1;
  }

  async checkpoint(id: string, owner: string, epoch: number, checkpoint: string, window: string): Promise<CheckpointResult> {
    const reply = await this.#scripts.run('lease-checkpoint', [this.#place(id).key], [owner, epoch, checkpoint, window]);
    if (reply === 1) return 'written';
    return reply === -1 ? 'regression' : 'fenced';
  }

  async end(id: string, owner: string, epoch: number): Promise<CheckpointResult> {
    return (await this.#scripts.run('lease-end', [this.#place(id).key], [owner, epoch])) === 1 ? 'written' : 'fenced';
  }

  async create(rows: readonly LeaseRow[]): Promise<void> {
    await this.#eachPartition(
      rows.map(({ id }) => id),
      async (indexes, keys) => {
        const args = indexes.flatMap((index) => [rows[index]?.checkpoint ?? '', rows[index]?.ended === true ? 1 : 0]);
        await this.#scripts.run('lease-create', keys, args);
      },
    );
  }

  async reposition(rows: readonly LeaseRow[]): Promise<void> {
    // One after the other: parents come before their children, and they live in different partitions.
    for (const { id, checkpoint, ended } of rows) {
      const { partition, key } = this.#place(id);
      const reply = await this.#scripts.run('lease-reposition', [key, this.#keys.epochFloor(partition)], [checkpoint, ended ? 1 : 0]);
      if (reply !== 1) {
        throw new StoreError(`Redis lease-reposition: the row of ${id} is damaged, and its epoch cannot be known; repair or delete ${key}`);
      }
    }
  }

  async note(id: string, owner: string, epoch: number, note: string): Promise<boolean> {
    return (await this.#scripts.run('lease-note', [this.#place(id).key], [owner, epoch, note])) === 1;
  }

  async view(ids: readonly string[]): Promise<LeaseView[]> {
    const views: LeaseView[] = [];
    await this.#eachPartition(ids, async (indexes, keys) => {
      const reply = list('lease-view', await this.#scripts.run('lease-view', keys, []));
      indexes.forEach((index, i) => (views[index] = parseView(ids[index] ?? '', reply, i * VIEW_WIDTH)));
    });
    return views;
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.#eachPartition(ids, async (_, keys, partition) => {
      await this.#scripts.run('lease-remove', [this.#keys.epochFloor(partition), ...keys], []);
    });
  }

  #place(id: string): Place {
    let place = this.#places.get(id);
    if (place === undefined) {
      const partition = partitionOf(id);
      place = { partition, key: this.#keys.leaseIn(partition, id) };
      if (this.#places.size >= PLACES_MAX) this.#places.clear();
      this.#places.set(id, place);
    }
    return place;
  }

  /** Calls `run` once per partition that occurs, or more often where a partition has too many keys for one script; all at the same time. */
  async #eachPartition(
    ids: readonly string[],
    run: (indexes: number[], keys: string[], partition: number) => Promise<void>,
  ): Promise<void> {
    const byPartition = new Map<number, { indexes: number[]; keys: string[] }>();
    for (const [index, id] of ids.entries()) {
      const { partition, key } = this.#place(id);
      let group = byPartition.get(partition);
      if (group === undefined) {
        group = { indexes: [], keys: [] };
        byPartition.set(partition, group);
      }
      group.indexes.push(index);
      group.keys.push(key);
    }
    const runs: Promise<void>[] = [];
    for (const [partition, { indexes, keys }] of byPartition) {
      const keyChunks = chunks(keys);
      chunks(indexes).forEach((part, i) => runs.push(run(part, keyChunks[i] ?? [], partition)));
    }
    await Promise.all(runs);
  }
}

function parseView(id: string, reply: readonly unknown[], at: number): LeaseView {
  const epoch = Number(reply[at + 1]);
  const isCorrupt = epoch < 0;
  const weight = Number(reply[at + 7] ?? 1);
  return {
    id,
    owner: isCorrupt ? CORRUPT_OWNER : String(reply[at]),
    epoch: Math.max(0, epoch),
    live: isCorrupt || reply[at + 2] === 1,
    checkpoint: text(reply[at + 3]),
    ended: reply[at + 4] === 1,
    wantedBy: text(reply[at + 5]),
    sinceMovedMs: since(reply[at + 6]),
    weight: weight > 0 && Number.isFinite(weight) ? weight : 1,
    sinceCheckpointMs: since(reply[at + 8]),
    note: text(reply[at + 9]) ?? '',
  };
}

/** @param reply milliseconds, or -1 for never */
function since(reply: unknown): number {
  const ms = Number(reply);
  return ms < 0 ? Infinity : ms;
}

function list(script: ScriptName, reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unexpectedReply(script, reply);
  return reply;
}

function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return undefined;
  throw new StoreError('Redis lease: a text was expected');
}
