import type { AuditEntry, AuditStore } from '@wherry/core/coordination';
import type { Keys } from './keys.ts';
import type { RedisClient } from './redis-client.ts';
import { storeError } from './scripts.ts';
import type { Scripts } from './scripts.ts';

/** Entries kept unless another number is asked for: at a kilobyte each, the trail stays small beside the leases. */
const ENTRIES_KEPT = 10_000;

/** The audit trail as a list of JSON lines, the newest first. */
export class RedisAuditStore implements AuditStore {
  readonly #client: RedisClient;
  readonly #scripts: Scripts;
  readonly #key: string;
  readonly #kept: number;

  /** @param kept how many entries stay */
  constructor(client: RedisClient, scripts: Scripts, keys: Keys, kept = ENTRIES_KEPT) {
    this.#client = client;
    this.#scripts = scripts;
    this.#key = keys.audit();
    this.#kept = kept;
  }

  async append(entry: AuditEntry): Promise<void> {
    await this.#scripts.run('audit-append', [this.#key], [JSON.stringify(entry), this.#kept]);
  }

  async newest(count: number): Promise<AuditEntry[]> {
    if (count < 1) return [];
    let lines: string[];
    try {
      lines = await this.#client.lrange(this.#key, 0, count - 1);
    } catch (error) {
      throw storeError('audit-newest', error);
    }
    return lines.map(parseEntry).filter((entry) => entry !== undefined);
  }
}

/** @returns undefined for a line that nobody of ours wrote */
function parseEntry(line: string): AuditEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return isAuditEntry(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isAuditEntry(value: unknown): value is AuditEntry {
  return typeof value === 'object' && value !== null && 'eventName' in value && 'eventTime' in value;
}
