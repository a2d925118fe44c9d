import type { JsonNode, JsonScalar } from './json-text.ts';
import { onlyMember } from './operand.ts';
import { PatternFault } from './pattern-fault.ts';
import { patternNumber } from './pattern-number.ts';
import type { PatternTest } from './pattern.ts';
import { wildcardTest } from './wildcard-text.ts';

/**
 * `anything-but`: of values, either all strings or all numbers, or of texts of one operator. Both as one or as a list.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function anythingButTest(operand: JsonNode): PatternTest {
  return { kind: 'anything-but', tests: operand.kind === 'object' ? operatorTests(operand) : valueTests(operand) };
}

function valueTests(operand: JsonNode): PatternTest[] {
  const values = entries(operand).map((value) => {
    if (value.kind === 'string' || value.kind === 'number') return value;
    throw new PatternFault('Value of anything-but must be a string, a number or a list of either', value.offset);
  });
  const other = values.find((value) => value.kind !== values[0]?.kind);
  if (other !== undefined) throw new PatternFault('Values of anything-but must be all strings or all numbers', other.offset);
  return values.map((value) =>
    value.kind === 'number' ? { kind: 'number', number: patternNumber(value.text) } : { kind: 'equals', value: value.value },
  );
}

function operatorTests(operand: JsonNode & { kind: 'object' }): PatternTest[] {
  const { key, keyOffset, value } = onlyMember(operand);
  const test = testOf(key);
  if (test === undefined) throw new PatternFault(`Unrecognized match type ${key} in anything-but`, keyOffset);
  return entries(value).map((entry) => {
    if (entry.kind === 'string') return test(entry);
    throw new PatternFault(`Value of anything-but ${key} must be a string or a list of strings`, entry.offset);
  });
}

function testOf(operator: string): ((text: JsonScalar & { kind: 'string' }) => PatternTest) | undefined {
  switch (operator) {
    case 'prefix':
    case 'suffix':
      return ({ value, offset }) => {
        if (value === '') throw new PatternFault('Null prefix/suffix not allowed', offset);
        return { kind: operator, text: value, ignoreCase: false };
      };
    case 'equals-ignore-case':
      return ({ value }) => ({ kind: operator, text: value });
    case 'wildcard':
      return ({ value, offset }) => wildcardTest(value, offset);
    default:
      return undefined;
  }
}

function entries(operand: JsonNode): readonly JsonNode[] {
  if (operand.kind !== 'list') return [operand];
  if (operand.items.length === 0) throw new PatternFault('Empty arrays are not allowed', operand.offset);
  return operand.items;
}
