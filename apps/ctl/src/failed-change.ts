import type { FailedStore } from '@wherry/core/failed-store';
import { createRedisFailedStore } from '@wherry/leases/redis-failed-store';
import { askOnTerminal, type Ask, requireAnswer } from './confirm.ts';
import { checkSelection, type FailedSelection, sayBatches, type SelectedBatch, selectBatches } from './failed-selection.ts';
import { type FleetStore, withFleetStore } from './fleet-store.ts';
import { ExitCode, type Io } from './io.ts';
import { type Deed, operatorName, recordDeed } from './operator.ts';

/** The options of `wherry failed redrive` and `wherry failed discard`. */
export interface FailedChangeOptions extends FailedSelection {
  readonly config: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** A command that changes stored batches. */
export interface FailedChange {
  /** For messages and questions: `redrive`. */
  readonly verb: string;
  /** In the audit trail: `Redrive`. */
  readonly eventName: string;
  /** Does it. @returns the exit code */
  readonly perform: (batches: readonly SelectedBatch[], store: FailedStore, fleet: FleetStore) => Promise<number>;
}

/** Ids in one line of the audit trail; the number beside them tells of all. */
const IDS_AUDITED = 100;

/**
 * Selects batches, asks, and changes them. The audit trail has it before anything is changed, so that it also tells of what was
 * interrupted.
 */
export function changeFailed(io: Io, options: FailedChangeOptions, change: FailedChange, ask: Ask = askOnTerminal): Promise<number> {
  const command = `failed ${change.verb}`;
  checkSelection(command, options);
  requireAnswer(io, command, options.yes);
  return withFleetStore(io, options.config, async (fleet) => {
    const { config, redis } = fleet;
    const store = createRedisFailedStore(redis, { keyPrefix: config.redis.keyPrefix, fleet: config.fleet.id });
    const batches = await selectBatches(store, config, options);
    if ('missing' in batches) {
      io.stderr.write(`error: there is no failed batch ${batches.missing}; wherry failed list shows those there are\n`);
      return ExitCode.failed;
    }
    if (batches.length === 0) {
      io.stderr.write(`no failed batches to ${change.verb}\n`);
    } else {
      if (options.yes !== true && !(await ask(`${change.verb} ${sayBatches(batches)}?`))) {
        io.stderr.write('nothing was changed\n');
        return ExitCode.failed;
      }
      await recordDeed({ store: fleet.coordination.audit, isEnabled: config.audit.enabled }, deedOf(change, options, batches));
    }
    return await change.perform(batches, store, fleet);
  });
}

function deedOf({ eventName }: FailedChange, { mapping, name, all }: FailedSelection, batches: readonly SelectedBatch[]): Deed {
  const requestParameters = {
    ...(mapping === undefined ? {} : { mapping }),
    ...(name === undefined ? {} : { name }),
    ...(all === undefined ? {} : { all }),
    batches: batches.length,
    ids: batches.slice(0, IDS_AUDITED).map(({ id }) => id),
  };
  return { eventName, by: operatorName(), requestParameters, responseElements: null };
}
