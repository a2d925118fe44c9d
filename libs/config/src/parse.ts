import { setImmediate as pause } from 'node:timers/promises';
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  Lexer,
  type Node as YamlNode,
  type Pair,
  Parser,
  YAMLParseError,
} from 'yaml';
import type { Entry, Located, Node } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { scalarValue } from './scalar-type.ts';
import { isSecretPath, maskUrl, secretStretches } from './secret-names.ts';
import { type SourceText, startOf } from './source-text.ts';

/** Deepest nesting; the deepest setting there is needs nine levels. */
const MAX_DEPTH = 50;
/** Most alias expansions, so that aliases of aliases cannot multiply a small file into gigabytes. */
const MAX_ALIASES = 50;
/** Some ten milliseconds of work. */
const LEXEMES_AT_A_TIME = 20_000;
/** Cascading syntax errors help nobody. */
const MAX_SYNTAX_ERRORS = 10;
/** Keys that mean something to JavaScript itself. */
const RESERVED_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
/** The intrinsic functions that pasted CloudFormation and SAM snippets use. */
const TAGS = new Set(['!Ref', '!GetAtt', '!Sub']);
const CORE_TAGS = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`));
const LONG_FORMS = new Map([
  ['Ref', '!Ref'],
  ['Fn::GetAtt', '!GetAtt'],
  ['Fn::Sub', '!Sub'],
]);

/**
 * Parses one YAML 1.2 document into a tree whose every part knows its place.
 *
 * @returns undefined when the text is not YAML (the errors are reported) or holds nothing
 */
export async function parseYaml(file: SourceText, problems: ProblemList): Promise<Node | undefined> {
  let document: Document | undefined;
  try {
    const tokens = await tokensOf(file.text);
    const composer = new Composer({ uniqueKeys: false, version: '1.2' });
    const [first, second] = composer.compose(tokens, true, file.text.length);
    document = first;
    if (second !== undefined) document?.errors.push(new YAMLParseError([second.range[0], second.range[1]], 'MULTIPLE_DOCS', ''));
  } catch (error) {
    // The parser recurses; only absurd nesting can exhaust its stack.
    if (!(error instanceof RangeError)) throw error;
    problems.add('error', startOf(file), '', 'too-deep', `nesting deeper than ${MAX_DEPTH}`, {});
    return undefined;
  }
  if (document === undefined || reportSyntax(document, file, problems) || document.contents === null) return undefined;
  await pause();
  return new TreeBuilder(file, document, problems).build(document.contents);
}

/** Half of the work of parsing; done in portions, because a running poller has other things to do meanwhile. */
async function tokensOf(text: string): Promise<CST.Token[]> {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    count += 1;
    if (count % LEXEMES_AT_A_TIME === 0) await pause();
  }
  for (const token of parser.end()) tokens.push(token);
  await pause();
  return tokens;
}

/** Reports what the parser refused; true when there was anything. */
function reportSyntax(document: Document, file: SourceText, problems: ProblemList): boolean {
  const exhausted = document.errors.find((error) => /call stack/i.test(error.message));
  if (exhausted !== undefined) {
    problems.add('error', { file, start: exhausted.pos[0], end: exhausted.pos[1] }, '', 'too-deep', `nesting deeper than ${MAX_DEPTH}`, {});
    return true;
  }
  if (document.errors.length > 0) for (const { start, end } of secretStretches(file.text)) file.hide(start, end);
  const lines = new Set<number>();
  for (const error of document.errors.slice(0, MAX_SYNTAX_ERRORS)) {
    const place = { file, start: error.pos[0], end: error.pos[1] };
    const { line } = file.position(place.start);
    // What follows on the same line is nearly always a consequence.
    if (lines.has(line)) continue;
    lines.add(line);
    const flow = /[{[].*(?<!["'])\$\{/.test(file.line(line));
    const help =
      error.code === 'TAB_AS_INDENT'
        ? 'indent with spaces'
        : error.code === 'MULTIPLE_DOCS'
          ? 'put the others into files of their own and name them in include:'
          : flow
            ? 'inside { } and [ ] write values with ${…} in quotes'
            : undefined;
    const message = error.code === 'MULTIPLE_DOCS' ? 'expected one YAML document, found another one here' : lowerFirst(error.message);
    problems.add('error', place, '', 'syntax', message, { help });
    // The bracket that the variable took away is missed until the end of the file.
    if (flow) break;
  }
  if (document.errors.length === 0 && document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    const help = 'remove the %YAML line';
    problems.add('error', startOf(file), '', 'syntax', `expected YAML 1.2, got ${document.directives.yaml.version}`, { help });
    return true;
  }
  return document.errors.length > 0;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Turns the parser's nodes into ours: aliases expanded, keys checked, tags kept. */
class TreeBuilder {
  readonly #file: SourceText;
  readonly #document: Document;
  readonly #problems: ProblemList;
  #aliases = 0;
  #isTooDeep = false;

  constructor(file: SourceText, document: Document, problems: ProblemList) {
    this.#file = file;
    this.#document = document;
    this.#problems = problems;
  }

  build(contents: YamlNode): Node {
    return this.#node(contents, [], undefined, 0);
  }

  #node(yaml: YamlNode | null | undefined, path: readonly string[], key: Located | undefined, depth: number): Node {
    const value = yaml?.range?.[0] ?? key?.place.end ?? 0;
    const start = yaml?.tag === undefined ? value : this.#startOfTag(value);
    const place = { file: this.#file, start, end: yaml?.range?.[1] ?? value };
    const base = { place, path: showPath(path), ...(key === undefined ? {} : { keyPlace: key.place }) };
    const nothing: Node = { ...base, kind: 'scalar', value: null, text: '', plain: true, interpolated: false };
    if (depth > MAX_DEPTH) {
      if (!this.#isTooDeep) this.#problems.error(base, 'too-deep', `nesting deeper than ${MAX_DEPTH}`);
      this.#isTooDeep = true;
      return { ...nothing, broken: true };
    }
    if (yaml === null || yaml === undefined) return nothing;
    if (isAlias(yaml)) return this.#alias(yaml, path, key, depth, { ...nothing, broken: true });
    const tag = this.#tag(yaml, path, base);
    const tagged = { ...base, ...(tag === undefined ? {} : { tag }) };
    if (isScalar(yaml)) return this.#scalar(yaml, path, tagged);
    if (isMap(yaml)) return this.#map(yaml.items, path, tagged, depth);
    if (!isCollection(yaml)) return nothing;
    const items = yaml.items.map((item, index) => this.#node(item as YamlNode, [...path, String(index)], undefined, depth + 1));
    return { ...tagged, kind: 'list', items };
  }

  /** The parser's places leave the tag out; an error about `!Ref X` should mark all of it. */
  #startOfTag(value: number): number {
    const tag = /![^\s!]*(?:![^\s!]*)?\s*$/.exec(this.#file.text.slice(Math.max(0, value - 200), value));
    return value - (tag?.[0].length ?? 0);
  }

  #alias(yaml: YamlNode, path: readonly string[], key: Located | undefined, depth: number, nothing: Node): Node {
    this.#aliases += 1;
    if (this.#aliases > MAX_ALIASES) {
      if (this.#aliases === MAX_ALIASES + 1)
        this.#problems.error({ ...nothing, broken: false }, 'too-many-aliases', `too many aliases (limit ${MAX_ALIASES})`);
      return nothing;
    }
    const target = isAlias(yaml) ? yaml.resolve(this.#document) : undefined;
    if (target !== undefined) return this.#node(target, path, key, depth + 1);
    const name = isAlias(yaml) && !this.#isHidden(path, nothing) ? yaml.source : '***';
    this.#problems.error({ ...nothing, broken: false }, 'unknown-alias', `no anchor "&${name}" stands before this alias`);
    return nothing;
  }

  /** Keeps what stands at a secret's path out of messages; a password may begin with the sign of an alias or of a tag. */
  #isHidden(path: readonly string[], { place }: Located): boolean {
    const isSecret = isSecretPath(path);
    if (isSecret) this.#file.hide(place.start, place.end);
    return isSecret;
  }

  #tag(yaml: YamlNode, path: readonly string[], at: Located): string | undefined {
    const tag = yaml.tag;
    if (tag === undefined || CORE_TAGS.has(tag)) return undefined;
    if (TAGS.has(tag)) return tag;
    const shown = this.#isHidden(path, at) ? '!***' : tag.replace('tag:yaml.org,2002:', '!!');
    this.#problems.error(at, 'unknown-tag', `unknown tag ${shown}`, { help: 'only !Ref, !GetAtt and !Sub are known' });
    at.broken = true;
    return undefined;
  }

  #scalar(yaml: YamlNode, path: readonly string[], base: Located & { tag?: string }): Node {
    if (!isScalar(yaml)) throw new TypeError('not a scalar');
    const plain = yaml.type === 'PLAIN' && yaml.tag === undefined;
    const text = plain ? (yaml.source ?? '') : typeof yaml.value === 'string' ? yaml.value : (yaml.source ?? '');
    const value = plain ? scalarValue(text) : typeof yaml.value === 'number' || typeof yaml.value === 'boolean' ? yaml.value : text;
    // A secret written into the file must not be repeated by an error about its neighbour on the same line.
    const isSecret = isSecretPath(path) || maskUrl(text) !== text || (path[0] === 'redis' && text.includes('@'));
    if (isSecret && !/^\$\{[^}]*\}$/.test(text)) this.#file.hide(base.place.start, base.place.end);
    return { ...base, kind: 'scalar', value, text, plain, interpolated: false };
  }

  #map(pairs: readonly Pair[], path: readonly string[], base: Located & { tag?: string }, depth: number): Node {
    const entries = new Map<string, Entry>();
    for (const pair of pairs) {
      const entry = this.#entry(pair, path, entries, base, depth);
      if (entry !== undefined) entries.set(entry.name, entry);
    }
    const only = entries.size === 1 ? [...entries][0] : undefined;
    const long = only && LONG_FORMS.get(only[0]);
    if (only !== undefined && long !== undefined) return { ...only[1].value, place: base.place, path: base.path, tag: long };
    return { ...base, kind: 'map', entries };
  }

  #entry(
    pair: Pair,
    path: readonly string[],
    seen: Map<string, Entry>,
    base: Located,
    depth: number,
  ): (Entry & { name: string }) | undefined {
    const yamlKey = pair.key as YamlNode | null;
    if (!isScalar(yamlKey)) {
      const start = yamlKey?.range?.[0] ?? base.place.start;
      this.#problems.add('error', { file: this.#file, start, end: start + 1 }, base.path, 'bad-key', 'expected a plain name as key', {});
      return undefined;
    }
    const name = yamlKey.type === 'PLAIN' ? (yamlKey.source ?? '') : String(yamlKey.value);
    const keyPath = [...path, name];
    const range = yamlKey.range ?? [base.place.start, base.place.start];
    const key: Located = { place: { file: this.#file, start: range[0], end: range[1] }, path: showPath(keyPath) };
    const isInPattern = path.includes('Pattern') && path.includes('Filters');
    if (RESERVED_KEYS.has(name) && !(isInPattern && name !== '__proto__')) {
      const help = isInPattern ? 'write the pattern as JSON text' : 'choose another name';
      this.#problems.error(key, 'reserved-key', `reserved key "${name}"`, { help });
      return undefined;
    }
    const first = seen.get(name);
    if (first !== undefined) {
      const at = this.#file.position(first.key.place.start);
      this.#problems.error(key, 'duplicate-key', `duplicate key "${name}"`, { help: `first at ${at.line}:${at.column}` });
      return undefined;
    }
    return { name, key, value: this.#node(pair.value as YamlNode | null, keyPath, key, depth + 1) };
  }
}

/** `mappings.clicks.FilterCriteria.Filters[0].Pattern`. */
export function showPath(path: readonly string[]): string {
  return path.reduce(
    (shown, step) => (/^\d+$/.test(step) && shown !== '' ? `${shown}[${step}]` : shown === '' ? step : `${shown}.${step}`),
    '',
  );
}
