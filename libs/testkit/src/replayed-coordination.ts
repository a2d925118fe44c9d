import type { Clock } from '@wherry/core/clock';
import type { Coordination } from '@wherry/core/coordination';
import { createMemoryCoordination } from './memory-coordination.ts';

type PortName = keyof Coordination;

interface LoggedCall {
  readonly atMs: number;
  readonly port: PortName;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Methods that change nothing: left out of the log. */
const READING = new Set(['view', 'members', 'gates', 'inUse', 'desired', 'forgotten', 'read', 'readOf', 'streams', 'pauses', 'list']);

/**
 * A store that can go back in time, as Redis does when a replica that was behind takes over, and can lose everything. It keeps a log
 * of all changes and makes an earlier state by doing them again. Versions of registers never come back after a wipe.
 */
export class ReplayedCoordination {
  readonly coordination: Coordination;
  readonly #clock: Clock;
  #log: LoggedCall[] = [];
  #store: Coordination;
  #wipes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#store = createMemoryCoordination(clock);
    this.coordination = {
      leases: this.#port('leases'),
      members: this.#port('members'),
      permits: this.#port('permits'),
      gates: this.#port('gates'),
      scale: this.#port('scale'),
      streams: this.#versioned(this.#port('streams')),
      pauses: this.#port('pauses'),
      audit: this.#port('audit'),
    };
  }

  /** Everything is gone. */
  wipe(): void {
    this.#wipes += 1;
    this.#log = [];
    this.#store = createMemoryCoordination(this.#clock);
  }

  /** What was changed after this time never happened. */
  rollBack(toMs: number): void {
    let nowMs = 0;
    let isLive = false;
    const clock: Clock = { ...this.#clock, nowMs: () => (isLive ? this.#clock.nowMs() : nowMs) };
    const store = createMemoryCoordination(clock);
    this.#log = this.#log.filter(({ atMs }) => atMs <= toMs);
    for (const { atMs, port, method, args } of this.#log) {
      nowMs = atMs;
      // The memory store changes its state before it returns its promise.
      void (Reflect.get(store[port], method) as (...given: unknown[]) => Promise<unknown>).apply(store[port], [...args]);
    }
    isLive = true;
    this.#store = store;
  }

  #port<Name extends PortName>(port: Name): Coordination[Name] {
    return new Proxy({} as Coordination[Name], {
      get: (_, method) => {
        if (typeof method !== 'string' || method === 'then') return undefined;
        return (...args: readonly unknown[]): unknown => {
          if (!READING.has(method)) this.#log.push({ atMs: this.#clock.nowMs(), port, method, args: structuredClone(args) });
          const target = this.#store[port];
          return (Reflect.get(target, method) as (...given: unknown[]) => unknown).apply(target, [...args]);
        };
      },
    });
  }

  #versioned(streams: Coordination['streams']): Coordination['streams'] {
    const prefix = (): string => `${this.#wipes}:`;
    return {
      ...bound(streams),
      read: async (mappings) => {
        const asked = mappings.map(({ id, knownVersion }) => {
          const isOfNow = knownVersion?.startsWith(prefix()) === true;
          return { id, ...(isOfNow ? { knownVersion: knownVersion.slice(prefix().length) } : {}) };
        });
        const registers = await streams.read(asked);
        return registers.map((one) => (typeof one === 'object' ? { ...one, version: `${prefix()}${one.version}` } : one));
      },
    };
  }
}

function bound(streams: Coordination['streams']): Coordination['streams'] {
  return {
    read: (mappings) => streams.read(mappings),
    readOf: (mapping, stream) => streams.readOf(mapping, stream),
    change: (mapping, stream, change) => streams.change(mapping, stream, change),
    remove: (mapping, stream) => streams.remove(mapping, stream),
    streams: (mapping) => streams.streams(mapping),
  };
}
