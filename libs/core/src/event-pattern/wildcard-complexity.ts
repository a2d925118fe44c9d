/**
 * How many places of a wildcard a value can be at, at most, while it is read: each `*` once it was passed, and each beginning of a
 * literal that the text read so far ends with. This is what Event Ruler measures (MachineComplexityEvaluator,
 * https://github.com/aws/event-ruler), and what EventBridge means by too many wildcards or too much repetition after them.
 *
 * @param parts the literals between the `*`
 */
export function wildcardComplexity(parts: readonly string[]): number {
  const stars = parts.length - 1;
  // The engine reads values with their quotes; the last literal ends with the closing one.
  const literals = parts.slice(1).map((part, index) => (index === stars - 1 ? `${part}"` : part));
  return stars === 0 ? 1 : stars + mostBeginnings(literals);
}

/** A beginning that one or more literals share; `fallback` is the longest other beginning that it ends with. */
interface Beginning {
  readonly next: Map<string, Beginning>;
  count: number;
  fallback: Beginning | undefined;
}

/** How many beginnings of literals (not empty, counted once for each literal) a text can end with at once. In linear time (Aho-Corasick). */
function mostBeginnings(literals: readonly string[]): number {
  const root: Beginning = { next: new Map(), count: 0, fallback: undefined };
  for (const literal of literals) {
    let at = root;
    for (const character of literal) {
      at = child(at, character);
      at.count += 1;
    }
  }
  let most = 0;
  const queue = [root];
  for (const parent of queue) {
    for (const [character, beginning] of parent.next) {
      let other = parent.fallback;
      while (other !== undefined && !other.next.has(character)) other = other.fallback;
      beginning.fallback = other?.next.get(character) ?? root;
      // Shorter beginnings come first in the queue, so the fallback's count is complete.
      beginning.count += beginning.fallback.count;
      most = Math.max(most, beginning.count);
      queue.push(beginning);
    }
  }
  return most;
}

function child(parent: Beginning, character: string): Beginning {
  const known = parent.next.get(character);
  if (known !== undefined) return known;
  const created: Beginning = { next: new Map(), count: 0, fallback: undefined };
  parent.next.set(character, created);
  return created;
}
