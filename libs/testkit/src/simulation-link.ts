import type { Random } from '@wherry/core/clock';
import type { SimClock } from './sim-clock.ts';
import type { SimulatedProcess } from './simulation-process.ts';

/** What happens to one call on its way: nothing, or one of its two halves is lost. */
export type Loss = 'none' | 'request' | 'response';

/** How long a caller waits for a lost answer before its client gives up (as a real client's command timeout). */
const CLIENT_TIMEOUT_MS = 2000;
/** One call in a hundred takes up to 25 times as long. */
const SLOW_CALL = { share: 0.01, factor: 25 } as const;

/** One process's way to one server. */
export interface LinkOptions {
  readonly sim: SimClock;
  readonly random: Random;
  readonly process: SimulatedProcess;
  /** Typical one-way latency; calls draw from [0.2, 1] of it. */
  readonly latencyMs: number;
  /** Asked when a request is sent and again when its answer is. */
  readonly loss: (method: string, args: readonly unknown[]) => Loss;
  /** What the caller's client throws when it gets no answer. */
  readonly fail: (method: string) => Error;
}

/**
 * A port as one simulated process reaches it over a network: each call takes time both ways, either half can be lost, and
 * a request that was sent arrives even if its sender has been killed since.
 *
 * Methods that return no promise (`refresh`, `close`) are local to the client and go straight through.
 */
export function overLink<Port extends object>(
  port: Port,
  options: LinkOptions,
  localMethods: readonly string[] = ['close', 'refresh'],
): Port {
  return new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function' || typeof name !== 'string') return method;
      const call = method.bind(target) as (...args: unknown[]) => unknown;
      if (localMethods.includes(name)) return call;
      return (...args: unknown[]) => roundTrip(() => call(...args) as Promise<unknown>, name, args, options);
    },
  });
}

async function roundTrip(call: () => Promise<unknown>, method: string, args: readonly unknown[], options: LinkOptions): Promise<unknown> {
  const { sim, process, loss, fail } = options;
  const outbound = loss(method, args);
  await sim.sleep(drawLatency(options));
  if (outbound === 'request') {
    await sim.sleep(CLIENT_TIMEOUT_MS);
    await process.pass();
    throw fail(method);
  }
  const answer = await settle(call());
  const inbound = outbound === 'response' ? 'response' : loss(method, args);
  await sim.sleep(inbound === 'none' ? drawLatency(options) : CLIENT_TIMEOUT_MS);
  await process.pass();
  if (inbound !== 'none') throw fail(method);
  if ('error' in answer) throw answer.error;
  return answer.value;
}

function settle(call: Promise<unknown>): Promise<{ readonly value: unknown } | { readonly error: unknown }> {
  return call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

function drawLatency({ random, latencyMs }: LinkOptions): number {
  const typical = latencyMs * (0.2 + 0.8 * random());
  return random() < SLOW_CALL.share ? typical * (1 + (SLOW_CALL.factor - 1) * random()) : typical;
}
