import type { SimClock } from './sim-clock.ts';

/** What happened in a simulation, line by line, and the first promise that was broken. */
export class SimulationTrace {
  readonly #sim: SimClock;
  readonly #startMs: number;
  readonly #lines: string[] | undefined;
  #violation: string | undefined;
  #digest = 0x811c9dc5;

  /** @param isTraced keep every line, not only the digest */
  constructor(sim: SimClock, isTraced: boolean) {
    this.#sim = sim;
    this.#startMs = sim.nowMs();
    this.#lines = isTraced ? [] : undefined;
  }

  /** The promise and what broke it. */
  get violation(): string | undefined {
    return this.#violation;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  /** FNV-1a over every line. */
  get digest(): number {
    return this.#digest >>> 0;
  }

  note(text: string): void {
    const line = `${Math.round(this.#sim.nowMs() - this.#startMs)} ${text}`;
    for (let index = 0; index < line.length; index += 1) this.#digest = Math.imul(this.#digest ^ line.charCodeAt(index), 0x01000193);
    this.#lines?.push(line);
  }

  /** Records a broken promise; only the first one counts, because the rest follows from it. */
  broken(promise: string, detail: string): void {
    this.#violation ??= `${promise}: ${detail} (at ${Math.round(this.#sim.nowMs() - this.#startMs)} ms)`;
    this.note(`BROKEN ${promise}: ${detail}`);
  }
}
