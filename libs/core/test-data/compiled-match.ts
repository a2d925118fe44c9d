import { compilePatterns } from '../src/event-pattern/matcher.ts';
import { parseEventText } from '../src/event-pattern/number-text.ts';
import { parsePattern } from '../src/event-pattern/parse-pattern.ts';
import type { EventPattern } from '../src/event-pattern/pattern.ts';

/** A valid pattern, read. @throws {Error} with the reason if it is not valid */
export function validPattern(text: string): EventPattern {
  const read = parsePattern(text);
  if (!read.ok) throw new Error(`${read.reason} at ${read.offset} of ${text}`);
  return read.pattern;
}

/** An event as it is parsed for these patterns: with the text of its numbers only if one of them needs it. */
export function parsedEvent(patterns: readonly EventPattern[], text: string): unknown {
  return patterns.some(({ needsNumberText }) => needsNumberText) ? parseEventText(text) : (JSON.parse(text) as unknown);
}

/** Whether the compiled pattern matches the event, from text to verdict. */
export function compiledMatches(patternText: string, eventText: string): boolean {
  const patterns = [validPattern(patternText)];
  return compilePatterns(patterns).matches(parsedEvent(patterns, eventText));
}
