import type { Clock } from '@wherry/core/clock';
import type { NotedMapping, ScaleStore } from '@wherry/core/coordination';

const WINDOW_MS = 60_000;
const FORGOTTEN_AT_A_TIME = 100;

/** The behaviour of `RedisScaleStore` in one process, on the given clock. */
export class MemoryScaleStore implements ScaleStore {
  readonly #clock: Clock;
  readonly #rows = new Map<string, { desired: number; windowOpenedAtMs: number; grown: number }>();
  readonly #notes = new Map<string, { slots: number; notedAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  desired(mappings: readonly { readonly id: string; readonly initial: number }[]): Promise<Map<string, number>> {
    return Promise.resolve(new Map(mappings.map(({ id, initial }) => [id, this.#rows.get(id)?.desired ?? initial])));
  }

  adjust(
    id: string,
    delta: number,
    bounds: { readonly initial: number; readonly floor: number; readonly ceiling: number; readonly growthPerMinute: number },
  ): Promise<number> {
    const now = this.#clock.nowMs();
    const row = this.#rows.get(id) ?? { desired: bounds.initial, windowOpenedAtMs: 0, grown: 0 };
    const clamp = (wish: number): number => Math.max(bounds.floor, Math.min(bounds.ceiling, wish));
    const isNewWindow = now - row.windowOpenedAtMs >= WINDOW_MS || row.windowOpenedAtMs > now;
    const grown = isNewWindow ? 0 : row.grown;
    const before = clamp(row.desired);
    const step = delta > 0 ? Math.max(0, Math.min(delta, bounds.growthPerMinute - grown)) : delta;
    row.desired = clamp(before + step);
    if (row.desired > before) {
      row.grown = grown + row.desired - before;
      if (isNewWindow) row.windowOpenedAtMs = now;
    }
    this.#rows.set(id, row);
    return Promise.resolve(row.desired);
  }

  note(mappings: readonly NotedMapping[]): Promise<void> {
    const notedAtMs = this.#clock.nowMs();
    for (const { id, slots } of mappings) this.#notes.set(id, { slots: Math.max(slots, this.#notes.get(id)?.slots ?? 0), notedAtMs });
    return Promise.resolve();
  }

  forgotten(quietMs: number): Promise<NotedMapping[]> {
    const untilMs = this.#clock.nowMs() - quietMs;
    const forgotten = [...this.#notes].filter(([, note]) => note.notedAtMs <= untilMs);
    forgotten.sort(([, one], [, other]) => one.notedAtMs - other.notedAtMs);
    return Promise.resolve(forgotten.slice(0, FORGOTTEN_AT_A_TIME).map(([id, { slots }]) => ({ id, slots })));
  }

  forget(id: string, quietMs: number): Promise<void> {
    const note = this.#notes.get(id);
    if (note === undefined || note.notedAtMs > this.#clock.nowMs() - quietMs) return Promise.resolve();
    this.#notes.delete(id);
    this.#rows.delete(id);
    return Promise.resolve();
  }
}
