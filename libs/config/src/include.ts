import { dirname, join, resolve } from 'node:path';
import type { ConfigInputs } from './inputs.ts';
import type { Entry, MapNode, Node } from './node.ts';
import { entriesAt, mapAt, nodeAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';

/** More included files than this are a glob that went astray. */
const MAX_FILES = 1000;
/** What an included file may hold. */
const INCLUDABLE = new Set(['functions', 'mappings']);

/** A file that `include:` names. */
export interface IncludedFile {
  /** Where it is, absolute. */
  readonly path: string;
  /** What messages call it: the including file's folder and the pattern's match. */
  readonly name: string;
}

/** The files that the main file's `include:` names, without doubles, in the order of the patterns, sorted within each. */
export async function includedFiles(
  tree: MapNode,
  mainPath: string,
  mainName: string,
  inputs: ConfigInputs,
  problems: ProblemList,
): Promise<IncludedFile[]> {
  const include = nodeAt(tree, ['include']);
  if (include?.kind !== 'list') return [];
  const found = new Map<string, IncludedFile>();
  const folder = dirname(mainPath);
  for (const item of include.items) {
    if (item.kind !== 'scalar' || item.broken || item.value === null || item.text === '') continue;
    const matches = await inputs.match(item.text, folder);
    if (matches.length === 0 && !/[*?[{]/.test(item.text)) {
      problems.error(item, 'unreadable', `cannot read ${item.text}: no such file (ENOENT)`, { help: 'paths are relative to this file' });
    }
    for (const match of matches) {
      const path = resolve(folder, match);
      if (path !== resolve(mainPath)) found.set(path, { path, name: join(dirname(mainName), match) });
    }
    if (found.size > MAX_FILES) {
      problems.error(item, 'too-many-files', `more than ${MAX_FILES} files are included`, { help: 'name a narrower pattern' });
      return [];
    }
  }
  return [...found.values()];
}

/** Adds the functions and mappings of an included file. A name that is there already is an error that shows both places. */
export function mergeIncluded(main: MapNode, included: Node, problems: ProblemList): void {
  if (included.kind !== 'map') {
    problems.error(included, 'invalid-type', 'expected a map with functions: and mappings:');
    return;
  }
  for (const [name, entry] of included.entries) {
    if (name === 'version' && textAt(entry.value) !== '1') problems.error(entry.value, 'invalid-value', 'expected 1, as in the main file');
    if (name === 'version' || name === '$schema') continue;
    if (!INCLUDABLE.has(name)) {
      const help = 'an included file holds functions: and mappings: only; move the rest to the main file';
      problems.error(entry.key, 'not-includable', `"${name}" cannot stand in an included file`, { help });
      continue;
    }
    const isNothing = entry.value.kind === 'scalar' && entry.value.value === null;
    if (entry.value.kind !== 'map' && !isNothing) problems.error(entry.value, 'invalid-type', 'expected a map');
    const target = targetMap(main, name, entry);
    if (target === undefined) continue;
    for (const [member, added] of entriesAt(included, name)) addMember(target, member, added, name, problems);
  }
}

/** The map of the main file that members go to; made when the main file has none. */
function targetMap(main: MapNode, name: string, entry: Entry): MapNode | undefined {
  const old = main.entries.get(name)?.value;
  if (old?.kind === 'map') return old;
  if (old !== undefined && !(old.kind === 'scalar' && old.value === null)) return undefined;
  const value: MapNode = { kind: 'map', place: entry.value.place, keyPlace: entry.key.place, path: name, entries: new Map() };
  main.entries.set(name, { key: entry.key, value });
  return mapAt(main, name);
}

function addMember(target: MapNode, name: string, added: Entry, kind: string, problems: ProblemList): void {
  const first = target.entries.get(name);
  if (first === undefined) {
    target.entries.set(name, added);
    return;
  }
  const { file, start } = first.key.place;
  const at = file.position(start);
  const what = kind === 'functions' ? 'function' : 'mapping';
  problems.error(added.key, 'duplicate-name', `${what} "${name}" is defined twice`, {
    help: `first at ${file.name}:${at.line}:${at.column}`,
  });
}
