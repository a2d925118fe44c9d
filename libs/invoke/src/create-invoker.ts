import type { NetworkPolicy } from '@wherry/core/address';
import { CachedCredentials } from '@wherry/core/cached-credentials';
import type { Surroundings } from '@wherry/core/clock';
import type { PermitStore } from '@wherry/core/coordination';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition } from '@wherry/core/mapping';
import { fetchAwsCredentials } from './aws-credentials.ts';
import { HttpClient } from './http-client.ts';
import { HttpTarget } from './http-target.ts';
import { LambdaTarget } from './lambda-target.ts';
import { RieTarget } from './rie-target.ts';

/** What every invoker of a process is made with. */
export interface InvokerDependencies {
  readonly surroundings: Surroundings;
  /** The `network:` block of the configuration. */
  readonly network: NetworkPolicy;
  /** Fleet-wide permits, for targets that survive one call at a time. */
  readonly permits: PermitStore;
}

/**
 * An invoker for the target of `fn`, with connections and credentials of its own. It opens nothing before the first call;
 * a function whose target changed needs a new one.
 */
export function createInvoker(fn: FunctionDefinition, dependencies: InvokerDependencies): Invoker {
  const { network, permits, surroundings } = dependencies;
  const { target } = fn;
  const client = new HttpClient({ clock: surroundings.clock, network });
  switch (target.kind) {
    case 'http':
      return new HttpTarget(target, client, surroundings.clock);
    case 'rie':
      return new RieTarget(target, client, permits, surroundings);
    case 'lambda':
      return new LambdaTarget(target, client, new CachedCredentials(fetchAwsCredentials(target.aws), surroundings), surroundings.clock);
  }
}
