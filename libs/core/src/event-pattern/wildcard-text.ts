import { PatternFault } from './pattern-fault.ts';
import type { PatternTest } from './pattern.ts';

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
