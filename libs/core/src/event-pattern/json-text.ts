/** One value of a JSON text, with its place in it. Offsets are zero-based UTF-16 code units; `end` is the first one after it. */
export type JsonNode = JsonScalar | JsonList | JsonObject;

/** Text, a number, a Boolean or null. */
export type JsonScalar =
  | { readonly kind: 'string'; readonly value: string; readonly offset: number; readonly end: number }
  /** A number keeps its text: which decimal it denotes is more than a double can say. */
  | { readonly kind: 'number'; readonly text: string; readonly offset: number; readonly end: number }
  | { readonly kind: 'literal'; readonly value: boolean | null; readonly offset: number; readonly end: number };

/** An array. */
export interface JsonList {
  readonly kind: 'list';
  readonly items: readonly JsonNode[];
  readonly offset: number;
  readonly end: number;
}

/** An object. */
export interface JsonObject {
  readonly kind: 'object';
  /** In the order of the text, with keys that are written twice. */
  readonly members: readonly JsonMember[];
  readonly offset: number;
  readonly end: number;
}

/** A key with its value; `keyOffset` is where its quote stands. */
export interface JsonMember {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: JsonNode;
}

/** A text that is not JSON: what was expected, and where. */
export class JsonTextError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'JsonTextError';
    this.offset = offset;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** All that a string may hold as it is. */
// oxlint-disable-next-line no-control-regex -- control characters are what JSON forbids inside a string
const PLAIN_CHARACTERS = /[^"\\\u0000-\u001f]*/y;
const HEX = /^[0-9a-fA-F]{4}$/;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/** A list or object whose end was not read yet. */
type Open =
  | { readonly kind: 'list'; readonly items: JsonNode[]; readonly offset: number }
  | { readonly kind: 'object'; readonly members: JsonMember[]; readonly offset: number; key: string; keyOffset: number };

/**
 * Reads a JSON text (RFC 8259, as strictly as `JSON.parse`) into nodes that know their place. Without recursion, so that depth
 * costs memory alone.
 *
 * @throws {JsonTextError} at the first character that JSON does not allow there
 */
export function parseJsonText(text: string): JsonNode {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonNode {
    const open: Open[] = [];
    for (;;) {
      this.#skipSpace();
      let value = this.#startValue(open);
      while (value !== undefined) {
        const parent = open.at(-1);
        this.#skipSpace();
        if (parent === undefined) {
          if (this.#at < this.#text.length) throw this.#error('expected the end of the text');
          return value;
        }
        value = this.#addTo(parent, value, open);
      }
    }
  }

  /** A scalar or an empty container; undefined when a container was opened whose first value comes next. */
  #startValue(open: Open[]): JsonNode | undefined {
    const offset = this.#at;
    const character = this.#text[offset];
    if (character === '[') {
      this.#at += 1;
      this.#skipSpace();
      if (this.#take(']')) return { kind: 'list', items: [], offset, end: this.#at };
      open.push({ kind: 'list', items: [], offset });
      return undefined;
    }
    if (character === '{') {
      this.#at += 1;
      this.#skipSpace();
      if (this.#take('}')) return { kind: 'object', members: [], offset, end: this.#at };
      const keyOffset = this.#at;
      open.push({ kind: 'object', members: [], offset, key: this.#key(), keyOffset });
      return undefined;
    }
    return this.#scalar(offset, character);
  }

  /** Puts a value into its container and reads what follows it: the container itself where that ends, undefined where a value comes next. */
  #addTo(parent: Open, value: JsonNode, open: Open[]): JsonNode | undefined {
    if (parent.kind === 'list') {
      parent.items.push(value);
      if (this.#take(',')) return undefined;
      if (!this.#take(']')) throw this.#error("expected ',' or ']'");
      open.pop();
      return { kind: 'list', items: parent.items, offset: parent.offset, end: this.#at };
    }
    parent.members.push({ key: parent.key, keyOffset: parent.keyOffset, value });
    if (this.#take(',')) {
      this.#skipSpace();
      parent.keyOffset = this.#at;
      parent.key = this.#key();
      return undefined;
    }
    if (!this.#take('}')) throw this.#error("expected ',' or '}'");
    open.pop();
    return { kind: 'object', members: parent.members, offset: parent.offset, end: this.#at };
  }

  #key(): string {
    if (this.#text[this.#at] !== '"') throw this.#error('expected a key in double quotes');
    const key = this.#string();
    this.#skipSpace();
    if (!this.#take(':')) throw this.#error("expected ':'");
    return key;
  }

  #scalar(offset: number, character: string | undefined): JsonScalar {
    if (character === '"') {
      const value = this.#string();
      return { kind: 'string', value, offset, end: this.#at };
    }
    const number = this.#match(NUMBER);
    if (number !== '') return { kind: 'number', text: number, offset, end: this.#at };
    for (const [word, value] of LITERALS) {
      if (!this.#text.startsWith(word, offset)) continue;
      this.#at += word.length;
      return { kind: 'literal', value, offset, end: this.#at };
    }
    throw this.#error('expected a value');
  }

  #string(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#match(PLAIN_CHARACTERS);
      if (this.#take('"')) return value;
      if (this.#text[this.#at] !== '\\') {
        throw this.#error(this.#at < this.#text.length ? 'control characters have to be escaped in a string' : "expected '\"'");
      }
      value += this.#escape();
    }
  }

  /** Half a surrogate pair is a character like any other, as it is to `JSON.parse`. */
  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    if (letter === 'u') {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!HEX.test(hex)) throw this.#error('bad escape in a string');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    if (!Object.hasOwn(ESCAPES, letter)) throw this.#error('bad escape in a string');
    this.#at += 2;
    return ESCAPES[letter] ?? '';
  }

  /** White space is what `JSON.parse` takes for it; a byte order mark is not. */
  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string {
    const start = this.#at;
    pattern.lastIndex = start;
    if (!pattern.test(this.#text)) return '';
    this.#at = pattern.lastIndex;
    return this.#text.slice(start, this.#at);
  }

  #error(expected: string): JsonTextError {
    const found = this.#at < this.#text.length ? '' : ', but the text ends';
    return new JsonTextError(`${expected}${found}`, this.#at);
  }
}
