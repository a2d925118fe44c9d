import { StoreError } from '@wherry/core/coordination';
import type { FailedBatch, FailedQuery, FailedStore } from '@wherry/core/failed-store';
import { Keys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { Scripts, chunks, storeError, unexpectedReply } from './scripts.ts';

/** Above this part of `maxmemory` no batch is taken: the caller keeps it, and whatever else lives in that Redis goes on. */
const FULL_AT = 0.8;
const FULL = `Redis failed-put: the store is full (more than ${FULL_AT * 100} % of maxmemory is in use); redrive or discard failed batches, or raise maxmemory`;
/** For how long an event may be there before its batch is. */
const EVENT_ALONE_MS = 600_000;
/** Batches that one script looks at, returns or removes at most. */
const LOOKED_AT_A_TIME = 300;
const RETURNED_AT_A_TIME = 100;
const REMOVED_AT_A_TIME = 50;
/** For how long a listing can go on behind a batch that was removed meanwhile. */
const PLACE_REMEMBERED_MS = 3_600_000;

/** A place in the order, oldest first. */
interface Place {
  readonly atMs: string;
  readonly id: string;
}

/**
 * The fleet's own store of what was given up, on Redis. The client stays the caller's: it closes it.
 *
 * @param options.keyPrefix `redis.keyPrefix` of the configuration
 * @param options.fleet `fleet.id`
 * @throws RangeError when prefix or fleet holds a brace
 */
export function createRedisFailedStore(client: RedisClient, options: { readonly keyPrefix: string; readonly fleet: string }): FailedStore {
  return new RedisFailedStore(client, new Scripts(client), new Keys(options.keyPrefix, options.fleet));
}

/**
 * Events as strings of their own, everything else about them in hashes; all keys of a fleet in one slot, so that rows and counts
 * always agree. In a Redis Cluster one node holds them all.
 */
class RedisFailedStore implements FailedStore {
  readonly #client: RedisClient;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(client: RedisClient, scripts: Scripts, keys: Keys) {
    this.#client = client;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async put(batch: FailedBatch, event: Uint8Array): Promise<void> {
    const { id, name, mapping, mappingUuid, failedAtMs } = batch;
    const key = this.#keys.failedEvent(id);
    const body = Buffer.from(event.buffer, event.byteOffset, event.byteLength);
    // Ahead of the script and not through it: Lua would copy some mebibytes twice, and Redis would stand still meanwhile. What no
    // script takes over goes by itself; NX, because a repeat must not make the event of a batch that is stored expire.
    await this.#ask('failed-put', () => this.#client.set(key, body, 'PX', EVENT_ALONE_MS, 'NX'));
    const facts = [event.byteLength, name, mappingUuid, mapping].join('\n');
    const args = [id, Math.trunc(failedAtMs), facts, JSON.stringify(batch), FULL_AT];
    const reply = await this.#scripts.run('failed-put', [...this.#keys.failed(), key], args);
    if (reply === -1) throw new StoreError(FULL);
    if (reply === -2) throw new StoreError('Redis failed-put: the event was gone before the batch was stored; try again');
  }

  async list({ name = '', mapping = '', limit, after }: FailedQuery): Promise<FailedBatch[]> {
    const [order, facts, rows] = this.#keys.failed();
    const batches: FailedBatch[] = [];
    let place = after === undefined ? { atMs: '', id: '' } : await this.#placeOf(after);
    for (let hasMore = true; hasMore && batches.length < limit;) {
      const wanted = Math.min(RETURNED_AT_A_TIME, limit - batches.length);
      const looked = name === '' && mapping === '' ? wanted : LOOKED_AT_A_TIME;
      const args = [place.atMs, place.id, name, mapping, wanted, looked];
      const reply: unknown = await this.#scripts.run('failed-list', [order, facts, rows], args);
      if (!Array.isArray(reply)) throw unexpectedReply('failed-list', reply);
      hasMore = reply[0] === 1;
      place = { atMs: String(reply[1]), id: String(reply[2]) };
      batches.push(...reply.slice(3).flatMap((row) => parseBatch(String(row)) ?? []));
    }
    return batches;
  }

  async get(id: string): Promise<{ readonly batch: FailedBatch; readonly event: Uint8Array } | undefined> {
    const [, , rows] = this.#keys.failed();
    const { event, row } = await this.#ask('failed-get', async () => ({
      // In this order: of a batch that is removed meanwhile nothing is found, rather than a half.
      event: await this.#client.getBuffer(this.#keys.failedEvent(id)),
      row: await this.#client.hget(rows, id),
    }));
    if (event === null || row === null) return undefined;
    const batch = parseBatch(row);
    if (batch === undefined) throw new StoreError(`Redis failed-get: the row of batch ${id} cannot be read`);
    return { batch, event };
  }

  async remove(ids: readonly string[]): Promise<number> {
    let removed = 0;
    for (const part of chunks(ids, REMOVED_AT_A_TIME)) {
      const keys = part.flatMap((id) => [this.#keys.failedEvent(id), this.#keys.failedGone(id)]);
      removed += Number(await this.#scripts.run('failed-remove', [...this.#keys.failed(), ...keys], [PLACE_REMEMBERED_MS, ...part]));
    }
    return removed;
  }

  async counts(): Promise<ReadonlyMap<string, { readonly batches: number; readonly bytes: number }>> {
    const [, , , key] = this.#keys.failed();
    const row = await this.#ask('failed-counts', () => this.#client.hgetall(key));
    const names = Object.keys(row).filter((field) => field.startsWith('n:'));
    return new Map(names.map((field) => [field.slice(2), { batches: Number(row[field]), bytes: Number(row[`b:${field.slice(2)}`] ?? 0) }]));
  }

  /** @throws StoreError for a batch that nobody knows: a listing from the start would show again what was seen */
  async #placeOf(id: string): Promise<Place> {
    const [order] = this.#keys.failed();
    const atMs = await this.#ask(
      'failed-list',
      async () => (await this.#client.zscore(order, id)) ?? (await this.#client.get(this.#keys.failedGone(id))),
    );
    if (atMs !== null) return { atMs, id };
    throw new StoreError(
      `Redis failed-list: there is no batch ${id} to go on after, nor was there within the last hour; list from the start`,
    );
  }

  async #ask<Answer>(doing: string, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      throw storeError(doing, error);
    }
  }
}

/** @returns undefined for a row that nobody of ours wrote */
function parseBatch(row: string): FailedBatch | undefined {
  try {
    const batch: unknown = JSON.parse(row);
    return isFailedBatch(batch) ? batch : undefined;
  } catch {
    return undefined;
  }
}

function isFailedBatch(value: unknown): value is FailedBatch {
  return typeof value === 'object' && value !== null && 'id' in value && 'name' in value && 'document' in value;
}
