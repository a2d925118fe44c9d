import type { Located, Node, ScalarNode } from './node.ts';

/** The JSON text of an event pattern, and what stands in the file at an offset of it. */
export interface PatternText {
  readonly text: string;
  readonly locate: (offset: number) => Located;
}

/** A number that YAML knows and JSON does not. */
export interface BadNumber {
  readonly at: ScalarNode;
  readonly message: string;
}

const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** Decimals that YAML writes more freely than JSON: `+5`, `.5`, `5.`. */
const YAML_DECIMAL = /^(?<sign>[-+]?)(?<whole>[0-9]*)(?:\.(?<fraction>[0-9]*))?(?<exponent>[eE][-+]?[0-9]+)?$/;
const YAML_BASED = /^0(?:x[0-9a-fA-F]+|o[0-7]+)$/;
const YAML_NO_NUMBER = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/**
 * A pattern as JSON text. Numbers keep the digits of the file: a 19-digit id must not pass through a double.
 *
 * @param pattern text in JSON, or a pattern written as YAML
 * @param refuse told of numbers that have no JSON form
 */
export function patternText(pattern: Node, refuse: (fault: BadNumber) => void): PatternText {
  if (pattern.kind === 'scalar') return { text: pattern.text, locate: (offset) => insideScalar(pattern, offset) };
  const pieces: { readonly offset: number; readonly at: Located }[] = [];
  const text = new Writer(pieces, refuse).write(pattern);
  return { text, locate: (offset) => pieces.findLast((piece) => piece.offset <= offset)?.at ?? pattern };
}

class Writer {
  readonly #pieces: { readonly offset: number; readonly at: Located }[];
  readonly #refuse: (fault: BadNumber) => void;
  #text = '';

  constructor(pieces: { readonly offset: number; readonly at: Located }[], refuse: (fault: BadNumber) => void) {
    this.#pieces = pieces;
    this.#refuse = refuse;
  }

  write(root: Node): string {
    this.#node(root);
    return this.#text;
  }

  #node(node: Node): void {
    this.#pieces.push({ offset: this.#text.length, at: node });
    if (node.kind === 'scalar') this.#text += this.#scalar(node);
    else if (node.kind === 'list') this.#items('[', node.items, (item) => this.#node(item), ']');
    else this.#items('{', [...node.entries], ([key, entry]) => this.#member(key, entry.key, entry.value), '}');
  }

  #member(key: string, at: Located, value: Node): void {
    this.#pieces.push({ offset: this.#text.length, at });
    this.#text += `${JSON.stringify(key)}:`;
    this.#node(value);
  }

  #items<T>(open: string, items: readonly T[], write: (item: T) => void, close: string): void {
    this.#text += open;
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#text += ',';
      write(item);
    }
    this.#text += close;
  }

  #scalar(node: ScalarNode): string {
    if (!node.plain || node.value === null || typeof node.value === 'boolean') return JSON.stringify(node.value);
    if (JSON_NUMBER.test(node.text)) return node.text;
    if (YAML_BASED.test(node.text)) return String(BigInt(node.text));
    const message = badNumber(node.text);
    if (message !== undefined) this.#refuse({ at: node, message });
    return freeDecimal(node.text) ?? JSON.stringify(node.text);
  }
}

function badNumber(text: string): string | undefined {
  if (YAML_NO_NUMBER.test(text)) return `${text} is no number of JSON`;
  return /^[-+]?0[0-9]/.test(text) && YAML_DECIMAL.test(text) ? `${text} begins with a zero, which no number of JSON does` : undefined;
}

/** `+.5` as `0.5`; undefined if the text is no decimal number. */
function freeDecimal(text: string): string | undefined {
  const { sign, whole = '', fraction = '', exponent = '' } = YAML_DECIMAL.exec(text)?.groups ?? {};
  if (sign === undefined || whole + fraction === '') return undefined;
  return `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}${exponent}`;
}

/** The character of the text where it stands in the file as it is; all of the scalar where escapes or folds stand before it. */
function insideScalar(pattern: ScalarNode, offset: number): Located {
  const { file, start, end } = pattern.place;
  const raw = file.text.slice(start, end);
  const at = raw.startsWith('|') ? offsetInBlock(raw, pattern.text, offset) : offsetInLine(raw, pattern.text, offset);
  if (at === undefined) return pattern;
  const place = Math.min(start + at, end - 1);
  return { ...pattern, place: { file, start: place, end: place + 1 } };
}

function offsetInLine(raw: string, text: string, offset: number): number | undefined {
  const quote = raw.startsWith("'") || raw.startsWith('"') ? 1 : 0;
  const before = text.slice(0, offset);
  return !before.includes('\n') && raw.slice(quote, quote + before.length) === before ? quote + offset : undefined;
}

/** The lines of a literal block follow its header, each indented by what the text leaves out. */
function offsetInBlock(raw: string, text: string, offset: number): number | undefined {
  const before = text.slice(0, offset).split('\n');
  const rawLines = raw.split('\n').slice(0, before.length + 1);
  const rawLine = rawLines.at(-1) ?? '';
  const line = text.split('\n')[before.length - 1] ?? '';
  if (rawLines.length <= before.length || !rawLine.endsWith(line)) return undefined;
  const lineStart = rawLines.slice(0, -1).reduce((sum, each) => sum + each.length + 1, 0);
  return lineStart + rawLine.length - line.length + (before.at(-1) ?? '').length;
}
