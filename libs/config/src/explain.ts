import { childSchema, fieldNames, type JsonSchema, normalSchema } from './json-schema.ts';
import { didYouMean } from './suggest.ts';

/** What is known about a field, or which field may have been meant. */
export type Explanation =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string };

/**
 * Explains a field of the configuration: type, default, limits, meaning and members. Names of functions and mappings may be left
 * out of the path or be anything: `mappings.BatchSize`, `mappings.*.BatchSize` and `mappings.orders.BatchSize` are the same.
 */
export function explain(path: string): Explanation {
  let schema = normalSchema();
  const walked: string[] = [];
  for (const step of path.split('.').filter((part) => part !== '')) {
    const next = descend(schema, step);
    if (next === undefined) {
      const known = fieldNames(itemOf(schema));
      const nearest = didYouMean(step, known);
      const suggestion = nearest === undefined ? undefined : [...walked, nearest].join('.');
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

function limitsOf(schema: JsonSchema): string | undefined {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems } = schema;
  const above =
    exclusiveMinimum === undefined ? undefined : `more than ${exclusiveMinimum}${maximum === undefined ? '' : `, at most ${maximum}`}`;
  return above ?? range(minimum, maximum, '') ?? range(minLength, maxLength, ' characters') ?? range(minItems, maxItems, ' items');
}

function range(low: number | undefined, high: number | undefined, unit: string): string | undefined {
  if (low === undefined && high === undefined) return undefined;
  if (low === undefined) return `at most ${high}${unit}`;
  return high === undefined || high === Number.MAX_SAFE_INTEGER ? `at least ${low}${unit}` : `${low} to ${high}${unit}`;
}
