import { NumberText } from './number-text.ts';
import type { StepCounter } from './step-counter.ts';

/** An object of an event. */
export type EventObject = Readonly<Record<string, unknown>>;

/** True for an object of an event, which is neither an array nor a number with its text. */
export function isObject(value: unknown): value is EventObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

/** True for all that is neither object nor array. */
export function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof NumberText;
}

/** Where a way along a path has come to: a value, and how much of the path led to it. */
export interface Place {
  readonly value: unknown;
  /** Index in the path behind the dot that ends what was passed; beyond the path's end where all of it was. */
  readonly at: number;
}

/** True where all of a path has been passed: scalars here are leaves of it. */
export function hasArrived(path: string, at: number): boolean {
  return at > path.length;
}

/**
 * The members of an object that lie on a path. Keys join by dots, so there may be several: `a` and `a.b` both lead on along `a.b.c`. Own
 * members alone; a member is looked at once for each path.
 */
export function membersOn(path: string, { value, at }: Place, counter?: StepCounter): Place[] {
  const object = value as EventObject;
  const dot = path.indexOf('.', at);
  const end = dot === -1 ? path.length : dot;
  const key = path.slice(at, end);
  const places: Place[] = Object.hasOwn(object, key) ? [{ value: object[key], at: end + 1 }] : [];
  if (counter !== undefined) counter.steps += 1;
  // A path that has ended has no longer keys either.
  if (dot === -1) return places;
  for (const joined in object) {
    if (counter !== undefined) counter.steps += 1;
    if (!joined.includes('.') || !path.startsWith(joined, at) || !Object.hasOwn(object, joined)) continue;
    const next = at + joined.length;
    if (next === path.length || path[next] === '.') places.push({ value: object[joined], at: next + 1 });
  }
  return places;
}

/** All leaves of one path. */
export interface Leaves {
  readonly values: readonly unknown[];
  /** True if any of them belongs to an element of an array: a scalar directly in an array does not, only what objects and arrays hold. */
  readonly isInElement: boolean;
}

/** Collects the leaves of a path, in every element of the arrays on the way. Depth costs no stack. */
export function leavesOf(path: string, from: Place, counter?: StepCounter): Leaves {
  const values: unknown[] = [];
  let isInElement = false;
  const open: Place[] = [from];
  // For each open place, whether it is in an element of an array.
  const elements: boolean[] = [false];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value, at } = place;
    const inElement = elements.pop() === true;
    if (counter !== undefined) counter.steps += 1;
    if (Array.isArray(value)) {
      for (const element of value as readonly unknown[]) {
        if (isScalar(element)) {
          if (counter !== undefined) counter.steps += 1;
          if (!hasArrived(path, at)) continue;
          values.push(element);
          isInElement ||= inElement;
        } else {
          open.push({ value: element, at });
          elements.push(true);
        }
      }
    } else if (isScalar(value)) {
      if (!hasArrived(path, at)) continue;
      values.push(value);
      isInElement ||= inElement;
    } else if (!hasArrived(path, at)) {
      for (const member of membersOn(path, place, counter)) {
        open.push(member);
        elements.push(inElement);
      }
    }
  }
  return { values, isInElement };
}
