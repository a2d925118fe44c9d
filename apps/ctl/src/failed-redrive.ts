import { type PermitStore, StoreError } from '@wherry/core/coordination';
import type { FailedStore } from '@wherry/core/failed-store';
import type { WherryConfig } from '@wherry/core/mapping';
import { createInvoker } from '@wherry/invoke/create-invoker';
import { systemSurroundings } from '@wherry/poller/surroundings';
import { numberText, plainText } from '@wherry/poller/terminal-text';
import type { Ask } from './confirm.ts';
import { changeFailed, type FailedChangeOptions } from './failed-change.ts';
import { count, type SelectedBatch } from './failed-selection.ts';
import { ExitCode, type Io } from './io.ts';
import { Redriver, type RedriveResult } from './redriver.ts';

/**
 * `wherry failed redrive`: invokes functions with the batches of the fleet's own store, the oldest first, and takes out what succeeded.
 *
 * @returns 1 if anything remains of what was selected
 */
export function failedRedrive(io: Io, options: FailedChangeOptions, ask?: Ask): Promise<number> {
  return changeFailed(
    io,
    options,
    {
      verb: 'redrive',
      eventName: 'Redrive',
      perform: (batches, store, { config, coordination }) =>
        redriveAll(io, batches, { store, config, permits: coordination.permits, json: options.json }),
    },
    ask,
  );
}

interface Redrive {
  readonly store: FailedStore;
  readonly permits: PermitStore;
  readonly config: WherryConfig;
  readonly json: boolean | undefined;
}

/** One batch with what became of it. */
interface Redriven {
  readonly batch: SelectedBatch;
  readonly result: RedriveResult;
}

async function redriveAll(io: Io, batches: readonly SelectedBatch[], { store, permits, config, json }: Redrive): Promise<number> {
  const surroundings = systemSurroundings;
  const redriver = new Redriver({
    config,
    surroundings,
    store,
    permits,
    createInvoker: (fn) => createInvoker(fn, { surroundings, network: config.network, permits }),
  });
  const redriven: Redriven[] = [];
  try {
    for (const batch of batches) {
      const result = await redriver.redrive(batch);
      redriven.push({ batch, result });
      if (json !== true)
        io.stdout.write(`${batch.id}  ${batch.mapping}  ${count(batch.records, 'record', 'records')}  ${sayResult(result)}\n`);
    }
    for (const [index, { batch, result }] of redriven.entries()) {
      if (result.outcome === 'busy') redriven[index] = { batch, result: await redriver.awaitOther(batch) };
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    io.stderr.write(`${count(batches.length - redriven.length, 'batch was', 'batches were')} not tried, because Redis failed\n`);
    io.stdout.write(report(redriven, json));
    throw error;
  } finally {
    await redriver.close();
  }
  io.stdout.write(report(redriven, json));
  const remains = redriven.some(({ result }) => result.outcome !== 'succeeded' && result.outcome !== 'gone');
  return remains ? ExitCode.failed : ExitCode.ok;
}

function countsOf(redriven: readonly Redriven[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { result } of redriven) counts[result.outcome] = (counts[result.outcome] ?? 0) + 1;
  return counts;
}

const WORDS: Readonly<Record<RedriveResult['outcome'], string>> = {
  succeeded: 'succeeded',
  partial: 'succeeded in part',
  failed: 'failed',
  refused: 'refused by the target',
  notTried: 'not tried',
  busy: 'being redriven by somebody else',
  gone: 'gone already',
  notRemoved: 'done, but not taken out',
};

function sayResult(result: RedriveResult): string {
  switch (result.outcome) {
    case 'succeeded':
    case 'gone':
    case 'busy':
      return WORDS[result.outcome];
    case 'partial':
      return `${count(result.succeeded, 'record', 'records')} succeeded, the rest is batch ${result.restId}: ${plainText(result.reason)}`;
    case 'failed':
    case 'refused':
    case 'notTried':
    case 'notRemoved':
      return `${WORDS[result.outcome]}: ${plainText(result.reason)}`;
  }
}

/** The last line, or everything as JSON with stable names. */
function report(redriven: readonly Redriven[], json: boolean | undefined): string {
  const counts = countsOf(redriven);
  if (json === true) {
    const batches = redriven.map(({ batch: { id, name, mapping, mappingUuid, records }, result }) => ({
      id,
      name,
      mapping,
      mappingUuid,
      batchSize: records,
      outcome: result.outcome,
      reason: 'reason' in result ? result.reason : null,
      succeeded: result.outcome === 'succeeded' ? records : result.outcome === 'partial' ? result.succeeded : 0,
      restId: result.outcome === 'partial' ? result.restId : null,
    }));
    return `${JSON.stringify({ batches, counts }, undefined, 2)}\n`;
  }
  const parts = Object.entries(WORDS).flatMap(([outcome, word]) =>
    counts[outcome] === undefined ? [] : [`${numberText(counts[outcome])} ${word}`],
  );
  return `${count(redriven.length, 'batch', 'batches')}: ${parts.join(', ') || 'nothing was tried'}\n`;
}
