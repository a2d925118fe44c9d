import type * as z from 'zod';
import { fieldNames, type JsonSchema, limitsOf, schemaAt } from './json-schema.ts';
import type { MapNode, Node, ScalarNode } from './node.ts';
import { nodeAt, toPlain, visitScalars } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { parseDuration } from './quantity.ts';
import { losesPrecision } from './scalar-type.ts';
import type { ConfigValues } from './schema.ts';
import { isSecretPath, maskUrl } from './secret-names.ts';
import { configSchema } from './schema.ts';
import { FOREIGN_FIELDS } from './schema-mapping.ts';
import { didYouMean } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** Lambda lists this enumeration in an order of its own (recorded from the service). */
const AWS_STARTING_POSITIONS = ['LATEST', 'AT_TIMESTAMP', 'TRIM_HORIZON'];

const INSIDE_PATTERN = /\.FilterCriteria\.Filters\[\d+\]\.Pattern\./;

/**
 * Checks a tree in its normal form against the schema.
 *
 * @returns the values with defaults, or undefined after having reported every problem at its place
 */
export function validateSchema(tree: Node, problems: ProblemList): ConfigValues | undefined {
  const plain = toPlain(tree);
  const result = parseWithTexts(plain, tree);
  visitScalars(tree, (scalar) => {
    if (scalar.broken || !losesPrecision(scalar.value) || takenAsText(scalar, plain, tree)) return;
    // Patterns are read from their source, digit by digit.
    if (INSIDE_PATTERN.test(scalar.path)) return;
    const wanted = schemaAt(stepsOf(scalar.path))?.type === 'integer' ? rangeOf(schemaAt(stepsOf(scalar.path)) ?? {}) : undefined;
    const help = wanted === undefined ? 'quote this value' : `expected ${wanted}`;
    problems.error(scalar, 'precision', `${shownNumber(scalar)} has more digits than a number can hold`, { help });
    scalar.broken = true;
  });
  if (result.success) return result.data;
  // Unknown fields first: a misspelt field explains why another one is missing.
  const issues = result.error.issues.toSorted((a, b) => Number(b.code === 'unrecognized_keys') - Number(a.code === 'unrecognized_keys'));
  for (const issue of issues) report(issue, tree, problems);
  return undefined;
}

function shownNumber(scalar: ScalarNode): string {
  return isSecretPath(stepsOf(scalar.path)) ? 'the secret' : scalar.text;
}

/** Where the schema wants text, an unquoted number or Boolean stands for its own text: `accountId: 012345678901`. */
function parseWithTexts(plain: unknown, tree: Node): z.ZodSafeParseResult<ConfigValues> {
  let result = configSchema.safeParse(plain);
  // Each round can uncover texts that were hidden behind an outer type error; the schema is at most this deep.
  for (let round = 0; round < 4 && !result.success; round++) {
    const paths = result.error.issues.flatMap((issue) => textWanted(issue, []));
    const replaced = paths.filter((path) => replaceByText(plain, tree, path));
    if (replaced.length === 0) break;
    result = configSchema.safeParse(plain);
  }
  return result;
}

function textWanted(issue: Issue, prefix: PropertyKey[]): PropertyKey[][] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') return issue.errors.flat().flatMap((inner) => textWanted(inner, path));
  return issue.code === 'invalid_type' && issue.expected === 'string' ? [path] : [];
}

function replaceByText(plain: unknown, tree: Node, path: readonly PropertyKey[]): boolean {
  const node = nodeAt(tree, path);
  if (node?.kind !== 'scalar' || !node.plain || (typeof node.value !== 'number' && typeof node.value !== 'boolean')) return false;
  const holder = parentOf(plain, path);
  const last = path.at(-1);
  if (holder === undefined || last === undefined || holder[String(last)] === node.text) return false;
  holder[String(last)] = node.text;
  return true;
}

function parentOf(plain: unknown, path: readonly PropertyKey[]): Record<string, unknown> | undefined {
  let holder: unknown = plain;
  for (const step of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return undefined;
    holder = (holder as Record<string, unknown>)[String(step)];
  }
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>) : undefined;
}

function takenAsText(scalar: ScalarNode, plain: unknown, tree: Node): boolean {
  let isText = false;
  const walk = (node: Node, value: unknown): void => {
    if (node === scalar) isText = typeof value === 'string';
    else if (node.kind === 'list') node.items.forEach((item, index) => walk(item, (value as unknown[] | undefined)?.[index]));
    else if (node.kind === 'map')
      for (const [key, entry] of node.entries) walk(entry.value, (value as Record<string, unknown> | undefined)?.[key]);
  };
  walk(tree, plain);
  return isText;
}

