import type { JsonList, JsonObject } from './json-text.ts';
import { anythingButTest } from './anything-but.ts';
import { cidrFault } from './cidr-text.ts';
import { numericTest } from './numeric-range.ts';
import { ignoredCase, onlyMember, stringOf } from './operand.ts';
import { PatternFault } from './pattern-fault.ts';
import { patternNumber } from './pattern-number.ts';
import type { PatternTest } from './pattern.ts';
import { wildcardTest } from './wildcard-text.ts';

/** The tests of a field: each entry of its list is a value or an object with one operator. */
export function leafTests(list: JsonList): PatternTest[] {
  if (list.items.length === 0) throw new PatternFault('Empty arrays are not allowed', list.offset);
  return list.items.map((item) => {
    if (item.kind === 'object') return operatorTest(item);
    if (item.kind === 'list')
      throw new PatternFault('Match value must be a string, number, true, false, null or an operator object', item.offset);
    return item.kind === 'number' ? { kind: 'number', number: patternNumber(item.text) } : { kind: 'equals', value: item.value };
  });
}

/** Names of operators are case-sensitive. `exactly` is not in Lambda's table, but its engine has it: a string as it is. */
function operatorTest(object: JsonObject): PatternTest {
  const { key, keyOffset, value } = onlyMember(object);
  switch (key) {
    case 'exactly':
      return { kind: 'equals', value: stringOf(key, value) };
    case 'prefix':
    case 'suffix':
      if (value.kind === 'object') return { kind: key, text: ignoredCase(key, value), ignoreCase: true };
      return { kind: key, text: stringOf(key, value), ignoreCase: false };
    case 'equals-ignore-case':
      return { kind: key, text: stringOf(key, value) };
    case 'wildcard':
      return wildcardTest(stringOf(key, value), value.offset);
    case 'cidr': {
      const block = stringOf(key, value);
      const fault = cidrFault(block);
      if (fault !== undefined) throw new PatternFault(fault, value.offset);
      return { kind: key, block };
    }
    case 'numeric':
      return numericTest(value);
    case 'exists':
      if (value.kind === 'literal' && value.value !== null) return { kind: key, value: value.value };
      throw new PatternFault('Value of exists must be true or false', value.offset);
    case 'anything-but':
      return anythingButTest(value);
    default:
      throw new PatternFault(`Unrecognized match type ${key}`, keyOffset);
  }
}
