import type { Pause, PauseStore } from '@wherry/core/coordination';
import type { Keys } from './keys.ts';
import { unexpectedReply } from './scripts.ts';
import type { Scripts } from './scripts.ts';

/** Pauses of mappings in one small hash, which every poller reads each second; they end by Redis's clock. */
export class RedisPauseStore implements PauseStore {
  readonly #scripts: Scripts;
  readonly #key: string;

  constructor(scripts: Scripts, keys: Keys) {
    this.#scripts = scripts;
    this.#key = keys.pauses();
  }

  async pauses(): Promise<ReadonlyMap<string, Pause>> {
    const reply: unknown = await this.#scripts.run('pause-list', [this.#key], []);
    if (!Array.isArray(reply)) throw unexpectedReply('pause-list', reply);
    const pauses = new Map<string, Pause>();
    for (let i = 0; i < reply.length; i += 4) {
      const leftMs = Number(reply[i + 2]);
      const words = readWords(String(reply[i + 3]));
      pauses.set(String(reply[i]), { ...words, sinceMs: Number(reply[i + 1]), leftMs: leftMs < 0 ? Infinity : leftMs });
    }
    return pauses;
  }

  async pause(mapping: string, by: string, reason: string, forMs: number): Promise<void> {
    const endsInMs = forMs === Infinity ? '-' : Math.ceil(forMs);
    await this.#scripts.run('pause-set', [this.#key], [mapping, endsInMs, JSON.stringify([by, reason])]);
  }

  async resume(mapping: string): Promise<boolean> {
    return (await this.#scripts.run('pause-resume', [this.#key], [mapping])) === 1;
  }
}

/** Who and why. A pause whose words cannot be read is one all the same: resuming in doubt could do harm. */
function readWords(json: string): { readonly by: string; readonly reason: string } {
  try {
    const words: unknown = JSON.parse(json);
    if (Array.isArray(words)) return { by: String(words[0] ?? ''), reason: String(words[1] ?? '') };
  } catch {
    // Told below like any other text that is not ours.
  }
  return { by: '', reason: json };
}
