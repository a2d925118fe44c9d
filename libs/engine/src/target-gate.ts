import type { Surroundings } from '@wherry/core/clock';
import type { GateState, GateStore } from '@wherry/core/coordination';
import type { Observe } from '@wherry/core/engine-event';
import type { InvokeResult } from '@wherry/core/invoke';

export interface TargetGateOptions {
  readonly surroundings: Surroundings;
  readonly store: GateStore;
  /** Name of the function; the key of the shared state. */
  readonly target: string;
  /** Token of this poller. */
  readonly owner: string;
  readonly observe: Observe;
}

/** `go`: fetch and invoke. `probe`: this caller alone may fetch one batch and invoke it. `stopped`: the signal was aborted first. */
export type Passage = 'go' | 'probe' | 'stopped';

export declare class TargetGate {
  constructor(options: TargetGateOptions);
  readonly target: string;
  /** Takes in what the store said about this target (undefined = closed and not throttled). `askedAtMs`: monotonic time at which the store was asked. */
  refresh(state: GateState | undefined, askedAtMs: number): void;
  waitToFetch(signal: AbortSignal): Promise<Passage>;
  report(result: InvokeResult, passage: Passage): void;
  status(): {
    readonly state: 'open' | 'throttled' | 'closed';
    readonly reason: string;
    readonly waitMs: number;
    readonly concurrencyLimit: number;
  };
}
