import type { Clock } from '@wherry/core/clock';
import type { AcquireResult, CheckpointResult, LeaseRow, LeaseStore, LeaseView, RenewResult } from '@wherry/core/coordination';

interface Row {
  owner: string;
  epoch: number;
  expiresAtMs: number;
  ttlMs: number;
  movedAtMs: number | undefined;
  checkpoint: string | undefined;
  window: string;
  writtenAtMs: number | undefined;
  weight: number;
  note: string;
  isEnded: boolean;
  wantedBy: string | undefined;
  wantedUntilMs: number;
}

/** For how long a released lease is kept for the poller it was handed to. */
const RESERVATION_MS = 5_000;

/** The behaviour of `RedisLeaseStore` in one process, on the given clock: for simulations and for tests of one process. */
export class MemoryLeaseStore implements LeaseStore {
  readonly #clock: Clock;
  readonly #rows = new Map<string, Row>();
  /** Highest epoch of any removed row: a unit that comes back never repeats one. */
  #epochFloor = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquire(id: string, owner: string, ttlMs: number): Promise<AcquireResult> {
    const now = this.#clock.nowMs();
    const row = this.#rows.get(id) ?? emptyRow();
    if (row.isEnded) return Promise.resolve({ kind: 'ended' });
    if (isLive(row, now)) {
      if (row.owner !== owner) return Promise.resolve({ kind: 'held', owner: row.owner });
      row.expiresAtMs = now + ttlMs;
      row.ttlMs = ttlMs;
      return Promise.resolve(acquired(row));
    }
    const reservedFor = row.owner === '' && row.wantedUntilMs - now <= RESERVATION_MS ? standingWant(row, now) : undefined;
    if (reservedFor !== undefined && reservedFor !== owner) return Promise.resolve({ kind: 'held', owner: reservedFor });
    row.owner = owner;
    row.epoch = Math.max(row.epoch, this.#epochFloor) + 1;
    row.expiresAtMs = now + ttlMs;
    row.ttlMs = ttlMs;
    row.movedAtMs = now;
    row.wantedBy = undefined;
    row.note = '';
    this.#rows.set(id, row);
    return Promise.resolve(acquired(row));
  }

  renew(
    owner: string,
    leases: readonly { readonly id: string; readonly epoch: number; readonly weight?: number }[],
    ttlMs: number,
  ): Promise<RenewResult[]> {
    const now = this.#clock.nowMs();
    const results = leases.map(({ id, epoch, weight }): RenewResult => {
      const row = this.#owned(id, owner, epoch);
      if (row === undefined || row.expiresAtMs <= now) return 'lost';
      row.expiresAtMs = now + ttlMs;
      row.ttlMs = ttlMs;
      row.weight = weight ?? row.weight;
      return standingWant(row, now) === undefined ? 'renewed' : 'wanted';
    });
    return Promise.resolve(results);
  }

  release(id: string, owner: string, epoch: number, next = ''): Promise<boolean> {
    const now = this.#clock.nowMs();
    const row = this.#owned(id, owner, epoch);
    if (row === undefined) return Promise.resolve(false);
    row.owner = '';
    row.expiresAtMs = 0;
    row.note = '';
    row.wantedBy = next === '' ? standingWant(row, now) : next;
    row.wantedUntilMs = now + RESERVATION_MS;
    return Promise.resolve(true);
  }

  want(id: string, claimant: string, ttlMs: number): Promise<boolean> {
    const now = this.#clock.nowMs();
    const row = this.#rows.get(id);
    if (row === undefined || row.owner === '' || row.owner === claimant || row.expiresAtMs <= now) return Promise.resolve(false);
    const standing = row.wantedUntilMs - now <= 4 * ttlMs ? standingWant(row, now) : undefined;
    if (standing !== undefined && standing !== claimant) return Promise.resolve(false);
    row.wantedBy = claimant;
    row.wantedUntilMs = now + ttlMs;
    return Promise.resolve(true);
  }

