import { GATE_FORGOTTEN_MS, type GateState, type GateStore } from '@wherry/core/coordination';
import type { Keys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { chunks, storeError, unexpectedReply } from './scripts.ts';
import type { Scripts } from './scripts.ts';

/** Breaker and throttle state of all targets in one hash slot: one script reads as many as a poller needs. */
export class RedisGateStore implements GateStore {
  readonly #client: RedisClient;
  readonly #scripts: Scripts;
  readonly #keys: Keys;

  constructor(client: RedisClient, scripts: Scripts, keys: Keys) {
    this.#client = client;
    this.#scripts = scripts;
    this.#keys = keys;
  }

  async gates(targets: readonly string[]): Promise<Map<string, GateState>> {
    const gates = new Map<string, GateState>();
    const readChunk = async (part: readonly string[]): Promise<void> => {
      const keys = part.map((target) => this.#keys.gate(target));
      const reply: unknown = await this.#scripts.run('gate-list', keys, []);
      if (!Array.isArray(reply)) throw unexpectedReply('gate-list', reply);
      for (let i = 0; i < reply.length; i += 5) {
        const target = part[Number(reply[i])];
        if (target === undefined) throw unexpectedReply('gate-list', reply);
        gates.set(target, {
          state: reply[i + 1] === 'open' ? 'open' : 'closed',
          waitMs: Number(reply[i + 2]),
          failures: Number(reply[i + 3]),
          reason: String(reply[i + 4]),
        });
      }
    };
    await Promise.all(chunks(targets).map(readChunk));
    return gates;
  }

  async open(target: string, waitMs: number, failures: number, reason: string): Promise<void> {
    await this.#scripts.run('gate-open', [this.#keys.gate(target)], [waitMs, failures, reason, GATE_FORGOTTEN_MS]);
  }

  async throttle(target: string, waitMs: number, reason: string): Promise<void> {
    await this.#scripts.run('gate-throttle', [this.#keys.gate(target)], [waitMs, reason]);
  }

  async tryProbe(target: string, owner: string, ttlMs: number): Promise<boolean> {
    return (await this.#scripts.run('gate-probe', [this.#keys.gate(target)], [owner, ttlMs])) === 1;
  }

  async close(target: string): Promise<void> {
    try {
      await this.#client.del(this.#keys.gate(target));
    } catch (error) {
      throw storeError('gate-close', error);
    }
  }
}
