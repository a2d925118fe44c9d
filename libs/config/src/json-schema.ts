import * as z from 'zod';
import { configSchema } from './schema.ts';
import { mappingSchema } from './schema-mapping.ts';

/** The part of JSON Schema that ours consists of. */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  type?: string | string[];
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  /** A default that is filled in later, or depends on other fields; for people. */
  wherryDefault?: string | number | boolean;
}

let generated: JsonSchema | undefined;

/** The schema of the normal form, every field with its description; made once, because messages and `explain` ask it too. */
export function normalSchema(): JsonSchema {
  generated ??= z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
  return generated;
}

/**
 * The JSON Schema (draft-07) for editors. It also takes what is brought into the normal form before validation: a pasted
 * `AWS::Lambda::EventSourceMapping`, and SAM's `Events`.
 *
 * draft-07 because the YAML language server reads nothing newer: https://github.com/redhat-developer/yaml-language-server
 */
export function jsonSchema(): JsonSchema {
  const schema = forEditors(structuredClone(normalSchema()));
  const plain = forEditors(z.toJSONSchema(mappingSchema, { io: 'input', target: 'draft-7' }) as JsonSchema);
  delete plain.$schema;
  const own = Object.fromEntries(Object.entries(plain.properties ?? {}).filter(([name]) => /^[a-z]/.test(name)));
  const pasted: JsonSchema = {
    type: 'object',
    description: 'An AWS::Lambda::EventSourceMapping resource of a CloudFormation template.',
    properties: { ...own, Type: { type: 'string', const: 'AWS::Lambda::EventSourceMapping' }, Properties: plain },
    required: ['Type', 'Properties'],
  };
  const event = samEvent(plain);
  const mapping = (properties: JsonSchema): JsonSchema => ({
    ...event,
    properties: { ...own, ...event.properties, FunctionName: properties },
  });
  const functionName = plain.properties?.['FunctionName'] ?? { type: 'string' };
  const mappings = schema.properties?.['mappings'];
  if (mappings !== undefined) mappings.additionalProperties = { anyOf: [plain, pasted, mapping(functionName)] };
  const definition = schema.properties?.['functions']?.additionalProperties;
  if (typeof definition === 'object' && definition.properties !== undefined) {
    const alias = definition.properties['aliases']?.additionalProperties;
    if (typeof alias === 'object') alias.type = ['object', 'null'];
    definition.properties['Events'] = { type: 'object', description: 'Event sources as SAM writes them.', additionalProperties: event };
  }
  return schema;
}

/** SAM's spelling: the ARN is called `Queue` or `Stream`, and the function is the one the block stands in. */
function samEvent(plain: JsonSchema): JsonSchema {
  const { EventSourceArn: arn = { type: 'string' }, ...fields } = plain.properties ?? {};
  const properties: JsonSchema = { ...plain, properties: { ...fields, Queue: arn, Stream: arn }, required: [] };
  return {
    type: 'object',
    description: 'An event source as SAM writes it.',
    properties: { Type: { type: 'string', enum: ['SQS', 'Kinesis', 'DynamoDB'] }, Properties: properties },
    required: ['Type', 'Properties'],
    additionalProperties: false,
  };
}

/** What an editor must not mark: a value that is only known after interpolation. */
const INTERPOLATED = String.raw`\$\{`;

/** Moves defaults that JSON Schema cannot express into the text that editors show, and lets `${VAR}` stand for any value. */
function forEditors(schema: JsonSchema): JsonSchema {
  for (const child of children(schema)) forEditors(child);
  if (schema.wherryDefault !== undefined) {
    schema.description = `${schema.description ?? ''} Default: ${String(schema.wherryDefault)}.`.trim();
    delete schema.wherryDefault;
  }
  if (schema.enum !== undefined) {
    schema.anyOf = [
      { type: 'string', enum: schema.enum },
      { type: 'string', pattern: INTERPOLATED },
    ];
    delete schema.enum;
    delete schema.type;
  } else if (schema.type === 'integer' || schema.type === 'number' || schema.type === 'boolean') {
    // Limits speak of numbers only and the pattern of text only, so both can stand side by side.
    if (schema.const === undefined) Object.assign(schema, { type: [schema.type, 'string'], pattern: INTERPOLATED });
  } else if (schema.pattern !== undefined) {
    // An account id may stand without quotes.
    if (schema.pattern.startsWith('^[0-9]')) schema.type = ['string', 'number'];
    schema.pattern = `${schema.pattern}|${INTERPOLATED}`;
  } else if (schema.type === 'string' && schema.const === undefined) {
    schema.type = ['string', 'number', 'boolean'];
  }
  return schema;
}

function children(schema: JsonSchema): JsonSchema[] {
  const more = typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
  return [...Object.values(schema.properties ?? {}), ...more, ...(schema.items ? [schema.items] : []), ...(schema.anyOf ?? [])];
}

/** The schema of one value inside another: a property, an entry of a map of names, or an item. */
export function childSchema(schema: JsonSchema, step: PropertyKey): JsonSchema | undefined {
  const property = Object.hasOwn(schema.properties ?? {}, step) ? schema.properties?.[String(step)] : undefined;
  if (property !== undefined) return property;
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties;
  if (schema.items !== undefined) return schema.items;
  for (const option of schema.anyOf ?? []) {
    const found = childSchema(option, step);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The schema of the value at a path; undefined for a path that does not exist. */
export function schemaAt(path: readonly PropertyKey[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = normalSchema();
  for (const step of path) schema = schema && childSchema(schema, step);
  return schema;
}

/** The names of the fields of a schema, those of all its variants. */
export function fieldNames(schema: JsonSchema): string[] {
  return [...Object.keys(schema.properties ?? {}), ...(schema.anyOf ?? []).flatMap(fieldNames)];
}

/** The limits of a value in words: `1 to 10000`, `at most 350 characters`; undefined when it has none. */
export function limitsOf(schema: JsonSchema): string | undefined {
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
