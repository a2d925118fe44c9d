import type { Clock } from '@wherry/core/clock';
import type { ScaleStore } from '@wherry/core/coordination';

const WINDOW_MS = 60_000;

/** The behaviour of `RedisScaleStore` in one process, on the given clock. */
export class MemoryScaleStore implements ScaleStore {
  readonly #clock: Clock;
  readonly #rows = new Map<string, { desired: number; windowOpenedAtMs: number; grown: number }>();

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
}
