import type { Entry, Located, MapNode, Node, ScalarNode } from './node.ts';
import { entriesAt, entryOf, mapAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { didYouMean } from './suggest.ts';

/** The name of a mapping's resource type in CloudFormation. */
const RESOURCE_TYPE = 'AWS::Lambda::EventSourceMapping';
const SAM_TYPES = ['SQS', 'Kinesis', 'DynamoDB'];
/** Attributes of a pasted resource that steer CloudFormation alone. */
const STACK_ATTRIBUTES = new Set(['DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy', 'Metadata']);

/**
 * Brings the three ways of writing a mapping into one: plain, a pasted CloudFormation resource (`Type` and `Properties`), and an
 * entry of a SAM `Events` block (`Queue` or `Stream` in place of `EventSourceArn`). `Events` of functions become mappings called
 * `<function>-<event>`. Every value keeps the place and the path where it was written.
 */
export function normalizeMappings(tree: MapNode, problems: ProblemList): MapNode {
  const mappings = new Map<string, Entry>();
  for (const [name, entry] of entriesAt(tree, 'mappings')) {
    mappings.set(name, { key: entry.key, value: plainForm(filled(entry), undefined, problems) });
  }
  const functions = new Map<string, Entry>();
  for (const [name, entry] of entriesAt(tree, 'functions')) {
    functions.set(name, { key: entry.key, value: withoutEvents(filled(entry)) });
    for (const [event, source] of entriesAt(entry.value, 'Events')) {
      addEvent(name, `${name}-${event}`, source, mappings, problems);
    }
    const events = entryOf(entry.value, 'Events')?.value;
    if (events !== undefined && events.kind !== 'map' && textAt(events) !== undefined) {
      problems.error(events, 'invalid-type', 'expected a map of event sources by name');
    }
  }
  const entries = new Map(tree.entries);
  replaceMap(entries, 'functions', functions, tree);
  replaceMap(entries, 'mappings', mappings, tree);
  return { ...tree, entries };
}

/** Puts the new entries in; a value that is no map stays, for the schema to refuse. */
function replaceMap(entries: Map<string, Entry>, name: string, members: Map<string, Entry>, tree: MapNode): void {
  const old = entries.get(name);
  const isOther = old !== undefined && old.value.kind !== 'map' && !(old.value.kind === 'scalar' && old.value.value === null);
  if (isOther || (old === undefined && members.size === 0)) return;
  const at: Located = old?.key ?? { place: tree.place, path: name };
  entries.set(name, {
    key: at,
    value: { kind: 'map', place: old?.value.place ?? tree.place, keyPlace: at.place, path: name, entries: members },
  });
}

function withoutEvents(node: Node): Node {
  if (node.kind !== 'map') return node;
  const entries = new Map(node.entries);
  entries.delete('Events');
  // An alias may be declared by its name alone.
  const aliases = entries.get('aliases');
  if (aliases?.value.kind === 'map') {
    const members = [...aliases.value.entries].map(([name, entry]): [string, Entry] => [name, { key: entry.key, value: filled(entry) }]);
    entries.set('aliases', { key: aliases.key, value: { ...aliases.value, entries: new Map(members) } });
  }
  return { ...node, entries };
}

/** A name without anything behind it (`orders:`) is an entry without members, not an absent one. */
function filled(entry: Entry): Node {
  if (entry.value.kind !== 'scalar' || entry.value.value !== null || entry.value.broken) return entry.value;
  return { kind: 'map', place: entry.value.place, keyPlace: entry.key.place, path: entry.value.path, entries: new Map() };
}

function addEvent(functionName: string, name: string, source: Entry, mappings: Map<string, Entry>, problems: ProblemList): void {
  const taken = mappings.get(name);
  if (taken !== undefined) {
    const at = taken.key.place.file.position(taken.key.place.start);
    const help = `${taken.key.place.file.name}:${at.line}:${at.column} has the same name`;
    problems.error(source.key, 'duplicate-name', `this event source becomes a second mapping called "${name}"`, { help });
    return;
  }
  const { place, path } = source.key;
  const owner: ScalarNode = { kind: 'scalar', place, path, value: functionName, text: functionName, plain: false, interpolated: false };
  mappings.set(name, { key: source.key, value: plainForm(source.value, owner, problems) });
}

/** @param owner the function a SAM event belongs to; undefined for entries of `mappings` */
function plainForm(node: Node, owner: ScalarNode | undefined, problems: ProblemList): Node {
  if (node.kind !== 'map') return node;
  const properties = entryOf(node, 'Properties');
  if (properties === undefined && owner === undefined && entryOf(node, 'Type')?.value === undefined) return node;
  const isPasted = checkType(node, owner !== undefined, properties !== undefined, problems);
  // Another kind of event altogether: its properties are not ours to judge.
  if (isPasted === undefined) return { ...node, broken: true };
  if (properties === undefined && (owner !== undefined || isPasted)) {
    problems.missing(node, 'Properties');
    return { ...node, broken: true };
  }
  const inner = properties?.value ?? node;
  if (inner.kind !== 'map') {
    problems.error(inner, 'invalid-type', 'expected a map of properties');
    return { ...node, broken: true };
  }
  const entries = new Map(inner.entries);
  if (properties !== undefined) hoist(node, entries, isPasted, problems);
  if (owner !== undefined && !entries.has('FunctionName')) entries.set('FunctionName', { key: owner, value: owner });
  return isPasted ? { ...inner, entries } : samSpelling({ ...inner, entries }, textAt(node, 'Type'));
}

/** Reports a wrong `Type`; true when it is CloudFormation's, undefined when it is near nothing that there is. */
function checkType(node: MapNode, isEvent: boolean, hasProperties: boolean, problems: ProblemList): boolean | undefined {
  const type = entryOf(node, 'Type')?.value;
  const text = textAt(node, 'Type');
  if (type === undefined || text === undefined) {
    if (isEvent || hasProperties) problems.missing(node, 'Type');
    return !isEvent;
  }
  if (text === RESOURCE_TYPE && !isEvent) return true;
  if (SAM_TYPES.includes(text)) return false;
  const known = text.startsWith('AWS:') ? [RESOURCE_TYPE] : SAM_TYPES;
  const nearest = didYouMean(text, known);
  const message = known.length === 1 ? `expected ${RESOURCE_TYPE}; got "${text}"` : `expected one of ${known.join(', ')}; got "${text}"`;
  problems.error(type, 'invalid-value', message, { help: nearest && `did you mean "${nearest}"?` });
  type.broken = true;
  return nearest === undefined ? undefined : text.startsWith('AWS:');
}

/** Members beside `Properties`: our own settings join the mapping, attributes of the stack are passed over, the rest is unknown. */
function hoist(outer: MapNode, entries: Map<string, Entry>, isPasted: boolean, problems: ProblemList): void {
  for (const [name, entry] of outer.entries) {
    if (name === 'Properties' || (name === 'Type' && isPasted)) continue;
    if (isPasted && STACK_ATTRIBUTES.has(name)) problems.notice(entry.key, 'no-effect', `${name} has no meaning here and is passed over`);
    else if (name === 'Type' || name === 'FunctionName' || /^[a-z]/.test(name)) entries.set(name, entry);
    else problems.unknownField(outer, name, ['Type', 'Properties', ...STACK_ATTRIBUTES]);
  }
}

function samSpelling(node: MapNode, type: string | undefined): MapNode {
  const entries = new Map<string, Entry>();
  const name = type === 'SQS' ? 'Queue' : 'Stream';
  const isSam = !node.entries.has('EventSourceArn');
  for (const [key, entry] of node.entries) entries.set(isSam && (key === 'Queue' || key === 'Stream') ? 'EventSourceArn' : key, entry);
  return { ...node, entries, ...(isSam ? { spelling: new Map([['EventSourceArn', name]]) } : {}) };
}

/** The map of a mapping in its normal form; undefined when it is broken or no map. */
export function mappingAt(tree: Node, name: string): MapNode | undefined {
  const node = mapAt(tree, 'mappings', name);
  return node?.broken ? undefined : node;
}
