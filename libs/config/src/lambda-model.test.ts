import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorsOf, withMappings } from '../test-data/load-text.ts';
import { fieldNames, type JsonSchema, normalSchema, schemaAt } from './json-schema.ts';
import { FOREIGN_FIELDS } from './schema-mapping.ts';

/** Facts of Lambda's API model (version 2015-03-31): names, limits, enumerations and documented defaults. */
interface Fact {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly enum?: readonly string[];
  readonly default?: unknown;
}

const model = JSON.parse(readFileSync(new URL('../test-data/lambda-model.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, Fact>
>;
const mapping = Object.entries(model['CreateEventSourceMapping'] ?? {});
const invoke = Object.entries(model['PutFunctionEventInvokeConfig'] ?? {});

/** Where we differ from Lambda on purpose. */
const DEVIATIONS: Readonly<Record<string, Partial<Fact>>> = {
  // One invocation at a time is what people ask for most.
  'ScalingConfig.MaximumConcurrency': { min: 1 },
};

function limits(schema: JsonSchema | undefined, fact: Fact): Fact {
  const item = fact.type === 'list' ? schema?.items : schema;
  const bound = <K extends keyof JsonSchema>(...keys: K[]) => keys.map((key) => schema?.[key]).find((value) => value !== undefined);
  const found = {
    min: bound('minimum', 'minLength'),
    max: bound('maximum', 'maxLength', 'maxItems'),
    enum: item?.enum ?? (item?.const === undefined ? undefined : [item.const]),
    default: schema?.wherryDefault ?? schema?.default,
  };
  const kept = Object.entries(found).filter(([key, value]) => value !== undefined && (key !== 'default' || fact.default !== undefined));
  return { type: fact.type, ...Object.fromEntries(kept) };
}

test.each(mapping.filter(([, fact]) => fact.type !== 'foreign'))('mapping field %s has the limits of Lambda', (name, fact) => {
  const path = name.split('.').flatMap((step) => (step === 'Filters' ? [step, 0] : [step]));
  const schema = schemaAt(['mappings', 'm', ...path]);
  expect(schema?.description).toMatch(/\S/);
  const found = limits(schema, fact);
  // An empty ARN has no meaning in either.
  const expected = { ...fact, ...DEVIATIONS[name], ...(name === 'EventSourceArn' ? { min: 1 } : {}) };
  expect(found).toEqual(expected);
});

test.each(invoke)('EventInvokeConfig field %s has the limits of Lambda', (name, fact) => {
  const schema = schemaAt(['functions', 'f', 'EventInvokeConfig', ...name.split('.')]);
  expect(limits(schema, fact)).toEqual(fact);
});

test.each(mapping.filter(([, fact]) => fact.type === 'foreign').map(([name]) => name))(
  '%s is refused, because its source has no poller',
  async (name) => {
    expect(FOREIGN_FIELDS.has(name)).toBe(true);
    const errors = await errorsOf(
      withMappings(`m: { EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:q", FunctionName: orders, ${name}: {} }`),
    );
    expect(errors).toEqual([expect.stringContaining('which wherry does not poll')]);
  },
);

test('no field in PascalCase is ours: each is in the model of Lambda, or another spelling of one that is', () => {
  const ours = fieldNames(schemaAt(['mappings', 'm']) ?? {}).filter((name) => /^[A-Z]/.test(name));
  const lambdas = new Set(mapping.map(([name]) => name.split('.')[0]));
  expect(ours.filter((name) => !lambdas.has(name))).toEqual(['KmsKeyArn', 'Type']);
});

test('every field of every block has a description', () => {
  const bare: string[] = [];
  const visit = (schema: JsonSchema, path: string): void => {
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      const isNamed = ['Key', 'Value'].includes(name) || (member.description ?? '') !== '';
      if (!isNamed) bare.push(`${path}.${name}`);
      visit(member, `${path}.${name}`);
    }
    if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties, `${path}.*`);
    if (schema.items) visit(schema.items, `${path}[]`);
    for (const option of schema.anyOf ?? []) visit(option, path);
  };
  visit(normalSchema(), '');
  expect(bare).toEqual([]);
});
