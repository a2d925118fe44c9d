import { childSchema, fieldNames, type JsonSchema, limitsOf, normalSchema } from './json-schema.ts';
import { didYouMean } from './suggest.ts';

/** What is known about a field, or which field may have been meant. */
export type Explanation =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string };

/**
 * Explains a field of the configuration: type, default, limits, meaning and members. Names of functions and mappings may be left
 * out of the path or be anything: `mappings.BatchSize`, `mappings.*.BatchSize` and `mappings.orders.BatchSize` are the same. A path may
 * also be only the end of one, in any letter case: `batchsize` is `mappings.BatchSize`, and of `url` all places are listed.
 */
export function explain(path: string): Explanation {
  const steps = path.split('.').filter((part) => part !== '');
  if (!fieldNames(normalSchema()).includes(steps[0] ?? '')) {
    const paths = pathsEndingWith(steps);
    if (paths.length > 1) return { ok: false, message: `several fields are called ${path}:\n${paths.map((one) => `  ${one}`).join('\n')}` };
    if (paths[0] !== undefined) return explain(paths[0]);
  }
  let schema = normalSchema();
  const walked: string[] = [];
  for (const step of steps) {
    const next = descend(schema, step);
    if (next === undefined) {
      const known = fieldNames(itemOf(schema));
      const nearest = didYouMean(step, known);
      const suggestion = nearest === undefined ? nearestPath(step, walked.join('.')) : [...walked, nearest].join('.');
      const where = walked.length === 0 ? 'the configuration' : walked.join('.');
      const message = `${where} has no field "${step}"${suggestion === undefined ? `; it has ${known.join(', ') || 'no fields'}` : ''}`;
      return suggestion === undefined ? { ok: false, message } : { ok: false, message, suggestion };
    }
    if (next !== 'name') {
      schema = next;
      walked.push(step);
    } else {
      schema = itemOf(schema);
    }
  }
  return { ok: true, text: describe(walked.join('.') || 'wherry.yaml', itemOf(schema)) };
}

/** Every path there is, names of functions and mappings left out. */
function allPaths(schema: JsonSchema, prefix: readonly string[] = []): string[] {
  return Object.entries(fieldsOf(itemOf(schema))).flatMap(([name, member]) => {
    const path = [...prefix, name];
    return [path.join('.'), ...allPaths(member, path)];
  });
}

const ALIASES = 'functions.aliases.';

function pathsEndingWith(steps: readonly string[]): string[] {
  if (steps.length === 0) return [];
  const end = `.${steps.join('.').toLowerCase()}`;
  const paths = allPaths(normalSchema()).filter((path) => `.${path}`.toLowerCase().endsWith(end));
  // An alias repeats fields of its function; whoever means those names them in full.
  return paths.filter((path) => !path.startsWith(ALIASES) || !paths.includes(path.replace(ALIASES, 'functions.')));
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** The path below `under` whose last step is near a misspelt one, if it is the only one. */
function nearestPath(step: string, under: string): string | undefined {
  const paths = allPaths(normalSchema()).filter((path) => under === '' || path.startsWith(`${under}.`));
  const nearest = didYouMean(step, [...new Set(paths.map(lastOf))]) ?? step;
  const found = paths.filter((path) => lastOf(path) === nearest);
  return found.length === 1 ? found[0] : undefined;
}

/** A property of the schema or of its named entries; `name` when the step can only be such a name. */
function descend(schema: JsonSchema, step: string): JsonSchema | 'name' | undefined {
  const properties = fieldNames(schema);
  if (properties.includes(step)) return childSchema(schema, step);
  if (typeof schema.additionalProperties !== 'object' && schema.items === undefined) return undefined;
  const item = itemOf(schema);
  if (fieldNames(item).includes(step)) return childSchema(item, step);
  // A misspelt field is more likely than a mapping whose name is nearly that of a field.
  return /^[A-Z]/.test(step) && didYouMean(step, fieldNames(item)) !== undefined
    ? undefined
    : fieldNames(item).length > 0
      ? 'name'
      : undefined;
}

/** What a map of names or a list holds; other schemas are returned as they are. */
function itemOf(schema: JsonSchema): JsonSchema {
  if (fieldNames(schema).length > 0) return schema;
  if (typeof schema.additionalProperties === 'object' && fieldNames(schema.additionalProperties).length > 0)
    return schema.additionalProperties;
  return schema.items !== undefined && fieldNames(schema.items).length > 0 ? schema.items : schema;
}

function describe(name: string, schema: JsonSchema): string {
  const lines = [`FIELD: ${name} <${typeName(schema)}>`];
  const facts: [string, string | undefined][] = [
    ['DEFAULT', defaultOf(schema)],
    ['LIMITS', limitsOf(schema)],
    ['ONE OF', schema.enum?.map(String).join(', ')],
    ['FORM', schema.pattern],
  ];
  for (const [label, text] of facts) if (text !== undefined) lines.push(`${label}: ${text}`);
  lines.push('', 'DESCRIPTION:', `  ${schema.description ?? 'A value.'}`);
  const fields = Object.entries(fieldsOf(schema));
  if (fields.length > 0) {
    const required = new Set(schema.required);
    const width = Math.max(...fields.map(([field, member]) => field.length + typeName(member).length + 3));
    lines.push('', 'FIELDS:');
    for (const [field, member] of fields) {
      const mark = required.has(field) ? ' (required)' : '';
      lines.push(`  ${`${field} <${typeName(member)}>`.padEnd(width)}  ${member.description ?? ''}${mark}`.trimEnd());
    }
  }
  return lines.join('\n');
}

function fieldsOf(schema: JsonSchema): Record<string, JsonSchema> {
  const own = schema.properties ?? {};
  return (schema.anyOf ?? []).reduce((fields, option) => ({ ...fieldsOf(option), ...fields }), own);
}

function typeName(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeName).join(' or ');
  if (schema.items !== undefined) return `list of ${typeName(schema.items)}`;
  if (schema.type === 'object')
    return typeof schema.additionalProperties === 'object' ? `map of ${typeName(schema.additionalProperties)}` : 'map';
  return [schema.type ?? 'any'].flat().join(' or ');
}

function defaultOf(schema: JsonSchema): string | undefined {
  const value = schema.wherryDefault ?? schema.default;
  if (value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
