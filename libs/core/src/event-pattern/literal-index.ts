import type { EventReader, PathNode } from './event-reader.ts';
import { NumberText } from './number-text.ts';
import type { EventPattern, PatternField } from './pattern.ts';
import { plainLiteral } from './value-test.ts';

type Literal = string | number | boolean | null;

/**
 * Which patterns of a large set are worth a look at an event. Most patterns of such a set want one field to be one of a few literals; they
 * are found by the event's value there, instead of asking each of them.
 */
export class LiteralIndex {
  readonly #byPath = new Map<PathNode, Map<Literal, number[]>>();
  /** Patterns without a field of literals alone outside of `$or`. */
  readonly #others: number[] = [];

  constructor(patterns: readonly EventPattern[], reader: EventReader) {
    const variety = countLiterals(patterns);
    for (const [index, pattern] of patterns.entries()) {
      const [field] = pattern.root.fields
        .filter((candidate) => literalsOf(candidate) !== undefined)
        .toSorted((a, b) => (variety.get(b.path)?.size ?? 0) - (variety.get(a.path)?.size ?? 0));
      if (field === undefined) this.#others.push(index);
      else this.#add(reader.node(field.path), literalsOf(field) ?? new Set(), index);
    }
  }

  /** Patterns that may match the event that the reader has begun. No other can. */
  candidates(reader: EventReader): number[] {
    const found: number[] = [];
    let isSorted = true;
    for (const [node, byLiteral] of this.#byPath) {
      for (const value of reader.values(node)) {
        const indexes = byLiteral.get((value instanceof NumberText ? value.value : value) as Literal);
        if (indexes === undefined) continue;
        isSorted &&= found.length === 0;
        found.push(...indexes);
      }
    }
    if (found.length === 0) return this.#others;
    if (isSorted && this.#others.length === 0) return found;
    return [...new Set([...found, ...this.#others])].toSorted((a, b) => a - b);
  }

  #add(node: PathNode, literals: ReadonlySet<Literal>, index: number): void {
    const byLiteral = this.#byPath.get(node) ?? new Map<Literal, number[]>();
    this.#byPath.set(node, byLiteral);
    for (const literal of literals) {
      const indexes = byLiteral.get(literal);
      if (indexes === undefined) byLiteral.set(literal, [index]);
      else indexes.push(index);
    }
  }
}

/** The literals of a field that has nothing else, undefined for other fields. */
function literalsOf(field: PatternField): Set<Literal> | undefined {
  const literals = new Set<Literal>();
  for (const test of field.tests) {
    const literal = plainLiteral(test);
    if (literal === undefined) return undefined;
    literals.add(literal);
  }
  return literals;
}

/** How many different literals the set has for each path: the more, the fewer patterns share one. */
function countLiterals(patterns: readonly EventPattern[]): ReadonlyMap<string, ReadonlySet<Literal>> {
  const variety = new Map<string, Set<Literal>>();
  for (const field of patterns.flatMap((pattern) => pattern.root.fields)) {
    const all = variety.get(field.path) ?? new Set<Literal>();
    variety.set(field.path, all);
    for (const literal of literalsOf(field) ?? []) all.add(literal);
  }
  return variety;
}
