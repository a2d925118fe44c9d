import type { Random } from '@wherry/core/clock';
import { type Alphabet, pick, quote, respell } from './pattern-generator-values.ts';

/** A value of an event that is neither object nor array. Numbers are kept as they are written. */
export type EventScalar = { readonly number: string } | { readonly string: string } | { readonly literal: 'true' | 'false' | 'null' };

/** A random event, before it is written down. */
export type EventNode =
  | { readonly fields: readonly (readonly [string, EventNode])[] }
  | { readonly items: readonly EventNode[] }
  | EventScalar;

/** A scalar of the event and the segments of its joined path. */
export interface EventLeaf {
  readonly segments: readonly string[];
  readonly value: EventScalar;
}

/** An object of few keys: scalars, objects, arrays of scalars, of objects that are alike, and of arrays. */
export function randomEvent(random: Random, alphabet: Alphabet): EventNode {
  return randomObject(random, alphabet, 3);
}

function randomObject(random: Random, alphabet: Alphabet, depth: number): EventNode {
  const count = random() < 0.06 ? 0 : 1 + Math.floor(random() * 4);
  const names = new Set(Array.from({ length: count }, () => pick(random, alphabet.keys)));
  return { fields: [...names].map((name) => [name, randomNode(random, alphabet, depth - 1)] as const) };
}

function randomNode(random: Random, alphabet: Alphabet, depth: number): EventNode {
  const chance = random();
  if (depth > 0 && chance < 0.25) return randomObject(random, alphabet, depth);
  if (depth >= 0 && chance < 0.5) {
    return { items: randomItems(random, alphabet, depth) };
  }
  return randomScalar(random, alphabet);
}

/** Elements that are alike more often than not: only then can a pattern find its values in two of them. */
function randomItems(random: Random, alphabet: Alphabet, depth: number): readonly EventNode[] {
  const count = random() < 0.1 ? 0 : 1 + Math.floor(random() * 4);
  const first = random() < 0.65 ? randomObject(random, alphabet, depth) : randomNode(random, alphabet, depth - 1);
  return Array.from({ length: count }, (_, index) => {
    if (index === 0) return first;
    return random() < 0.7 ? alike(random, alphabet, first) : randomNode(random, alphabet, depth - 1);
  });
}

/** The same shape with other values, at times with a field less. */
function alike(random: Random, alphabet: Alphabet, node: EventNode): EventNode {
  if ('fields' in node) {
    const kept = node.fields.filter(() => random() < 0.85);
    return { fields: kept.map(([name, child]) => [name, alike(random, alphabet, child)] as const) };
  }
  if ('items' in node) return { items: node.items.map((item) => alike(random, alphabet, item)) };
  return random() < 0.25 ? node : randomScalar(random, alphabet);
}

/** A scalar of any kind. */
export function randomScalar(random: Random, alphabet: Alphabet): EventScalar {
  const chance = random();
  if (chance < 0.5) return { string: pick(random, alphabet.strings) };
  if (chance < 0.85) return { number: respell(random, pick(random, alphabet.numbers)) };
  return { literal: pick(random, ['true', 'false', 'null'] as const) };
}

/** All scalars of an event. */
export function eventLeaves(event: EventNode, segments: readonly string[] = []): readonly EventLeaf[] {
  if ('fields' in event) return event.fields.flatMap(([name, node]) => eventLeaves(node, [...segments, ...name.split('.')]));
  if ('items' in event) return event.items.flatMap((item) => eventLeaves(item, segments));
  return [{ segments, value: event }];
}

/** The event as JSON text. */
export function renderEvent(random: Random, node: EventNode): string {
  if ('fields' in node) {
    return `{${node.fields.map(([name, child]) => `${quote(random, name)}:${renderEvent(random, child)}`).join(',')}}`;
  }
  if ('items' in node) return `[${node.items.map((item) => renderEvent(random, item)).join(',')}]`;
  if ('string' in node) return quote(random, node.string);
  return 'number' in node ? node.number : node.literal;
}
