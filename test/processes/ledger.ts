import { once } from 'node:events';
import { until, spawnPoller, type Lane, type TestFleet, type TestPoller } from './fleet.ts';
import type { Invocation } from './function-server.ts';

/** One message in one invocation. */
export interface Arrival {
  readonly body: string;
  /** Name of the poller that carried it. */
  readonly poller: string;
  /** Epoch of the lease under which it was read. */
  readonly epoch: number;
  /** Milliseconds since 1970, as log lines have them. */
  readonly atMs: number;
  readonly receiveCount: number;
}

/** What a lane needs so that its invocations name their poller; for `addLane`. */
export function namedTarget(url: string): { readonly target: object } {
  // eslint-disable-next-line no-template-curly-in-string -- the configuration's own interpolation
  return { target: { http: { url, headers: { 'x-poller': '${WHERRY_POLLER_NAME}' } } } };
}

/** Starts pollers under these names and waits until all are ready. The configuration may name the variables. */
export async function startNamed(
  fleet: TestFleet,
  names: readonly string[],
  env: (name: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<TestPoller[]> {
  const started = await Promise.all(names.map((name) => spawnPoller(fleet.configFile, { ...env(name), WHERRY_POLLER_NAME: name })));
  fleet.pollers.push(...started);
  await Promise.all(started.map((poller) => becomes(poller, 200)));
  return started;
}

/** Waits until `/readyz` of a poller answers this status. */
export async function becomes(poller: TestPoller, status: 200 | 503): Promise<void> {
  await until(
    () => fetch(`${poller.adminUrl}/readyz`).then((response) => response.status),
    (found) => found === status,
  );
}

/** Waits until these pollers see exactly so many members, and every wished-for slot of the lane is held. */
export async function agreed(pollers: readonly TestPoller[], lane: Lane, members: number): Promise<void> {
  for (const poller of pollers) {
    await until(
      () => poller.status(),
      (status) => {
        const slots = status.mappings.find((mapping) => mapping.name === lane.name)?.slots;
        return status.pollers.length === members && slots !== undefined && slots.held >= slots.desired;
      },
    );
  }
}

/** Sends messages to a lane without end, and keeps account of what became of each. */
export class Ledger {
  readonly arrivals: Arrival[] = [];
  readonly sent = new Set<string>();
  /** Bodies whose invocation was answered with success. */
  readonly delivered = new Set<string>();
  /** Milliseconds an invocation takes. */
  answerAfterMs = 80;
  readonly #fleet: TestFleet;
  readonly #lane: Lane;
  readonly #answers = new Map<string, number>();
  #load: Promise<void> = Promise.resolve();
  #isLoading = false;

  constructor(fleet: TestFleet, lane: Lane) {
    this.#fleet = fleet;
    this.#lane = lane;
    fleet.functions.handle(lane.name, (invocation) => this.#answer(invocation));
  }

  /**
   * Begins to send; so many messages are under way at a time.
   * @param isPoison which messages the function shall refuse each time, by number
   */
  start(ahead = 80, isPoison: (number: number) => boolean = () => false): void {
    this.#isLoading = true;
    this.#load = this.#send(ahead, isPoison);
  }

  /** Waits until so many further messages have been delivered. */
  async delivers(count: number): Promise<void> {
    const wanted = this.delivered.size + count;
    await until(
      () => this.delivered.size,
      (size) => size >= wanted,
    );
  }

  /** Waits until each of these pollers has delivered something from now on. */
  async deliversBy(names: readonly string[]): Promise<void> {
    const from = this.arrivals.length;
    await until(
      () => new Set(this.arrivals.slice(from).map(({ poller }) => poller)),
      (seen) => names.every((name) => seen.has(name)),
    );
  }

  /** Invocations of one poller so far. */
  by(poller: string): readonly Arrival[] {
    return this.arrivals.filter((arrival) => arrival.poller === poller);
  }

  /** Stops sending and waits until every message has come to its end. @returns sent messages that are neither delivered nor dead-lettered */
  async settle(): Promise<{ readonly lost: string[]; readonly deadLettered: ReadonlySet<string> }> {
    this.#isLoading = false;
    await this.#load;
    await this.#fleet.emptied(this.#lane.queue);
    const deadLettered = new Set<string>();
    for (let found = ['']; this.#lane.deadLetters !== undefined && found.length > 0;) {
      found = await this.#fleet.queues.drain(this.#lane.deadLetters);
      for (const body of found) deadLettered.add(body);
    }
    return { lost: [...this.sent].filter((body) => !this.delivered.has(body) && !deadLettered.has(body)), deadLettered };
  }

  /** Messages that succeeded more than once, except those that a poller had in hand when it met its fault. */
  duplicates(inHand: ReadonlySet<string> = new Set()): string[] {
    return [...this.#answers].filter(([body, times]) => times > 1 && !inHand.has(body)).map(([body]) => body);
  }

  /**
   * Messages that may come twice if something happens to a poller now: those it has invoked and whose delete may not have
   * been done. Deletes linger for a tenth of a second and then take a call; what is older than two seconds is deleted.
   */
  inHand(poller?: string): Set<string> {
    const sinceMs = Date.now() - 2_000;
    const recent = this.arrivals.filter((arrival) => arrival.atMs >= sinceMs && (poller ?? arrival.poller) === arrival.poller);
    return new Set(recent.map(({ body }) => body));
  }

  async #send(ahead: number, isPoison: (number: number) => boolean): Promise<void> {
    while (this.#isLoading) {
      const bodies = Array.from({ length: 10 }, (_, index) => {
        const number = this.sent.size + index;
        return `${isPoison(number) ? 'poison' : 'message'} ${number}`;
      });
      for (const body of bodies) this.sent.add(body);
      await this.#fleet.queues.send(
        this.#lane.queue,
        bodies.map((body) => ({ body })),
      );
      await until(
        () => this.sent.size - this.delivered.size,
        (open) => open < ahead || !this.#isLoading,
      );
    }
  }

  async #answer(invocation: Invocation): Promise<unknown> {
    const { headers, records } = invocation;
    const { epoch } = JSON.parse(String(headers['x-wherry-delivery'])) as { epoch: number };
    const atMs = Date.now();
    for (const { body, attributes } of records) {
      const receiveCount = Number(attributes['ApproximateReceiveCount']);
      this.arrivals.push({ body, poller: String(headers['x-poller']), epoch, atMs, receiveCount });
    }
    await once(AbortSignal.timeout(this.answerAfterMs), 'abort');
    const poison = records.filter(({ body }) => body.startsWith('poison'));
    for (const { body } of records) {
      if (body.startsWith('poison')) continue;
      this.delivered.add(body);
      this.#answers.set(body, (this.#answers.get(body) ?? 0) + 1);
    }
    return { batchItemFailures: poison.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  }
}
