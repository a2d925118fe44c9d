import type { Random } from '@wherry/core/clock';
import type { Invoker, InvokeRequest, InvokeResult } from '@wherry/core/invoke';
import type { SimClock } from './sim-clock.ts';
import type { SimulationLedger } from './simulation-ledger.ts';
import type { SimulatedQueuePlan } from './simulation-plan.ts';
import type { SimulatedProcess } from './simulation-process.ts';

/** What a simulated function is made of. */
export interface SimulatedFunctionOptions {
  readonly sim: SimClock;
  readonly random: Random;
  readonly ledger: SimulationLedger;
  /** Plans of the queues that feed this function, by the name of their mapping. */
  readonly plans: ReadonlyMap<string, SimulatedQueuePlan>;
  readonly latencyMs: number;
}

/** How the function will end, drawn before it runs. */
type Ending = 'success' | 'partial' | 'functionError' | 'timedOut' | 'unheard';

/** A client that asks for a function: which process, and what its lease is worth at this moment. */
export interface SimulatedCaller {
  readonly process: SimulatedProcess;
  /** Owner token of its leases. */
  readonly token: string;
  readonly isLeaseHeld: (mapping: string, epoch: number) => boolean;
}

/**
 * A function behind one or more mappings, as a service of its own: what has arrived runs to its end whether or not the caller
 * lives, and the platform stops it at `Timeout`. Poison messages fail each time; other troubles come at the planned rates.
 */
export class SimulatedFunction {
  readonly #options: SimulatedFunctionOptions;
  readonly #isPoison: (id: string) => boolean;
  #isDown = false;

  constructor(options: SimulatedFunctionOptions, isPoison: (id: string) => boolean) {
    this.#options = options;
    this.#isPoison = isPoison;
  }

  /** Refuses connections until told otherwise. */
  setDown(isDown: boolean): void {
    this.#isDown = isDown;
  }

  /** The invoker of one process. */
  invoker(caller: SimulatedCaller): Invoker {
    return { invoke: (request) => this.#invoke(request, caller), close: () => Promise.resolve() };
  }

  async #invoke(request: InvokeRequest, caller: SimulatedCaller): Promise<InvokeResult> {
    const { sim, ledger } = this.#options;
    const ids = messageIds(request.payload);
    const { mapping, epoch } = request.delivery;
    ledger.invokeAsked(caller.token, ids, caller.isLeaseHeld(mapping, epoch), `${mapping} epoch ${epoch}`);
    const sentAtMs = sim.nowMs();
    const result = await Promise.race([this.#serve(request, ids, caller), aborted(request.signal)]);
    await caller.process.pass();
    return { ...result, durationMs: sim.nowMs() - sentAtMs };
  }

  async #serve(request: InvokeRequest, ids: readonly string[], caller: SimulatedCaller): Promise<InvokeResult> {
    const { sim, ledger, plans } = this.#options;
    const plan = plans.get(request.delivery.mapping)!;
    await sim.sleep(this.#oneWayMs());
    const refusal = this.#refusal(plan);
    if (refusal !== undefined) {
      await sim.sleep(this.#oneWayMs());
      return refusal;
    }
    const ending = this.#drawEnding(ids, plan);
    const number = ledger.invokeStarted(
      { poller: caller.token, queue: plan.name, function: request.function.name, ids },
      {
        maximumConcurrency: plan.maximumConcurrency ?? Number.POSITIVE_INFINITY,
        reservedConcurrentExecutions: plan.reservedConcurrentExecutions ?? Number.POSITIVE_INFINITY,
      },
    );
    await sim.sleep(ending === 'timedOut' ? plan.timeoutSeconds * 1000 : this.#between(plan.latencyMs));
    const failed = this.#failedIds(ids, ending);
    const succeeded = ids.filter((id) => !failed.includes(id));
    ledger.invokeEnded(number, succeeded, ending);
    if (ending === 'unheard') for (const id of ids) ledger.settleLost(id);
    await sim.sleep(this.#oneWayMs());
    return resultOf(ending, failed);
  }

  #refusal(plan: SimulatedQueuePlan): InvokeResult | undefined {
    const { random } = this.#options;
    if (this.#isDown) return { kind: 'unavailable', reason: 'ECONNREFUSED', permanent: false, durationMs: 0 };
    const drawn = random();
    if (drawn < plan.rates.throttled) return { kind: 'throttled', reason: 'TooManyRequests', durationMs: 0 };
    if (drawn < plan.rates.throttled + plan.rates.unavailable / 2)
      return { kind: 'unavailable', reason: 'ECONNRESET', permanent: false, durationMs: 0 };
    return undefined;
  }

  #drawEnding(ids: readonly string[], plan: SimulatedQueuePlan): Ending {
    const { random } = this.#options;
    if (ids.some((id) => this.#isPoison(id))) return plan.reportBatchItemFailures ? 'partial' : 'functionError';
    let drawn = random();
    if ((drawn -= plan.rates.functionError) < 0) return 'functionError';
    if ((drawn -= plan.rates.slow) < 0) return 'timedOut';
    if ((drawn -= plan.rates.unavailable / 2) < 0) return 'unheard';
    return plan.reportBatchItemFailures && drawn < plan.rates.partial ? 'partial' : 'success';
  }

  /**
   * The messages an invocation has not dealt with. Where groups are in order, a function that reports item failures stops at
   * the first failed message of a group and reports the rest of it too, as AWS asks it to.
   */
  #failedIds(ids: readonly string[], ending: Ending): string[] {
    if (ending === 'functionError' || ending === 'timedOut') return [...ids];
    if (ending !== 'partial') return [];
    const { ledger, random } = this.#options;
    const stopped = new Set<string>();
    return ids.filter((id) => {
      const group = ledger.groupOf(id);
      const isFailed = this.#isPoison(id) || (group !== undefined && stopped.has(group)) || random() < 0.3;
      if (isFailed && group !== undefined) stopped.add(group);
      return isFailed;
    });
  }

  #between([low, high]: readonly [number, number]): number {
    return low + (high - low) * this.#options.random();
  }

  #oneWayMs(): number {
    return this.#options.latencyMs * (0.2 + 0.8 * this.#options.random());
  }
}

const text = new TextDecoder();

/** Ids of the messages in a payload, in order. */
function messageIds(payload: Uint8Array): string[] {
  return [...text.decode(payload).matchAll(/"messageId":"([^"]+)"/g)].map((match) => match[1]!);
}

function resultOf(ending: Ending, failed: readonly string[]): InvokeResult {
  const body = new TextEncoder().encode(
    ending === 'partial' ? JSON.stringify({ batchItemFailures: failed.map((id) => ({ itemIdentifier: id })) }) : 'null',
  );
  switch (ending) {
    case 'success':
    case 'partial':
      return { kind: 'success', body, durationMs: 0 };
    case 'functionError':
      return { kind: 'functionError', errorType: 'Error', errorMessage: 'poison or chance', body, durationMs: 0 };
    case 'timedOut':
      return { kind: 'timedOut', durationMs: 0 };
    case 'unheard':
      return { kind: 'unavailable', reason: 'ECONNRESET', permanent: false, durationMs: 0 };
  }
}

function aborted(signal: AbortSignal): Promise<InvokeResult> {
  const result: InvokeResult = { kind: 'unavailable', reason: 'aborted', permanent: false, durationMs: 0 };
  if (signal.aborted) return Promise.resolve(result);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(result), { once: true }));
}