  checkpoint(id: string, owner: string, epoch: number, checkpoint: string, window: string): Promise<CheckpointResult> {
    const row = this.#owned(id, owner, epoch);
    if (row === undefined || row.isEnded) return Promise.resolve('fenced');
    const current = row.checkpoint;
    if (current !== undefined && isSequenceNumber(current) && (!isSequenceNumber(checkpoint) || isLower(checkpoint, current)))
      return Promise.resolve('regression');
    row.checkpoint = checkpoint;
    row.window = window;
    row.writtenAtMs = this.#clock.nowMs();
    return Promise.resolve('written');
  }

  end(id: string, owner: string, epoch: number): Promise<CheckpointResult> {
    const row = this.#owned(id, owner, epoch);
    if (row === undefined) return Promise.resolve('fenced');
    row.isEnded = true;
    row.window = '';
    return Promise.resolve('written');
  }

  create(rows: readonly LeaseRow[]): Promise<void> {
    for (const { id, checkpoint, ended } of rows) {
      const row = this.#rows.get(id) ?? emptyRow();
      if (row.checkpoint !== undefined) continue;
      row.checkpoint = checkpoint;
      row.isEnded ||= ended;
      this.#rows.set(id, row);
    }
    return Promise.resolve();
  }

  reposition(rows: readonly LeaseRow[]): Promise<void> {
    for (const { id, checkpoint, ended } of rows) {
      const { epoch, weight, movedAtMs } = this.#rows.get(id) ?? emptyRow();
      const nextEpoch = Math.max(epoch, this.#epochFloor) + 1;
      this.#rows.set(id, { ...emptyRow(), epoch: nextEpoch, weight, movedAtMs, checkpoint, isEnded: ended });
    }
    return Promise.resolve();
  }

  note(id: string, owner: string, epoch: number, note: string): Promise<boolean> {
    const row = this.#owned(id, owner, epoch);
    if (row !== undefined) row.note = note;
    return Promise.resolve(row !== undefined);
  }

  view(ids: readonly string[]): Promise<LeaseView[]> {
    const now = this.#clock.nowMs();
    const views = ids.map((id): LeaseView => {
      const row = this.#rows.get(id) ?? emptyRow();
      return {
        id,
        owner: row.owner,
        epoch: row.epoch,
        live: isLive(row, now),
        checkpoint: row.checkpoint,
        ended: row.isEnded,
        wantedBy: standingWant(row, now),
        sinceMovedMs: since(row.movedAtMs, now),
        weight: row.weight,
        sinceCheckpointMs: since(row.writtenAtMs, now),
        note: isLive(row, now) ? row.note : '',
      };
    });
    return Promise.resolve(views);
  }

  remove(ids: readonly string[]): Promise<void> {
    const now = this.#clock.nowMs();
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row === undefined || isLive(row, now)) continue;
      this.#epochFloor = Math.max(this.#epochFloor, row.epoch);
      this.#rows.delete(id);
    }
    return Promise.resolve();
  }

  #owned(id: string, owner: string, epoch: number): Row | undefined {
    const row = this.#rows.get(id);
    return row !== undefined && row.owner === owner && row.epoch === epoch ? row : undefined;
  }
}

function emptyRow(): Row {
  return {
    owner: '',
    epoch: 0,
    expiresAtMs: 0,
    ttlMs: 0,
    movedAtMs: undefined,
    checkpoint: undefined,
    window: '',
    writtenAtMs: undefined,
    weight: 1,
    note: '',
    isEnded: false,
    wantedBy: undefined,
    wantedUntilMs: 0,
  };
}

/** An expiry far beyond what its owner can have asked for means that the clock went backwards. */
function isLive(row: Row, now: number): boolean {
  return row.owner !== '' && row.expiresAtMs > now && row.expiresAtMs - now <= 4 * row.ttlMs;
}

/** A window without its checkpoint would fit nothing. */
function acquired({ epoch, checkpoint, window }: Row): AcquireResult {
  return { kind: 'acquired', epoch, checkpoint, window: checkpoint === undefined ? '' : window };
}

function since(atMs: number | undefined, now: number): number {
  return atMs === undefined ? Infinity : Math.max(0, now - atMs);
}

function isSequenceNumber(position: string): boolean {
  return /^[0-9]+$/.test(position);
}

function standingWant(row: Row, now: number): string | undefined {
  return row.wantedUntilMs > now ? row.wantedBy : undefined;
}

/** By length, then by code units: sequence numbers are ASCII digits beyond 2^53. */
function isLower(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
