import type { Clock } from '@wherry/core/clock';
import type { Member, MemberInfo, MemberStore } from '@wherry/core/coordination';

/** The behaviour of `RedisMemberStore` in one process, on the given clock. */
export class MemoryMemberStore implements MemberStore {
  readonly #clock: Clock;
  readonly #rows = new Map<string, { info: MemberInfo; seenAtMs: number; ttlMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heartbeat(token: string, info: MemberInfo, ttlMs: number): Promise<void> {
    const now = this.#clock.nowMs();
    this.#rows.set(token, { info, seenAtMs: now, ttlMs });
    for (const [other, row] of this.#rows) {
      if (row.seenAtMs + row.ttlMs <= now) this.#rows.delete(other);
    }
    return Promise.resolve();
  }

  members(): Promise<Member[]> {
    const now = this.#clock.nowMs();
    const members = [...this.#rows]
      .filter(([, row]) => row.seenAtMs + row.ttlMs > now && row.seenAtMs - now <= 3 * row.ttlMs)
      .map(([token, row]): Member => ({ token, info: row.info, silentMs: Math.max(0, now - row.seenAtMs) }))
      .sort((a, b) => (a.token < b.token ? -1 : 1));
    return Promise.resolve(members);
  }

  leave(token: string): Promise<void> {
    this.#rows.delete(token);
    return Promise.resolve();
  }
}
