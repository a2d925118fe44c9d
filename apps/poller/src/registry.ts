import type { Surroundings } from '@wherry/core/clock';
import type { PermitStore } from '@wherry/core/coordination';
import type { Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, SqsMapping, WherryConfig } from '@wherry/core/mapping';
import type { QueueSource } from '@wherry/core/queue-source';
import { createInvoker } from '@wherry/invoke/create-invoker';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';

/** Which adapter serves which source and which target: the one list to extend. */
export interface Registry {
  readonly createSource: (mapping: SqsMapping) => QueueSource;
  readonly createInvoker: (fn: FunctionDefinition) => Invoker;
}

export interface RegistryOptions {
  readonly surroundings: Surroundings;
  readonly network: WherryConfig['network'];
  readonly permits: PermitStore;
}

/** The adapters of one process; clients are shared between mappings with the same settings. */
export function createRegistry(options: RegistryOptions): Registry {
  const { surroundings } = options;
  const clients = new SqsClients(surroundings);
  return {
    createSource: (mapping) => {
      switch (mapping.source) {
        case 'sqs':
          return createSqsSource(mapping, { surroundings, clients });
      }
    },
    createInvoker: (fn) => createInvoker(fn, options),
  };
}