function report(issue: Issue, tree: Node, problems: ProblemList): void {
  const node = nodeAt(tree, issue.path);
  const parent = nodeAt(tree, issue.path.slice(0, -1));
  const name = String(issue.path.at(-1) ?? '');
  if (issue.code === 'unrecognized_keys') {
    reportUnknown(issue.keys, issue.path, node, problems);
  } else if (issue.code === 'invalid_key' && parent?.kind === 'map') {
    const key = parent.entries.get(name)?.key;
    if (key !== undefined) problems.error(key, 'bad-name', `expected ${issue.issues[0]?.message ?? 'another name'}, got "${name}"`);
  } else if (parent?.kind === 'map' && (node === undefined || (node.kind === 'scalar' && node.value === null && name !== 'Pattern'))) {
    if (node?.broken) return;
    const help = issue.path.length === 1 && name === 'version' ? 'write version: 1' : undefined;
    problems.missing(parent, name, { help, awsMessage: awsText(issue.path, 'null', 'Member must not be null') });
  } else if (node !== undefined) {
    reportValue(issue, node, problems);
    if (node.kind === 'scalar') node.broken = true;
  }
}

function reportUnknown(keys: readonly string[], path: readonly PropertyKey[], node: Node | undefined, problems: ProblemList): void {
  if (node?.kind !== 'map') return;
  const isMapping = path[0] === 'mappings' && path.length === 2;
  for (const key of keys) {
    const foreign = isMapping ? FOREIGN_FIELDS.get(key) : undefined;
    const entry = node.entries.get(key);
    if (foreign === undefined || entry === undefined) reportMisspelt(key, path, node, problems);
    else problems.error(entry.key, 'unsupported-source', `${key} is for ${foreign}, which wherry does not poll`, { help: 'remove it' });
  }
}

function reportMisspelt(key: string, path: readonly PropertyKey[], node: MapNode, problems: ProblemList): void {
  const entry = node.entries.get(key);
  if (path.length === 0 && key === 'Resources' && entry !== undefined) {
    const help = 'a template is not read whole: paste its AWS::Lambda::EventSourceMapping resources under mappings:';
    problems.error(entry.key, 'unknown-field', 'unknown field "Resources"', { help });
    return;
  }
  // Events have become mappings by now, but are a field of a function for whoever writes one.
  const known = [...fieldNames(schemaAt(path) ?? {}), ...(path[0] === 'functions' && path.length === 2 ? ['Events'] : [])];
  problems.unknownField(node, key, known);
}

function reportValue(issue: Issue, node: Node, problems: ProblemList): void {
  const got = showValue(node);
  const raw = node.kind === 'scalar' ? node.text : '';
  if (issue.code === 'invalid_type') {
    // The schema library asks for a number first and for a whole one second.
    const type = issue.expected === 'number' && schemaAt(issue.path)?.type === 'integer' ? 'int' : issue.expected;
    const isNumber = type === 'int' || type === 'number';
    const expected = (isNumber ? rangeOf(schemaAt(issue.path) ?? {}) : undefined) ?? TYPE_NAMES[type] ?? type;
    problems.error(node, 'invalid-type', `expected ${expected}, got ${got}`, {
      help: typeHelp(type, node) ?? indentHelp(issue.path),
      awsMessage: patternText(issue.path),
    });
  } else if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const nearest = node.kind === 'scalar' ? didYouMean(raw, values) : undefined;
    const shown = node.kind === 'scalar' && typeof node.value === 'string' ? `"${node.value}"` : got;
    const message = values.length === 1 ? `expected ${values[0]}, got ${shown}` : `expected one of ${values.join(', ')}; got ${shown}`;
    const set = (issue.path.at(-1) === 'StartingPosition' ? AWS_STARTING_POSITIONS : values).join(', ');
    problems.error(node, 'invalid-value', message, {
      help: issue.path.length === 1 && issue.path[0] === 'version' ? VERSION_HELP : nearest && `did you mean "${nearest}"?`,
      awsMessage: awsText(issue.path, raw, `Member must satisfy enum value set: [${set}]`),
    });
  } else if (issue.code === 'too_big' || issue.code === 'too_small') {
    reportRange(issue, node, problems);
  } else {
    const help = /^\d+$/.test(raw) && issue.message.startsWith('a duration') ? `add a unit: ${raw}s` : undefined;
    const expected = issue.code === 'invalid_format' || issue.code === 'invalid_union' ? issue.message : lowerFirst(issue.message);
    problems.error(node, 'invalid-value', `expected ${expected}, got ${got}`, { help, awsMessage: patternText(issue.path) });
  }
}

