import type { FailedBatch, FailedQuery, FailedStore } from '@wherry/core/failed-store';
import type { WherryConfig } from '@wherry/core/mapping';
import { numberText } from '@wherry/poller/terminal-text';
import { UsageError } from './io.ts';

/** Which batches of the fleet's own store a command is about, as the arguments say it. */
export interface FailedSelection {
  /** Name or UUID of a mapping. */
  readonly mapping?: string;
  /** `<name>` of `wherry://failed/<name>`, or the whole of it. */
  readonly name?: string;
  readonly id?: readonly string[];
  readonly all?: boolean;
}

/** What of a batch a selection keeps: there may be many. */
export type SelectedBatch = Pick<FailedBatch, 'id' | 'name' | 'mapping' | 'mappingUuid' | 'records'>;

const DESTINATION = 'wherry://failed/';
const PAGE = 500;

/**
 * Refuses what could mean more than was meant.
 * @throws UsageError where nothing is selected, or the selection contradicts itself
 */
export function checkSelection(command: string, { mapping, name, id, all }: FailedSelection): void {
  const narrows = [...(mapping === undefined ? [] : ['a mapping']), ...(name === undefined ? [] : ['--name'])];
  if (id !== undefined && (narrows.length > 0 || all === true)) {
    throw new UsageError(
      `${command}: --id names the batches; ${[...narrows, ...(all === true ? ['--all'] : [])].join(' and ')} cannot stand beside it`,
    );
  }
  if (all === true && narrows.length > 0)
    throw new UsageError(`${command}: --all means every batch; leave it out, or ${narrows.join(' and ')}`);
  if (id === undefined && all !== true && narrows.length === 0) {
    throw new UsageError(`${command} needs to know which batches: name a mapping, --name, --id or --all`);
  }
}

/**
 * What the store is asked. A mapping of the configuration is found by its UUID, so that what failed under its old name is found too;
 * anything else is taken as it is, because batches outlive their mapping.
 */
export function failedQuery({ mappings }: Pick<WherryConfig, 'mappings'>, { mapping, name }: FailedSelection): Omit<FailedQuery, 'limit'> {
  return {
    ...(mapping === undefined ? {} : { mapping: mappings.get(mapping)?.uuid ?? mapping }),
    ...(name === undefined ? {} : { name: name.startsWith(DESTINATION) ? name.slice(DESTINATION.length) : name }),
  };
}

/** The selected batches, the oldest first, or the first id that names none. */
export async function selectBatches(
  store: FailedStore,
  config: Pick<WherryConfig, 'mappings'>,
  selection: FailedSelection,
): Promise<SelectedBatch[] | { readonly missing: string }> {
  const selected: SelectedBatch[] = [];
  if (selection.id !== undefined) {
    for (const id of new Set(selection.id)) {
      const found = await store.get(id);
      if (found === undefined) return { missing: id };
      selected.push(kept(found.batch));
    }
    return selected;
  }
  const query = failedQuery(config, selection);
  for (let after: string | undefined; ;) {
    const page = await store.list({ ...query, limit: PAGE, ...(after === undefined ? {} : { after }) });
    selected.push(...page.map(kept));
    if (page.length < PAGE) return selected;
    after = page.at(-1)?.id;
  }
}

function kept({ id, name, mapping, mappingUuid, records }: FailedBatch): SelectedBatch {
  return { id, name, mapping, mappingUuid, records };
}

/** `3 batches (27 records) of clicks, audit`, for questions and last lines. */
export function sayBatches(batches: readonly SelectedBatch[]): string {
  const records = batches.reduce((sum, batch) => sum + batch.records, 0);
  const mappings = [...new Set(batches.map(({ mapping }) => mapping))];
  const shown = mappings.length <= 3 ? mappings : [...mappings.slice(0, 3), `${mappings.length - 3} more mappings`];
  return `${count(batches.length, 'batch', 'batches')} (${count(records, 'record', 'records')}) of ${shown.join(', ')}`;
}

/** `1 batch`, `2,000 batches`. */
export function count(number: number, one: string, many: string): string {
  return `${numberText(number)} ${number === 1 ? one : many}`;
}
