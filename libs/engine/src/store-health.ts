import type { Observe } from '@wherry/core/engine-event';

/**
 * Whether the coordination store answers, as this poller sees it. Every call of the fleet and the lease keeper goes
 * through `ask`; the change from up to down and back is told once, not per call.
 */
export class StoreHealth {
  readonly #observe: Observe;
  #state: 'unknown' | 'up' | 'down' = 'unknown';
  #recoveries = 0;

  constructor(observe: Observe) {
    this.#observe = observe;
  }

  /** True once the store has answered and until it fails to. */
  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** How often the store came back after it had been down; a caller compares two readings. */
  get recoveries(): number {
    return this.#recoveries;
  }

  /**
   * Runs one call against the store.
   *
   * @returns what the call returned, or undefined when it failed: no caller may then assume anything about its outcome
   */
  async ask<T>(call: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    try {
      const value = await call();
      this.#becomeUp();
      return { value };
    } catch (error) {
      this.#becomeDown(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  #becomeUp(): void {
    if (this.#state === 'up') return;
    if (this.#state === 'down') this.#recoveries += 1;
    this.#state = 'up';
    this.#observe({ type: 'storeUp', up: true, message: 'coordination store answers' });
  }

  #becomeDown(message: string): void {
    if (this.#state === 'down') return;
    this.#state = 'down';
    this.#observe({ type: 'storeUp', up: false, message });
  }
}
