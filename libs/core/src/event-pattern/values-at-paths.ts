import type { JsonNode, JsonObject, JsonScalar } from './json-text.ts';

/** What an event has under one path of a pattern. */
export interface PathValues {
  /** Every single value there: the scalar, and its text in the event. */
  readonly leaves: readonly EventLeaf[];
  /** Objects and empty arrays there, which no condition looks at: the first one's kind. */
  readonly container: 'object' | 'empty array' | undefined;
  /** A path of the event that differs from this one in letter case alone. */
  readonly similar: string | undefined;
  /** The single value further up that ends the way to this path: the event has `a` as a string, the pattern wants `a.b`. */
  readonly cutOff: { readonly path: string; readonly text: string } | undefined;
}

/** One single value of an event. */
export interface EventLeaf {
  readonly node: JsonScalar;
  readonly text: string;
  /** The paths of the arrays that it lies in, outermost first. */
  readonly arrays: readonly string[];
}

interface Place {
  readonly node: JsonNode;
  /** Undefined for the event itself. */
  readonly path: string | undefined;
  readonly arrays: readonly string[];
}

interface Found {
  leaves: EventLeaf[];
  container: PathValues['container'];
  similar: string | undefined;
  cutOff: PathValues['cutOff'];
}

/**
 * Collects what an event has under the paths of a pattern, in one walk that enters nothing else. Keys join by dots: the path `a.b` is found
 * under `{"a":{"b":…}}` as under `{"a.b":…}`, and in every element of arrays on the way. Of keys written twice the last counts.
 */
export function valuesAtPaths(event: JsonNode, text: string, paths: Iterable<string>): ReadonlyMap<string, PathValues> {
  const found = new Map<string, Found>();
  for (const path of paths) found.set(path, { leaves: [], container: undefined, similar: undefined, cutOff: undefined });
  const wanted = wantedPaths(found.keys());
  // Large arrays have one path only: what is near is noted once for each.
  const noted = new Set<string>();
  // Depth of the event must not cost stack.
  const open: Place[] = [{ node: event, path: undefined, arrays: [] }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    note(place, found, text);
    const sort = `${place.node.kind} ${place.path}`;
    if (!noted.has(sort)) noteNear(place, found, wanted.get((place.path ?? '').toLowerCase()) ?? [], text);
    noted.add(sort);
    // Backwards, so that what stands first in the event comes off the stack first.
    if (place.node.kind === 'list') {
      const arrays = place.path === undefined ? place.arrays : withArray(place.arrays, place.path);
      for (const item of place.node.items.toReversed()) open.push({ node: item, path: place.path, arrays });
    } else if (place.node.kind === 'object') {
      for (const [key, value] of [...lastMembers(place.node)].toReversed()) {
        const path = place.path === undefined ? key : `${place.path}.${key}`;
        if (wanted.has(path.toLowerCase())) open.push({ node: value, path, arrays: place.arrays });
      }
    }
  }
  return found;
}

/** An array directly inside another has the same path; one mention is enough, and keeps the list as short as the path. */
function withArray(arrays: readonly string[], path: string): readonly string[] {
  return arrays.at(-1) === path ? arrays : [...arrays, path];
}

/** Every path and every beginning of one, in lower case, with the paths themselves that it is or begins. */
function wantedPaths(paths: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const wanted = new Map<string, string[]>();
  for (const path of paths) {
    for (let dot = path.indexOf('.'); ; dot = path.indexOf('.', dot + 1)) {
      const beginning = (dot === -1 ? path : path.slice(0, dot)).toLowerCase();
      const known = wanted.get(beginning);
      if (known === undefined) wanted.set(beginning, [path]);
      else known.push(path);
      if (dot === -1) break;
    }
  }
  return wanted;
}

function note(place: Place, found: ReadonlyMap<string, Found>, text: string): void {
  const { node, path, arrays } = place;
  const here = path === undefined ? undefined : found.get(path);
  if (here === undefined) return;
  if (node.kind === 'object') here.container ??= 'object';
  else if (node.kind !== 'list') here.leaves.push({ node, text: text.slice(node.offset, node.end), arrays });
  else if (node.items.length === 0) here.container ??= 'empty array';
}

/** Tells the paths that are not to be found here what is here instead. */
function noteNear({ node, path }: Place, found: ReadonlyMap<string, Found>, wanted: readonly string[], text: string): void {
  if (path === undefined) return;
  const isLeaf = node.kind !== 'object' && node.kind !== 'list';
  for (const one of wanted) {
    const other = found.get(one);
    if (other === undefined || one === path) continue;
    if (one.length === path.length) other.similar ??= path;
    else if (isLeaf && one.startsWith(`${path}.`)) other.cutOff ??= { path, text: text.slice(node.offset, node.end) };
  }
}

function lastMembers(node: JsonObject): ReadonlyMap<string, JsonNode> {
  return new Map(node.members.map(({ key, value }) => [key, value]));
}
