import type { JsonMember, JsonNode, JsonObject } from './json-text.ts';
import { PatternFault } from './pattern-fault.ts';

/** The one member of an operator object. */
export function onlyMember(object: JsonObject): JsonMember {
  const [first, second] = object.members;
  if (first === undefined) throw new PatternFault('Match expression name not found', object.offset);
  if (second !== undefined) throw new PatternFault('Only one key allowed in match expression', second.keyOffset);
  return first;
}

/** An operand that can be a string alone. `operator` is what the reason calls it. */
export function stringOf(operator: string, operand: JsonNode): string {
  if (operand.kind === 'string') return operand.value;
  throw new PatternFault(`Value of ${operator} must be a string`, operand.offset);
}

/** The text of `{"equals-ignore-case": text}` as the operand of `prefix` or `suffix`. */
export function ignoredCase(operator: string, operand: JsonObject): string {
  const { key, keyOffset, value } = onlyMember(operand);
  if (key !== 'equals-ignore-case') throw new PatternFault(`Unrecognized match type ${key} in ${operator}`, keyOffset);
  return stringOf(key, value);
}
