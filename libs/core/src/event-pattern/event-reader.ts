import { type EventObject, type Leaves, type Place, isScalar, leavesOf } from './event-leaves.ts';
import { KeyMemory } from './key-memory.ts';
import type { StepCounter } from './step-counter.ts';

/** One path of a set of patterns, or the beginning of one; what is read of an event is kept here until the next one. */
export interface PathNode {
  readonly path: string;
  readonly key: string;
  /** Undefined for the event itself. */
  readonly parent: PathNode | undefined;
  /** The longer keys that lead here too, since keys join by dots: under `a`, `b.c` beside `b` and its `c`. */
  readonly shortcuts: readonly Shortcut[];
  /** Too deep to look for all these keys one by one. */
  readonly isDeep: boolean;
  /** All objects have a property of this name, whether they hold it themselves or not. */
  readonly isInherited: boolean;
  readonly keys: KeyMemory;
  /** Of which event the rest speaks. */
  turn: number;
  value: unknown;
  leaves: Leaves | undefined;
  /** The array that hides what is at this path, unless there may be other ways to it. */
  array: Place | undefined;
  /** Shortcuts looked for in the object here; from some number on it is cheaper to know whether it has any. */
  shortcutCount: number;
  /** Undefined as long as it was not needed. */
  hasDottedKey: boolean | undefined;
}

interface Shortcut {
  readonly from: PathNode;
  readonly key: string;
}

/** Paths of more keys are looked for in the event as a whole; there are too many ways to join the keys. */
const KEYS_MAX = 8;

/** So many keys with dots are looked for in an object before all its keys are read to see whether it has any. */
const SHORTCUTS_MAX = 2;

/** In place of what keys alone do not find: an array and all under it, or a value with several ways to it. */
const ELSEWHERE: object = Object.freeze({});

/**
 * Reads an event at the paths of a set of patterns: each path when it is first asked for, and once. Without arrays and on short paths
 * that is one look-up for each key and no allocation.
 */
export class EventReader {
  counter: StepCounter | undefined;
  readonly #root = createNode('', undefined);
  readonly #nodes = new Map<string, PathNode>();
  /** Nodes that hold a part of the event, so many of them; the array is never shortened, which would cost more than all else here. */
  readonly #holders: PathNode[] = [];
  #holderCount = 0;
  #turn = 0;
  #isPolluted = false;

  /** The node of a path, the same for all patterns. */
  node(path: string): PathNode {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const dot = path.lastIndexOf('.');
    const parent = dot === -1 || path.split('.', KEYS_MAX + 1).length > KEYS_MAX ? this.#root : this.node(path.slice(0, dot));
    const node = createNode(path, parent);
    this.#nodes.set(path, node);
    return node;
  }

  begin(event: EventObject, counter: StepCounter | undefined): void {
    this.counter = counter;
    this.#turn += 1;
    this.#isPolluted = isPolluted();
    this.#root.turn = this.#turn;
    this.#hold(this.#root, event);
  }

  /** Lets go of the event: it may be large, and the next one may be long in coming. */
  end(): void {
    this.counter = undefined;
    for (let index = 0; index < this.#holderCount; index += 1) {
      const node = this.#holders[index];
      if (node === undefined) continue;
      node.value = undefined;
      node.leaves = undefined;
      node.array = undefined;
    }
    this.#holderCount = 0;
  }

