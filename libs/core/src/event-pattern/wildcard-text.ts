import { PatternFault } from './pattern-fault.ts';
import type { PatternTest } from './pattern.ts';
import { wildcardComplexity } from './wildcard-complexity.ts';

/**
 * More than this EventBridge refuses. Inferred: it does not say its limit; `*:*:*:*:*:event-bus/*`, which it refuses, measures 11,
 * and lists of wildcards that people saw refused or taken agree. The matcher here is linear whatever the wildcard, so lists are not
 * added up.
 */
const WILDCARD_COMPLEXITY_MAX = 10;

/**
 * The test of a wildcard text. `offset` is where its string stands in the pattern.
 *
 * The literal texts between the `*` of a wildcard, escapes (`\*`, `\\`) resolved: `a*b` gives `['a', 'b']`.
 *
 * Positions in reasons are those that EventBridge gives: bytes of UTF-8, counted with the quote that opens the string.
 */
export function wildcardTest(text: string, offset: number): PatternTest & { kind: 'wildcard' } {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '*') {
      if (text[at + 1] === '*') throw new PatternFault(`Consecutive wildcard characters at pos ${position(text, at)}`, offset);
      parts.push(part);
      part = '';
    } else if (character === '\\') {
      const escaped = text[at + 1];
      if (escaped !== '*' && escaped !== '\\') throw new PatternFault(`Invalid escape character at pos ${position(text, at)}`, offset);
      part += escaped;
      at += 1;
    } else {
      part += character;
    }
  }
  parts.push(part);
  if (wildcardComplexity(parts) > WILDCARD_COMPLEXITY_MAX) {
    throw new PatternFault('Wildcard is too complex: use fewer * or less repetition after them', offset);
  }
  return { kind: 'wildcard', parts };
}

function position(text: string, at: number): number {
  let bytes = 1;
  for (const character of text.slice(0, at)) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x8_00 ? 2 : code < 0x1_00_00 ? 3 : 4;
  }
  return bytes;
}
