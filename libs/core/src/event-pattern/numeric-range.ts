import type { JsonList, JsonNode } from './json-text.ts';
import { PatternFault } from './pattern-fault.ts';
import { isLess, patternNumber } from './pattern-number.ts';
import type { NumericBound, PatternNumber, PatternTest } from './pattern.ts';

/** `numeric`: `["=", n]`, one bound, or a lower bound before an upper one that is greater. */
export function numericTest(operand: JsonNode): PatternTest {
  if (operand.kind !== 'list') throw new PatternFault('Value of numeric must be an array.', operand.offset);
  const operator = operatorAt(operand, 0);
  const number = numberAt(operand, 1, operator);
  const bound: NumericBound = { number, isInclusive: operator.endsWith('=') };
  switch (operator) {
    case '=':
      endAt(operand, 2);
      return { kind: 'numeric', lower: bound, upper: bound };
    case '<':
    case '<=':
      endAt(operand, 2);
      return { kind: 'numeric', upper: bound };
    case '>':
    case '>=':
      return operand.items.length === 2 ? { kind: 'numeric', lower: bound } : range(operand, bound);
    default:
      throw badOperator(operand, 0, operator);
  }
}

function range(operand: JsonList, lower: NumericBound): PatternTest {
  const operator = operatorAt(operand, 2);
  if (operator !== '<' && operator !== '<=') throw badOperator(operand, 2, operator);
  const number = numberAt(operand, 3, operator);
  endAt(operand, 4);
  if (!isLess(lower.number, number)) throw new PatternFault('Bottom must be less than top', offsetAt(operand, 3));
  return { kind: 'numeric', lower, upper: { number, isInclusive: operator === '<=' } };
}

function operatorAt(operand: JsonList, index: number): string {
  const item = operand.items[index];
  if (item?.kind === 'string') return item.value;
  throw new PatternFault('Numeric range must be pairs of an operator and a number', offsetAt(operand, index));
}

function numberAt(operand: JsonList, index: number, operator: string): PatternNumber {
  if (!['=', '<', '<=', '>', '>='].includes(operator)) throw badOperator(operand, index - 1, operator);
  const item = operand.items[index];
  if (item?.kind === 'number') return patternNumber(item.text);
  throw new PatternFault(`Value of ${operator} must be numeric`, offsetAt(operand, index));
}

function endAt(operand: JsonList, index: number): void {
  if (operand.items.length > index) throw new PatternFault('Too many terms in numeric range', offsetAt(operand, index));
}

function badOperator(operand: JsonList, index: number, operator: string): PatternFault {
  return new PatternFault(`Bad numeric range operator: ${operator}`, offsetAt(operand, index));
}

/** Where an item begins, or the closing bracket where it is missing. */
function offsetAt(operand: JsonList, index: number): number {
  return operand.items[index]?.offset ?? operand.end - 1;
}