function reportRange(issue: Issue & { code: 'too_big' | 'too_small' }, node: Node, problems: ProblemList): void {
  const isBig = issue.code === 'too_big';
  const limit = Number(isBig ? issue.maximum : issue.minimum);
  const isNumber = issue.origin !== 'string' && issue.origin !== 'array';
  const text = showValue(node);
  const found = node.kind === 'list' ? node.items.length : node.kind === 'scalar' && !isNumber ? node.text.length : text;
  const message = `expected ${rangeOf(schemaAt(issue.path) ?? {}) ?? `${isBig ? 'at most' : 'at least'} ${limit}`}, got ${found}`;
  const raw = node.kind === 'scalar' ? node.text : '[...]';
  const rule = `Member must have ${isNumber ? 'value' : 'length'} ${isBig ? 'less' : 'greater'} than or equal to ${limit}`;
  problems.error(node, 'out-of-range', message, { awsMessage: awsText(issue.path, raw, rule) });
}

/** What a limited field takes: `an integer from 1 to 10000`, `2 to 64 characters`; undefined when it has no limits. */
function rangeOf(schema: JsonSchema): string | undefined {
  const limits = limitsOf(schema);
  if (limits === undefined || schema.anyOf !== undefined) return undefined;
  if (schema.type !== 'integer' && schema.type !== 'number') return limits.replace(/^(at least |at most )1 (character|item)s$/, '$11 $2');
  const from = limits.includes(' to ') ? 'from ' : 'of ';
  return `${schema.type === 'integer' ? 'an integer' : 'a number'} ${from}${limits}`;
}

const VERSION_HELP = 'version is that of the file format, and this wherry reads version 1: write version: 1';

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'an integer',
  number: 'a number',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/** For a field that stands beside the name of its function or mapping in place of below it. */
function indentHelp(path: readonly PropertyKey[]): string | undefined {
  const [kind, name = ''] = path;
  if (path.length !== 2 || (kind !== 'functions' && kind !== 'mappings')) return undefined;
  const isField = fieldNames(schemaAt([kind, 'any']) ?? {}).includes(String(name));
  return isField ? `${String(name)} is a field of one of the ${kind}: indent it below a name` : undefined;
}

function typeHelp(type: string, node: Node): string | undefined {
  if (node.kind !== 'scalar') return undefined;
  if (type === 'array') return isSecretPath(stepsOf(node.path)) ? 'write a list: […]' : `write a list: [${maskUrl(node.text)}]`;
  if (type === 'boolean' && /^(?:true|false)$/i.test(node.text)) return 'write it without quotes';
  if (type === 'boolean' && node.plain && /^(?:yes|no|on|off|y|n)$/i.test(node.text))
    return `write true or false (in YAML 1.2 ${node.text} is text)`;
  if (type !== 'number' && type !== 'int') return undefined;
  const ms = /(?:Seconds|^Timeout|\.Timeout)$/.test(node.path) ? parseDuration(node.text) : undefined;
  if (ms !== undefined && ms % 1000 === 0) return `Lambda's unit here is the second: write ${ms / 1000}`;
  return !node.plain && /^-?\d+$/.test(node.text) ? 'write it without quotes' : undefined;
}

/** The steps of a path as messages show it; names may hold dots themselves, which only makes more steps of them. */
function stepsOf(path: string): string[] {
  return path.split(/[.[\]]+/).filter((step) => step !== '');
}

/** A value as it appears in "got …". */
export function showValue(node: Node): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a map';
  if (node.value === null) return 'nothing';
  if (isSecretPath(stepsOf(node.path))) return 'a value that is kept secret';
  const whole = maskUrl(node.text);
  const text = whole.length > 100 ? `${whole.slice(0, 100)}…` : whole;
  if (node.plain && typeof node.value === 'string' && /^[-+.\d]/.test(text) && !/[:/]/.test(text)) return text;
  return typeof node.value === 'string' ? `string "${text}"` : text;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Any malformed pattern has one and the same answer in Lambda (recorded from the service). */
function patternText(path: readonly PropertyKey[]): string | undefined {
  return path.at(-1) === 'Pattern' ? 'Invalid filter pattern definition.' : undefined;
}

/**
 * The text of Lambda's ValidationException for a member of a mapping or of an EventInvokeConfig; undefined for fields of our own.
 * The form is recorded from the service for nulls and enumerations; the wording for limits is the family's usual one.
 */
export function awsText(path: readonly PropertyKey[], value: string, rule: string): string | undefined {
  const at = path[0] === 'mappings' ? 2 : path.indexOf('EventInvokeConfig') + 1;
  const members = path.slice(at);
  if (at === 0 || members.length === 0 || !/^[A-Z]/.test(String(members[0]))) return undefined;
  const shown = value === 'null' ? 'null' : `'${value}'`;
  const name = members
    .map((step) => (typeof step === 'number' ? `${step + 1}.member` : String(step).charAt(0).toLowerCase() + String(step).slice(1)))
    .join('.');
  return `1 validation error detected: Value ${shown} at '${name}' failed to satisfy constraint: ${rule}${value === 'null' ? '.' : ''}`;
}
