import type { Place } from './source-text.ts';

/** Anything an error can point at. */
export interface Located {
  readonly place: Place;
  /** Path as written in the file. */
  readonly path: string;
  /** An error about this value was reported already; further ones would only be noise. */
  broken?: boolean;
}

interface NodeBase extends Located {
  /** The key under which the value sits; a missing member is reported there. */
  readonly keyPlace?: Place;
  /** `!Ref`, `!GetAtt` or `!Sub`, until it is resolved. */
  readonly tag?: string;
}

/** Text, a number, a Boolean or nothing. */
export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** The text as written (after interpolation): `012345678901` stays whole although its value is a number. */
  readonly text: string;
  /** Not quoted and not a block, so that its type comes from its text. */
  readonly plain: boolean;
  /** Some of it came from the environment or from a file. */
  readonly interpolated: boolean;
}

/** A YAML sequence. */
export interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

/** A YAML mapping, its keys as text in the order of the file. */
export interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly entries: Map<string, Entry>;
  /** Members that this spelling calls otherwise, such as `EventSourceArn` written `Queue` in SAM. */
  readonly spelling?: ReadonlyMap<string, string>;
}

/** A member of a map: where its key stands, and its value. */
export interface Entry {
  readonly key: Located;
  readonly value: Node;
}

/** A YAML value with the place of every part, so that any later check can point at it. */
export type Node = ScalarNode | ListNode | MapNode;

/** The value under a path of keys and indexes, or undefined. */
export function nodeAt(root: Node | undefined, path: readonly PropertyKey[]): Node | undefined {
  let node = root;
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.value;
    else if (node?.kind === 'list') node = node.items[Number(step)];
    else return undefined;
  }
  return node;
}

/** The entry of a map, or undefined when the node is no map or has no such key. */
export function entryOf(node: Node | undefined, key: string): Entry | undefined {
  return node?.kind === 'map' ? node.entries.get(key) : undefined;
}

/** The map under a key, or undefined when there is none or it is something else. */
export function mapAt(node: Node | undefined, ...path: string[]): MapNode | undefined {
  const found = nodeAt(node, path);
  return found?.kind === 'map' ? found : undefined;
}

/** The entries of the map under a path; none when it is no map. */
export function entriesAt(node: Node | undefined, ...path: string[]): [string, Entry][] {
  return [...(mapAt(node, ...path)?.entries ?? [])];
}

/** The text of the string (or unquoted number) under a path; undefined when it is absent, null, broken or no scalar. */
export function textAt(node: Node | undefined, ...path: string[]): string | undefined {
  const found = nodeAt(node, path);
  return found?.kind === 'scalar' && !found.broken && found.value !== null ? found.text : undefined;
}

/** The number under a path; undefined when it is anything else. */
export function numberAt(node: Node | undefined, ...path: string[]): number | undefined {
  const found = nodeAt(node, path);
  return found?.kind === 'scalar' && typeof found.value === 'number' && !found.broken ? found.value : undefined;
}

/** True when the member is there and is more than `null`, `{}` or `[]`: Lambda reads an empty container as "cleared". */
export function isSet(node: Node | undefined): boolean {
  if (node === undefined) return false;
  if (node.kind === 'map') return [...node.entries.values()].some((entry) => isSet(entry.value));
  if (node.kind === 'list') return node.items.length > 0;
  return node.value !== null && node.value !== '';
}

/**
 * The tree with nodes replaced by what `change` makes of them; the members of those for which it says undefined are walked. Parts in
 * which nothing was replaced are shared with the old tree: of thousands of mappings few hold a variable.
 */
export function mapNodes(node: Node, change: (node: Node) => Node | undefined): Node {
  const changed = change(node);
  if (changed !== undefined || node.kind === 'scalar') return changed ?? node;
  if (node.kind === 'list') {
    const items = node.items.map((item) => mapNodes(item, change));
    return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
  }
  let entries: Map<string, Entry> | undefined;
  for (const [key, entry] of node.entries) {
    const value = mapNodes(entry.value, change);
    if (value === entry.value) continue;
    entries ??= new Map(node.entries);
    entries.set(key, { key: entry.key, value });
  }
  return entries === undefined ? node : { ...node, entries };
}

/** Visits every scalar of a tree. */
export function visitScalars(node: Node, visit: (scalar: ScalarNode, key: string) => void, key = ''): void {
  if (node.kind === 'scalar') visit(node, key);
  else if (node.kind === 'list') for (const item of node.items) visitScalars(item, visit, key);
  else for (const [name, entry] of node.entries) visitScalars(entry.value, visit, name);
}

/**
 * The plain value for schema validation. A member without a value (`BatchSize:`) counts as absent, as in Lambda's API, and so
 * does one whose error was reported already. A null `Pattern` stays, because Lambda refuses it in words of its own.
 */
export function toPlain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.filter((item) => !item.broken).map(toPlain);
  const plain: Record<string, unknown> = {};
  for (const [key, { value }] of node.entries) {
    if (value.broken || (value.kind === 'scalar' && value.value === null && key !== 'Pattern')) continue;
    plain[key] = toPlain(value);
  }
  return plain;
}
