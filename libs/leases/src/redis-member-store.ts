import type { Member, MemberInfo, MemberStore } from '@wherry/core/coordination';
import type { Keys } from './keys.ts';
import { unexpectedReply } from './scripts.ts';
import type { Scripts } from './scripts.ts';

/** Who is alive, by Redis's clock. Each heartbeat also sweeps those that have been silent for longer than their ttl. */
export class RedisMemberStore implements MemberStore {
  readonly #scripts: Scripts;
  readonly #keys: [string, string];

  constructor(scripts: Scripts, keys: Keys) {
    this.#scripts = scripts;
    this.#keys = keys.members();
  }

  async heartbeat(token: string, info: MemberInfo, ttlMs: number): Promise<void> {
    await this.#scripts.run('member-heartbeat', this.#keys, [token, ttlMs, JSON.stringify(info)]);
  }

  async members(): Promise<Member[]> {
    const reply: unknown = await this.#scripts.run('member-list', this.#keys, []);
    if (!Array.isArray(reply)) throw unexpectedReply('member-list', reply);
    const members: Member[] = [];
    for (let i = 0; i < reply.length; i += 3) {
      const member = parseMember(String(reply[i]), Number(reply[i + 1]), String(reply[i + 2]));
      if (member !== undefined) members.push(member);
    }
    return members.sort((a, b) => (a.token < b.token ? -1 : 1));
  }

  async leave(token: string): Promise<void> {
    await this.#scripts.run('member-leave', this.#keys, [token]);
  }
}

/**
 * @param row `<ttl ms> <info JSON>`
 * @returns undefined for a row nobody can read (it counts as not seen, and its owner's next heartbeat writes it anew) and for a
 *   deadline that only a clock set back can explain
 */
function parseMember(token: string, msToDeadline: number, row: string): Member | undefined {
  const space = row.indexOf(' ');
  const ttlMs = Number(row.slice(0, space));
  if (!(ttlMs > 0) || msToDeadline > 4 * ttlMs) return undefined;
  let info: unknown;
  try {
    info = JSON.parse(row.slice(space + 1));
  } catch {
    return undefined;
  }
  return isMemberInfo(info) ? { token, info, silentMs: Math.max(0, ttlMs - msToDeadline) } : undefined;
}

function isMemberInfo(value: unknown): value is MemberInfo {
  return (
    typeof value === 'object' &&
    value !== null &&
    'capacity' in value &&
    typeof value.capacity === 'number' &&
    'draining' in value &&
    typeof value.draining === 'boolean'
  );
}
