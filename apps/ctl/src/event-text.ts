import { JsonTextError, parseJsonText } from '@wherry/core/event-pattern/json-text';
import { parseEventText } from '@wherry/core/event-pattern/number-text';

/** An event as patterns are matched with it, or why the text is none, and where (in UTF-16 units, from 0). */
export type EventResult =
  | { readonly ok: true; readonly event: unknown }
  | { readonly ok: false; readonly reason: string; readonly offset: number };

const NOT_SPACE = /[^ \t\n\r]/;

/** Reads the text of an event, which has to be a JSON object. Never throws for what the text holds. */
export function readEvent(text: string, needsNumberText: boolean): EventResult {
  let event: unknown;
  try {
    event = needsNumberText ? parseEventText(text) : JSON.parse(text);
  } catch {
    const fault = jsonFault(text);
    return { ok: false, reason: `the event is not JSON${fault === undefined ? '' : `: ${fault.reason}`}`, offset: fault?.offset ?? 0 };
  }
  if (typeof event === 'object' && event !== null && !Array.isArray(event)) return { ok: true, event };
  return { ok: false, reason: 'the event is not a JSON object', offset: Math.max(0, text.search(NOT_SPACE)) };
}

/** Where a text stops being JSON; undefined for JSON. */
export function jsonFault(text: string): { readonly reason: string; readonly offset: number } | undefined {
  try {
    parseJsonText(text);
    return undefined;
  } catch (error) {
    if (error instanceof JsonTextError) return { reason: error.message, offset: error.offset };
    throw error;
  }
}
