import type { StepCounter } from './step-counter.ts';

/** Parts up to this length are searched natively, which is at worst this many times the value's length; longer ones by their own repetitions. */
const NATIVE_SEARCH_MAX = 16;

/**
 * Compiles a wildcard. Each part between two `*` is taken where it first occurs behind the one before, which finds a match if there
 * is one and never goes back, so the cost is linear in the value whatever the wildcard. (A regular expression made of four `*` can take
 * minutes on a value of 600 characters.)
 *
 * @param parts the literal texts between the `*`; one part alone is a text without any
 */
export function compileWildcard(parts: readonly string[]): (value: string, counter?: StepCounter) => boolean {
  const first = parts[0] ?? '';
  if (parts.length < 2) return (value) => value === first;
  const last = parts.at(-1) ?? '';
  const between = parts.slice(1, -1).map((part) => createSearch(part));
  const lengthMin = first.length + last.length;
  return (value, counter) => {
    if (value.length < lengthMin || !value.startsWith(first) || !value.endsWith(last)) return false;
    const end = value.length - last.length;
    let at = first.length;
    for (const search of between) {
      const found = search(value, at, end);
      if (counter !== undefined) counter.steps += (found === -1 ? end : found) - at;
      if (found === -1) return false;
      at = found;
    }
    return true;
  };
}

/** The end of a part's first occurrence that lies between two positions of a value, -1 if there is none. */
type Search = (value: string, from: number, end: number) => number;

function createSearch(part: string): Search {
  if (part.length > NATIVE_SEARCH_MAX) return createLinearSearch(part);
  return (value, from, end) => {
    const found = value.indexOf(part, from);
    return found === -1 || found + part.length > end ? -1 : found + part.length;
  };
}

/** Knuth, Morris and Pratt: no character of the value is read twice, also where part and value repeat themselves. */
function createLinearSearch(part: string): Search {
  const { length } = part;
  const fallback = new Uint16Array(length + 1);
  for (let at = 1, matched = 0; at < length; at += 1) {
    while (matched > 0 && part.charCodeAt(at) !== part.charCodeAt(matched)) matched = fallback[matched] ?? 0;
    if (part.charCodeAt(at) === part.charCodeAt(matched)) matched += 1;
    fallback[at + 1] = matched;
  }
  return (value, from, end) => {
    let matched = 0;
    for (let at = from; at < end; at += 1) {
      const code = value.charCodeAt(at);
      while (matched > 0 && part.charCodeAt(matched) !== code) matched = fallback[matched] ?? 0;
      if (part.charCodeAt(matched) === code) matched += 1;
      if (matched === length) return at + 1;
    }
    return -1;
  };
}
