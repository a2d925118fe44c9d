import type { FunctionDefinition, Mapping, WherryConfig } from './mapping.ts';

/** A mapping together with the function it runs: all that its work depends on. */
export interface MappingSetup<Kind extends Mapping = Mapping> {
  readonly mapping: Kind;
  readonly function: FunctionDefinition;
}

/** What a new configuration means for one mapping. Mappings that stay as they are do not appear. */
export type ReloadStep =
  | { readonly kind: 'add' | 'update' | 'enable'; readonly uuid: string; readonly setup: MappingSetup }
  | { readonly kind: 'disable'; readonly uuid: string; readonly setup: MappingSetup }
  | { readonly kind: 'remove'; readonly uuid: string };

/** The mappings of a configuration by UUID, disabled ones included. */
export function mappingSetups(config: WherryConfig): Map<string, MappingSetup> {
  const setups = new Map<string, MappingSetup>();
  for (const mapping of config.mappings.values()) {
    const fn = config.functions.get(mapping.functionName);
    if (fn !== undefined) setups.set(mapping.uuid, { mapping, function: fn });
  }
  return setups;
}

/**
 * The steps from one configuration to the next, by mapping UUID, so that a mapping renamed with `renamedFrom` is updated
 * and not replaced. A change of the function's own definition (its target above all) updates every mapping that uses it.
 */
export function planReload(before: ReadonlyMap<string, MappingSetup>, after: ReadonlyMap<string, MappingSetup>): ReloadStep[] {
  const steps: ReloadStep[] = [];
  for (const uuid of before.keys()) if (!after.has(uuid)) steps.push({ kind: 'remove', uuid });
  for (const [uuid, setup] of after) {
    const old = before.get(uuid);
    if (old === undefined) steps.push({ kind: 'add', uuid, setup });
    else if (!isSameSetup(old, setup)) steps.push({ kind: changeKind(old.mapping, setup.mapping), uuid, setup });
  }
  return steps;
}

/** Both are plain data read by the same loader, so equal text means equal meaning; a difference in spelling alone costs a restart of the loop. */
function isSameSetup(one: MappingSetup, other: MappingSetup): boolean {
  return JSON.stringify([one.mapping, one.function]) === JSON.stringify([other.mapping, other.function]);
}

function changeKind(before: Mapping, after: Mapping): 'enable' | 'disable' | 'update' {
  if (before.enabled === after.enabled) return 'update';
  return after.enabled ? 'enable' : 'disable';
}
