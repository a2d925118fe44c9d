import type { Random } from '@wherry/core/clock';
import type { InvokeRequest, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { SimClock } from './sim-clock.ts';
import type { SimulatedProcess } from './simulation-process.ts';
import type { AskedInvocation, StreamLedger } from './stream-ledger.ts';
import type { SimulatedStreamPlan } from './stream-simulation-plan.ts';

/** What a simulated function is made of. */
export interface StreamFunctionOptions {
  readonly sim: SimClock;
  readonly random: Random;
  readonly ledger: StreamLedger;
  readonly plan: Pick<
    SimulatedStreamPlan,
    'latencyMs' | 'timeoutSeconds' | 'rates' | 'reportBatchItemFailures' | 'tumblingWindowInSeconds' | 'networkMs'
  >;
}

/** A client that asks for the function. */
export interface StreamCaller {
  readonly process: SimulatedProcess;
  /** Owner token of its leases. */
  readonly token: string;
  readonly isLeaseHeld: (unitId: string, epoch: number) => boolean;
  readonly isOwner: (unitId: string, epoch: number) => boolean;
}

/** The event as the function reads it. */
interface StreamEvent {
  readonly numbers: readonly string[];
  readonly window: EventWindow | undefined;
}

interface EventWindow {
  readonly shardId: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly state: { readonly counted?: readonly string[] };
  readonly isFinalInvokeForWindow: boolean;
}

/** How the function will end, drawn before it runs. */
type Ending = 'success' | 'partial' | 'functionError' | 'timedOut' | 'unheard';

/**
 * The function behind one stream mapping, as a service of its own: what has arrived runs to its end whether or not the caller
 * lives. Poison records fail each time. With windows, its state names every record that it has counted.
 */
export class SimulatedStreamFunction {
  readonly #options: StreamFunctionOptions;
  isDown = false;
  isThrottled = false;
  /** Called when an invocation arrives; for tests that look for one. */
  invocations = 0;

  constructor(options: StreamFunctionOptions) {
    this.#options = options;
  }

  /** The invoker of one process. */
  invoker(caller: StreamCaller): Invoker {
    return { invoke: (request) => this.#invoke(request, caller), close: () => Promise.resolve() };
  }

  async #invoke(request: InvokeRequest, caller: StreamCaller): Promise<InvokeResult> {
    const { sim, ledger } = this.#options;
    const event = readEvent(request.payload);
    const { epoch } = request.delivery;
    const shardId = event.window?.shardId ?? ledger.account(event.numbers[0] ?? '').shard.shardId;
    const unit = ledger.unitOf(shardId);
    const asked = {
      poller: caller.token,
      epoch,
      numbers: event.numbers,
      isLeaseHeld: () => caller.isLeaseHeld(unit, epoch),
      isOwner: () => caller.isOwner(unit, epoch),
    };
    const running = ledger.invokeAsked(asked);
    const sentAtMs = sim.nowMs();
    const served = this.#serve(event, asked).finally(() => ledger.invokeEnded(running));
    const { result, done } = await Promise.race([served, aborted(request.signal)]);
    await caller.process.pass();
    ledger.invokeHeard(asked, done);
    return { ...result, durationMs: sim.nowMs() - sentAtMs };
  }

  async #serve(
    { numbers, window }: StreamEvent,
    asked: AskedInvocation,
  ): Promise<{ readonly result: InvokeResult; readonly done: number }> {
    const { sim, ledger, plan } = this.#options;
    await sim.sleep(this.#oneWayMs());
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      await sim.sleep(this.#oneWayMs());
      return { result: refusal, done: 0 };
    }
    this.invocations += 1;
    const ending = this.#drawEnding(numbers);
    ledger.invokeStarted(asked);
    if (window?.isFinalInvokeForWindow === true) {
      const { start, end } = window.window;
      ledger.windowEnded(window.shardId, [Date.parse(start), Date.parse(end)], window.state.counted ?? []);
    }
    await sim.sleep(ending === 'timedOut' ? plan.timeoutSeconds * 1_000 : this.#between(plan.latencyMs));
    const done = this.#done(numbers, ending);
    const result = this.#resultOf(ending, numbers, done, window);
    await sim.sleep(this.#oneWayMs());
    return { result, done: ending === 'unheard' ? 0 : done };
  }

  #refusal(): InvokeResult | undefined {
    const { random, plan } = this.#options;
    if (this.isDown) return { kind: 'unavailable', reason: 'ECONNREFUSED', permanent: false, durationMs: 0 };
    const drawn = random();
    if (this.isThrottled || drawn < plan.rates.throttled) return { kind: 'throttled', reason: 'TooManyRequests', durationMs: 0 };
    if (drawn < plan.rates.throttled + plan.rates.unavailable / 2)
      return { kind: 'unavailable', reason: 'ECONNRESET', permanent: false, durationMs: 0 };
    return undefined;
  }

  #drawEnding(numbers: readonly string[]): Ending {
    const { random, plan, ledger } = this.#options;
    const failure = plan.reportBatchItemFailures && numbers.length > 0 ? 'partial' : 'functionError';
    if (numbers.some((number) => ledger.account(number).isPoison)) return failure;
    let drawn = random();
    if ((drawn -= plan.rates.functionError) < 0) return 'functionError';
    if ((drawn -= plan.rates.slow) < 0) return 'timedOut';
    if ((drawn -= plan.rates.unavailable / 2) < 0) return 'unheard';
    return failure === 'partial' && drawn < plan.rates.partial ? 'partial' : 'success';
  }

  /** How many records, from the first, the function has dealt with: it stops at the first that fails. */
  #done(numbers: readonly string[], ending: Ending): number {
    const { random, ledger } = this.#options;
    if (ending === 'functionError' || ending === 'timedOut') return 0;
    if (ending !== 'partial') return numbers.length;
    const poison = numbers.findIndex((number) => ledger.account(number).isPoison);
    return poison === -1 ? Math.floor(random() * numbers.length) : poison;
  }

  #resultOf(ending: Ending, numbers: readonly string[], done: number, window: EventWindow | undefined): InvokeResult {
    switch (ending) {
      case 'success':
      case 'partial':
        return { kind: 'success', body: encoder.encode(JSON.stringify(answerOf(numbers, done, window))), durationMs: 0 };
      case 'functionError':
        return { kind: 'functionError', errorType: 'Error', errorMessage: 'poison or chance', body: new Uint8Array(), durationMs: 0 };
      case 'timedOut':
        return { kind: 'timedOut', durationMs: 0 };
      case 'unheard':
        return { kind: 'unavailable', reason: 'ECONNRESET', permanent: false, durationMs: 0 };
    }
  }

  #between([low, high]: readonly [number, number]): number {
    return low + (high - low) * this.#options.random();
  }

  #oneWayMs(): number {
    return this.#options.plan.networkMs * (0.2 + 0.8 * this.#options.random());
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function readEvent(payload: Uint8Array): StreamEvent {
  const text = decoder.decode(payload);
  const numbers = [...text.matchAll(/"[sS]equenceNumber":"(\d+)"/g)].map((match) => match[1]!);
  return { numbers, window: text.endsWith(']}') ? undefined : (JSON.parse(text) as EventWindow) };
}

function answerOf(numbers: readonly string[], done: number, window: EventWindow | undefined): object {
  const failures = numbers.slice(done).map((itemIdentifier) => ({ itemIdentifier }));
  const state = window === undefined ? {} : { state: { counted: [...(window.state.counted ?? []), ...numbers.slice(0, done)] } };
  return { batchItemFailures: failures, ...state };
}

function aborted(signal: AbortSignal): Promise<{ readonly result: InvokeResult; readonly done: number }> {
  const result: InvokeResult = { kind: 'unavailable', reason: 'aborted', permanent: false, durationMs: 0 };
  if (signal.aborted) return Promise.resolve({ result, done: 0 });
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ result, done: 0 }), { once: true }));
}
