import type { LoadedConfig } from './load.ts';

/** Names that came, went or changed. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** What differs between two configurations. */
export interface ConfigDiff {
  readonly functions: NameChanges;
  readonly mappings: NameChanges;
  /** Other top-level settings that changed, such as `limits`. */
  readonly settings: readonly string[];
  /** Settings that changed and only take effect when the process is started anew. */
  readonly needRestart: readonly string[];
}

/** Settings that connections, listeners and keys are made of. */
const RESTART_SETTINGS = ['redis', 'fleet.id', 'api.listen', 'admin.listen'];

/** Compares two valid configurations by the names of functions and mappings, as they work and not as they are spelt. */
export function diffConfigs(before: LoadedConfig, after: LoadedConfig): ConfigDiff {
  const own = new Set(['functions', 'mappings', 'include', 'resources', '$schema']);
  const settings = Object.keys({ ...before.values, ...after.values }).filter(
    (name) => !own.has(name) && !isSame(at(before, name), at(after, name)),
  );
  return {
    functions: changes(before.config.functions, after.config.functions),
    mappings: changes(before.config.mappings, after.config.mappings),
    settings,
    needRestart: RESTART_SETTINGS.filter((path) => !isSame(at(before, path), at(after, path))),
  };
}

function at(loaded: LoadedConfig, path: string): unknown {
  let value: unknown = loaded.values;
  for (const step of path.split('.'))
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  return value;
}

function changes(before: ReadonlyMap<string, object>, after: ReadonlyMap<string, object>): NameChanges {
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after.keys()].filter((name) => before.has(name) && !isSame(before.get(name), after.get(name))),
  };
}

/** Equality of plain data whatever the order of its members. */
function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
