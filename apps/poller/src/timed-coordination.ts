import type { Clock } from '@wherry/core/clock';
import type { Coordination } from '@wherry/core/coordination';

/**
 * The same coordination, with the time of every call told to `record`: as `leases.renew`, `permits.acquire` and so on. Failed calls
 * count too, because a time-out is the slowest answer of all.
 */
export function timedCoordination(
  coordination: Coordination,
  clock: Clock,
  record: (command: string, seconds: number) => void,
): Coordination {
  const timed = <Port extends object>(name: string, port: Port): Port =>
    new Proxy(port, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function' || typeof property === 'symbol') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          const startedAtMs = clock.monotonicMs();
          try {
            return await (member.apply(target, args) as Promise<unknown>);
          } finally {
            record(`${name}.${property}`, (clock.monotonicMs() - startedAtMs) / 1000);
          }
        };
      },
    });
  return {
    leases: timed('leases', coordination.leases),
    members: timed('members', coordination.members),
    permits: timed('permits', coordination.permits),
    gates: timed('gates', coordination.gates),
    scale: timed('scale', coordination.scale),
    streams: timed('streams', coordination.streams),
    pauses: timed('pauses', coordination.pauses),
    audit: timed('audit', coordination.audit),
  };
}
