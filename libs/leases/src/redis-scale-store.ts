import type { NotedMapping, ScaleStore } from '@wherry/core/coordination';
import type { Keys } from './keys.ts';
import { chunks, unexpectedReply } from './scripts.ts';
import type { Scripts } from './scripts.ts';

/** Mappings that one cleaning up looks at. */
const FORGOTTEN_AT_A_TIME = 100;

/** The wished-for number of slots per mapping, how much of this minute's growth is used up, and which mappings there are. */
export class RedisScaleStore implements ScaleStore {
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(scripts: Scripts, keys: Keys) {
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async desired(mappings: readonly { readonly id: string; readonly initial: number }[]): Promise<Map<string, number>> {
    const desired = new Map<string, number>();
    const readChunk = async (part: readonly { readonly id: string; readonly initial: number }[]): Promise<void> => {
      const keys = part.map(({ id }) => this.#keys.scale(id));
      const reply: unknown = await this.#scripts.run('scale-desired', keys, []);
      if (!Array.isArray(reply)) throw unexpectedReply('scale-desired', reply);
      part.forEach(({ id, initial }, i) => desired.set(id, reply[i] === null ? initial : Number(reply[i])));
    };
    await Promise.all(chunks(mappings).map(readChunk));
    return desired;
  }

  async adjust(
    id: string,
    delta: number,
    bounds: { readonly initial: number; readonly floor: number; readonly ceiling: number; readonly growthPerMinute: number },
  ): Promise<number> {
    const { initial, floor, ceiling, growthPerMinute } = bounds;
    return Number(await this.#scripts.run('scale-adjust', [this.#keys.scale(id)], [delta, initial, floor, ceiling, growthPerMinute]));
  }

  async note(mappings: readonly NotedMapping[]): Promise<void> {
    const noteChunk = async (part: readonly NotedMapping[]): Promise<void> => {
      const args = part.flatMap(({ id, slots }) => [id, slots]);
      await this.#scripts.run('scale-note', this.#keys.noted(), args);
    };
    await Promise.all(chunks(mappings).map(noteChunk));
  }

  async forgotten(quietMs: number): Promise<NotedMapping[]> {
    const reply: unknown = await this.#scripts.run('scale-forgotten', this.#keys.noted(), [quietMs, FORGOTTEN_AT_A_TIME]);
    if (!Array.isArray(reply)) throw unexpectedReply('scale-forgotten', reply);
    return Array.from({ length: reply.length / 2 }, (_, index) => ({ id: String(reply[2 * index]), slots: Number(reply[2 * index + 1]) }));
  }

  async forget(id: string, quietMs: number): Promise<void> {
    await this.#scripts.run('scale-forget', [...this.#keys.noted(), this.#keys.scale(id)], [id, quietMs]);
  }
}