  /**
   * The only value at a path, undefined where there is none. If it is an object that is no scalar, it takes `leaves` to tell what is
   * there.
   */
  value(node: PathNode): unknown {
    if (node.turn === this.#turn) return node.value;
    node.turn = this.#turn;
    return this.#look(node, node.parent ?? this.#root);
  }

  /** All values at a path. */
  values(node: PathNode): readonly unknown[] {
    const value = this.value(node);
    if (value === undefined) return [];
    return isScalar(value) ? [value] : this.leaves(node).values;
  }

  /** All values at a path, with whether they lie in elements of arrays. */
  leaves(node: PathNode): Leaves {
    if (node.leaves === undefined) {
      node.leaves = leavesOf(node.path, this.start(node), this.counter);
      this.#holders[this.#holderCount] = node;
      this.#holderCount += 1;
    }
    return node.leaves;
  }

  /** True if any value at the path belongs to an element of an array. */
  isInElement(node: PathNode): boolean {
    const value = this.value(node);
    return value !== undefined && !isScalar(value) && this.leaves(node).isInElement;
  }

  /** From where all values at a path are to be found: an array on the way, or else the event. */
  start(node: PathNode): Place {
    this.value(node);
    return node.array ?? { value: this.#root.value, at: 0 };
  }

  #look(node: PathNode, parent: PathNode): unknown {
    const above = parent.turn === this.#turn ? parent.value : this.value(parent);
    if (this.counter !== undefined) this.counter.steps += 1;
    if (above === ELSEWHERE || node.isDeep) return this.#hide(node, this.#hasShortcut(node.shortcuts) ? undefined : parent.array);
    let value: unknown;
    if (typeof above === 'object' && above !== null) {
      value = (above as EventObject)[node.key];
      if ((node.isInherited || this.#isPolluted) && !Object.hasOwn(above, node.key)) value = undefined;
    }
    if (node.shortcuts.length > 0) value = this.#viaShortcuts(node.shortcuts, value);
    if (typeof value === 'object' && value !== null) return this.#hold(node, value);
    return (node.value = value);
  }

  #hold(node: PathNode, value: object): unknown {
    if (Array.isArray(value)) return this.#hide(node, { value, at: node.path.length + 1 });
    node.value = value;
    this.#holders[this.#holderCount] = node;
    this.#holderCount += 1;
    node.shortcutCount = 0;
    node.hasDottedKey = undefined;
    return value;
  }

  #hide(node: PathNode, array: Place | undefined): unknown {
    if (array !== undefined) {
      node.array = array;
      this.#holders[this.#holderCount] = node;
      this.#holderCount += 1;
    }
    return (node.value = ELSEWHERE);
  }

  #viaShortcuts(shortcuts: readonly Shortcut[], value: unknown): unknown {
    let found = value;
    for (let index = 0; index < shortcuts.length; index += 1) {
      const shortcut = shortcuts[index];
      if (shortcut === undefined) continue;
      const { from, key } = shortcut;
      const holder = from.value;
      if (typeof holder !== 'object' || holder === null || !this.#mayHaveDottedKey(from, holder)) continue;
      if (!Object.hasOwn(holder, key)) continue;
      if (found !== undefined) return ELSEWHERE;
      found = (holder as EventObject)[key];
    }
    return found;
  }

  #hasShortcut(shortcuts: readonly Shortcut[]): boolean {
    for (const { from, key } of shortcuts) {
      if (typeof from.value === 'object' && from.value !== null && Object.hasOwn(from.value, key)) return true;
    }
    return false;
  }

  #mayHaveDottedKey(node: PathNode, object: object): boolean {
    if (node.hasDottedKey !== undefined) return node.hasDottedKey;
    if (this.counter !== undefined) this.counter.steps += node.shortcutCount < SHORTCUTS_MAX ? 1 : Object.keys(object).length;
    if (node.shortcutCount < SHORTCUTS_MAX) {
      node.shortcutCount += 1;
      return true;
    }
    return (node.hasDottedKey = node.keys.hasDottedKey(object));
  }
}

function createNode(path: string, parent: PathNode | undefined): PathNode {
  const start = parent?.parent === undefined ? 0 : parent.path.length + 1;
  const key = asKey(path.slice(start));
  const shortcuts: Shortcut[] = [];
  for (let above = parent; above?.parent !== undefined; above = above.parent) {
    const from = above.parent;
    shortcuts.push({ from, key: asKey(path.slice(from.parent === undefined ? 0 : from.path.length + 1)) });
  }
  return {
    path,
    key,
    parent,
    shortcuts,
    isDeep: path.split('.', KEYS_MAX + 1).length > KEYS_MAX,
    isInherited: key in Object.prototype,
    keys: new KeyMemory(),
    turn: 0,
    value: undefined,
    leaves: undefined,
    array: undefined,
    shortcutCount: 0,
    hasDottedKey: undefined,
  };
}

/** Somebody gave all objects a property, which must not be taken for one of the event. */
function isPolluted(): boolean {
  // oxlint-disable-next-line guard-for-in, no-unreachable-loop -- whether there is any is the question
  for (const _ in Object.prototype) return true;
  return false;
}

/** Engines look keys up by identity; a text cut out of another is turned into a key at every look-up unless it was one already. */
function asKey(text: string): string {
  return Object.keys({ [text]: undefined })[0] ?? text;
}
