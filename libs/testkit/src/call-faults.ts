/**
 * What happens to a call instead of passing through.
 *
 * - `delay`: forwarded after `ms`.
 * - `reset`: the connection is cut before anything reaches the backend.
 * - `blackHole`: never forwarded, never answered.
 * - `lostResponse`: forwarded and done, but the connection is cut instead of the answer.
 * - `error`: answered with an AWS JSON error, such as `{ code: 'ThrottlingException', status: 400 }`.
 */
export type HttpFault =
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'blackHole' }
  | { readonly kind: 'lostResponse' }
  | { readonly kind: 'error'; readonly code: string; readonly status: number; readonly message?: string };

/** A fault for calls of one operation: the part of `X-Amz-Target` behind the dot, or the path where there is none; `*` is all. */
export interface FaultRule {
  readonly operation: string;
  readonly fault: HttpFault;
  /** How many calls it hits before it is used up; without it, all of them. */
  readonly times?: number;
}

interface LiveRule {
  readonly operation: string;
  readonly fault: HttpFault;
  left: number;
}

interface Waiter {
  readonly operation: string;
  readonly calls: number;
  readonly wake: () => void;
}

/** Which calls arrived, and which fault hits the next one. */
export class CallFaults {
  readonly #rules = new Set<LiveRule>();
  readonly #counts = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();

  /** Adds a rule; the oldest that fits decides. Returns a function that takes it away. */
  inject({ operation, fault, times = Infinity }: FaultRule): () => void {
    const rule = { operation, fault, left: times };
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  /** Takes all rules away. */
  clear(): void {
    this.#rules.clear();
  }

  /** Calls of an operation that arrived so far, faulty ones included. */
  count(operation: string): number {
    return this.#counts.get(operation) ?? 0;
  }

  /** Resolves as soon as `count(operation)` has reached `calls`. */
  arrived(operation: string, calls: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.count(operation) >= calls) resolve();
      else this.#waiters.add({ operation, calls, wake: resolve });
    });
  }

  /** A call has arrived. @returns the fault that hits it */
  take(operation: string): HttpFault | undefined {
    const rule = [...this.#rules].find((one) => one.operation === '*' || one.operation === operation);
    if (rule !== undefined) {
      rule.left -= 1;
      if (rule.left <= 0) this.#rules.delete(rule);
    }
    this.#counts.set(operation, this.count(operation) + 1);
    for (const waiter of this.#waiters) {
      if (waiter.operation !== operation || this.count(operation) < waiter.calls) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
    }
    return rule?.fault;
  }
}

/** The operation of a call, from its headers and path. */
export function operationOf(target: string | string[] | undefined, path: string | undefined): string {
  return typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : (path ?? '/');
}
