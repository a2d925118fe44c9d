import { distance } from 'fastest-levenshtein';

/**
 * The known name that a misspelt one most likely stands for: the same but for letter case, or within a third of its length
 * (at least 1, at most 3 edits).
 *
 * @returns undefined when nothing is near
 */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const limit = Math.min(3, Math.max(1, Math.floor(name.length / 3)));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    if (candidate === name) continue;
    const edits = candidate.toLowerCase() === lower ? 0 : distance(lower, candidate.toLowerCase());
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}
