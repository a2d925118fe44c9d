import { StoreError } from '@wherry/core/coordination';
import { parentsFirst } from '@wherry/core/stream/shard-tree';
import { type StreamIdentity, streamKey } from '@wherry/core/stream/stream-identity';
import type { RegisterChange, RegisteredShard, StreamRegister, StreamStore } from '@wherry/core/stream-store';
import { partitionOf } from '@wherry/core/stable-hash';
import type { Keys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { chunks, storeError, unexpectedReply } from './scripts.ts';
import type { Scripts } from './scripts.ts';

interface Asked {
  readonly id: string;
  readonly knownVersion?: string;
}

/** How often a register is read again because the mapping went to another stream meanwhile. That takes as many changes in a row. */
const READ_TRIES = 5;

/** A step searches a hash that is small enough for Redis to keep it as a list, so fewer than keys fit into one script. */
const STEPS_PER_SCRIPT = 200;

/** What one step of `stream-change.lua` consists of: what, shard id, parents. */
type Step = readonly [keyof Omit<RegisterChange, 'nowMs'>, string, string];

/**
 * Registers of stream mappings. Each mapping has a small hash that tells its present stream and the version, which all that ask
 * each second read, and one hash per stream with a field per shard, read only by those that do not know the version.
 */
export class RedisStreamStore implements StreamStore {
  readonly #client: RedisClient;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(client: RedisClient, scripts: Scripts, keys: Keys) {
    this.#client = client;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async read(mappings: readonly Asked[]): Promise<readonly (StreamRegister | 'unchanged' | undefined)[]> {
    const registers: (StreamRegister | 'unchanged' | undefined)[] = [];
    const byPartition = Map.groupBy(mappings.keys(), (index) => partitionOf(mappings[index]?.id ?? ''));
    const readChunk = async (indexes: readonly number[]): Promise<void> => {
      const asked = indexes.map((index) => mappings[index] ?? { id: '' });
      const replies = await this.#versions(asked);
      const readOne = async (index: number, i: number): Promise<void> => {
        const reply = replies[i];
        registers[index] =
          typeof reply === 'string' ? await this.#register(asked[i]?.id ?? '', reply) : reply === 1 ? 'unchanged' : undefined;
      };
      await Promise.all(indexes.map(readOne));
    };
    await Promise.all([...byPartition.values()].flatMap((indexes) => chunks(indexes)).map(readChunk));
    return Array.from(mappings, (_, index) => registers[index]);
  }

  async readOf(mapping: string, stream: StreamIdentity): Promise<StreamRegister | undefined> {
    const [row, shards] = await this.#transaction(mapping, streamKey(stream));
    if (!Array.isArray(row)) throw unexpectedReply('stream-read', row);
    const [, version, identity]: unknown[] = row;
    if (typeof identity !== 'string') return undefined;
    // Without a present stream the mapping has no version; its other registers are there all the same.
    return { stream: readIdentity(identity), version: typeof version === 'string' ? version : '', shards: readShards(shards) };
  }

  async change(mapping: string, stream: StreamIdentity, change: RegisterChange): Promise<void> {
    const key = streamKey(stream);
    const keys = [this.#keys.streams(mapping), this.#keys.shards(mapping, key)];
    const pieces = chunks(stepsOf(change), STEPS_PER_SCRIPT);
    // One after the other: a reader that sees a child has to see its parent.
    for (const steps of pieces.length === 0 ? [[]] : pieces) {
      await this.#scripts.run('stream-change', keys, [key, writeIdentity(stream), Math.trunc(change.nowMs), ...steps.flat()]);
    }
  }

  async remove(mapping: string, stream: StreamIdentity): Promise<void> {
    const key = streamKey(stream);
    await this.#scripts.run('stream-remove', [this.#keys.streams(mapping), this.#keys.shards(mapping, key)], [key]);
  }

  async streams(mapping: string): Promise<readonly StreamIdentity[]> {
    let row: Record<string, string>;
    try {
      row = await this.#client.hgetall(this.#keys.streams(mapping));
    } catch (error) {
      throw storeError('stream-list', error);
    }
    return Object.entries(row)
      .filter(([field]) => field.startsWith('i:'))
      .map(([, text]) => readIdentity(text));
  }

  async #versions(asked: readonly Asked[]): Promise<readonly unknown[]> {
    const keys = asked.map(({ id }) => this.#keys.streams(id));
    const known = asked.map(({ knownVersion }) => knownVersion ?? '');
    const reply: unknown = await this.#scripts.run('stream-versions', keys, known);
    if (!Array.isArray(reply)) throw unexpectedReply('stream-versions', reply);
    return reply;
  }

  /**
   * Reads version and shards at one moment. In a transaction rather than a script, because Redis answers a large hash far faster
   * than Lua can carry it over.
   */
  async #register(mapping: string, presentKey: string): Promise<StreamRegister | undefined> {
    let key = presentKey;
    for (let tries = 0; tries < READ_TRIES; tries += 1) {
      const [row, shards] = await this.#transaction(mapping, key);
      if (!Array.isArray(row)) throw unexpectedReply('stream-read', row);
      const [present, version, identity]: unknown[] = row;
      if (typeof present !== 'string' || typeof version !== 'string') return undefined;
      if (present === key) return { stream: readIdentity(String(identity)), version, shards: readShards(shards) };
      key = present;
    }
    throw new StoreError(`Redis stream-read: the stream of mapping ${mapping} changed ${READ_TRIES} times while it was read`);
  }

  async #transaction(mapping: string, key: string): Promise<[row: unknown, shards: unknown]> {
    try {
      const replies = await this.#client
        .multi()
        .hmget(this.#keys.streams(mapping), 'p', 'v', `i:${key}`)
        .hgetall(this.#keys.shards(mapping, key))
        .exec();
      const failed = replies?.find(([error]) => error !== null);
      if (failed !== undefined) throw failed[0] ?? new Error('no reply');
      return [replies?.[0]?.[1], replies?.[1]?.[1]];
    } catch (error) {
      throw storeError('stream-read', error);
    }
  }
}

/** In an order in which a change that is too large for one script may be seen half done: parents before their children. */
function stepsOf({ register, missing, foundAgain, retire, unregister }: RegisterChange): Step[] {
  return [
    ...parentsFirst(register).map(({ shardId, parentShardIds }): Step => ['register', shardId, parentShardIds.join(',')]),
    ...missing.map((id): Step => ['missing', id, '']),
    ...foundAgain.map((id): Step => ['foundAgain', id, '']),
    ...retire.map((id): Step => ['retire', id, '']),
    ...unregister.map((id): Step => ['unregister', id, '']),
  ];
}

/** @param reply shard id to `<parents>|<missing since ms>|<r if retired>` */
function readShards(reply: unknown): RegisteredShard[] {
  if (typeof reply !== 'object' || reply === null) throw unexpectedReply('stream-read', reply);
  return Object.entries(reply).map(([shardId, text]): RegisteredShard => {
    const [parents = '', missingSinceMs = '', retired = ''] = String(text).split('|');
    return {
      shardId,
      parentShardIds: parents === '' ? [] : parents.split(','),
      ...(missingSinceMs === '' ? {} : { missingSinceMs: Number(missingSinceMs) }),
      ...(retired === '' ? {} : { isRetired: true }),
    };
  });
}

function writeIdentity({ arn, createdAtMs }: StreamIdentity): string {
  return JSON.stringify([arn, createdAtMs ?? null]);
}

function readIdentity(text: string): StreamIdentity {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    parts = undefined;
  }
  const [arn, createdAtMs]: unknown[] = Array.isArray(parts) ? parts : [];
  if (typeof arn !== 'string') throw new StoreError('Redis stream-read: the identity of a stream cannot be read');
  return { arn, createdAtMs: typeof createdAtMs === 'number' ? createdAtMs : undefined };
}
