/** Source texts of the two members that make a line a question; a member that the line does not have is undefined. */
export interface LinePair {
  readonly pattern: string | undefined;
  readonly event: string | undefined;
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;

/**
 * Finds the source texts of `pattern` and `event` in a line such as `{"pattern":{"a":[1]},"event":{"a":1.0}}`. A parsed value would have lost
 * what matching and error offsets need: the digits of its numbers, its duplicate keys, its spaces. Of members written twice the last counts.
 *
 * This only tells where values begin and end, many times faster than reading them; whether a value is JSON has to be found out by
 * whoever reads it. Members that do not count are checked here, because nobody else reads them.
 *
 * @returns undefined where the line is not an object whose members can be told apart
 */
export function splitPair(line: string): LinePair | undefined {
  let pattern: string | undefined;
  let event: string | undefined;
  let at = afterSpace(line, 0);
  if (line[at] !== '{') return undefined;
  at = afterSpace(line, at + 1);
  while (line.charCodeAt(at) === QUOTE) {
    const keyEnd = endOfString(line, at);
    const colon = afterSpace(line, keyEnd);
    if (line.charCodeAt(colon) !== COLON) return undefined;
    const start = afterSpace(line, colon + 1);
    const end = endOfValue(line, start);
    const value = line.slice(start, end);
    const key = textOf(line.slice(at, keyEnd));
    const unread = key === 'pattern' ? pattern : key === 'event' ? event : value;
    if (key === undefined || (unread !== undefined && !isJson(unread))) return undefined;
    if (key === 'pattern') pattern = value;
    if (key === 'event') event = value;
    at = afterSpace(line, end);
    if (line.charCodeAt(at) !== COMMA) return line[at] === '}' && afterSpace(line, at + 1) === line.length ? { pattern, event } : undefined;
    at = afterSpace(line, at + 1);
  }
  return undefined;
}

/** The text that a JSON string stands for; undefined where it is no JSON string. */
export function textOf(json: string): string | undefined {
  if (json.length < 2 || json.charCodeAt(0) !== QUOTE) return undefined;
  if (json === '"pattern"') return 'pattern';
  if (json === '"event"') return 'event';
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function afterSpace(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 9 && code !== 13 && code !== 10) break;
  }
  return at;
}

/** The index after the quote that ends the string; the end of the text where none does. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}

/** The index after a value that begins here. Brackets are counted without telling the two kinds apart. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (code === 123 || code === 91) depth++;
    else if (code === 125 || code === 93) {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === COMMA || code <= 32)) return at;
    at++;
  }
  return at;
}
