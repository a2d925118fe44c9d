import { type Decimal, compareDecimals, parseDecimal } from './decimal.ts';
import { type JsonNode, parseJsonText } from './json-text.ts';

/**
 * A number of an event that its double does not stand for: another decimal, such as a 19-digit id. It has no properties of its
 * own, so it is not mistaken for an object of the event.
 */
export class NumberText {
  readonly #value: number;
  readonly #text: string;
  #decimal: Decimal | undefined;

  constructor(text: string) {
    this.#value = Number(text);
    this.#text = text;
  }

  /** The nearest double. */
  get value(): number {
    return this.#value;
  }

  /** Read from the text when first asked for: most long numbers of an event are of no interest to any pattern. */
  get decimal(): Decimal {
    return (this.#decimal ??= parseDecimal(this.#text));
  }
}

/** Text without this has no number of more than 15 digits or with an exponent, and all others are what their double writes. */
const SIGN_OF_LONG_NUMBER = /(?:^|[\s:,[])-?[0-9](?:[0-9.]{15}|[0-9.]*[eE])/;

/**
 * Parses an event as `JSON.parse` does, but with a `NumberText` in place of each number whose double denotes another decimal than
 * its text. For patterns that compare exactly (`needsNumberText`); costs no more than `JSON.parse` where no number is long.
 *
 * @throws {SyntaxError} if the text is not JSON
 */
export function parseEventText(text: string): unknown {
  const event = JSON.parse(text) as unknown;
  if (!SIGN_OF_LONG_NUMBER.test(text)) return event;
  // A reviver sees the source text too, but costs no less, since it is called for each value, and overflows the stack on deep events.
  return toEvent(parseJsonText(text));
}

/** True if the shortest text of the number's double is the same decimal as its own text. */
function isShortText(text: string, value: number): boolean {
  if (String(value) === text) return true;
  return Number.isFinite(value) && compareDecimals(parseDecimal(String(value)), parseDecimal(text)) === 0;
}

function toEvent(root: JsonNode): unknown {
  const top: unknown[] = [];
  const open: { readonly node: JsonNode; readonly put: (value: unknown) => void }[] = [{ node: root, put: (value) => top.push(value) }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, put } = next;
    if (node.kind === 'list') {
      const list: unknown[] = Array.from({ length: node.items.length });
      put(list);
      node.items.forEach((item, index) => open.push({ node: item, put: (value) => (list[index] = value) }));
    } else if (node.kind === 'object') {
      const object: Record<string, unknown> = {};
      put(object);
      // Of keys written twice the last counts; the stack hands them out from the end.
      for (const { key, value: member } of node.members.toReversed())
        open.push({ node: member, put: (value) => define(object, key, value) });
    } else {
      put(node.kind === 'number' ? toNumber(node.text) : node.value);
    }
  }
  return top[0];
}

function toNumber(text: string): number | NumberText {
  const value = Number(text);
  return isShortText(text, value) ? value : new NumberText(text);
}

/** An assignment to `__proto__` would set the prototype. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}
