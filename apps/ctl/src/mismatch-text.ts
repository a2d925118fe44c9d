import type { FailedCondition, Mismatch } from '@wherry/core/event-pattern/explain-match';
import { harmless } from './harmless.ts';

/** How many values of one path are shown; an array may hold thousands. */
const VALUES_SHOWN = 5;
/** How much of one value is shown. */
const VALUE_CHARACTERS = 120;

/** Why an event does not match, for people: a table of the condition that failed, or of those that fail together. */
export function mismatchLines(mismatch: Mismatch): readonly string[] {
  return plainLines(mismatch).map(harmless);
}

function plainLines(mismatch: Mismatch): readonly string[] {
  if (mismatch.kind === 'condition') return ['the first condition that failed:', ...conditionLines(mismatch.condition)];
  const array = mismatch.array === undefined ? 'the arrays' : JSON.stringify(mismatch.array);
  return [`no one element of ${array} meets all of these conditions:`, ...mismatch.conditions.flatMap(conditionLines)];
}

function conditionLines(condition: FailedCondition): readonly string[] {
  const { path, expected, actual, alternatives } = condition;
  const where = alternatives.map(({ number, of }) => `alternative ${number} of ${of}`).join(', in it ');
  return [
    `  path      ${path}${where === '' ? '' : `  (the nearest in $or: ${where})`}`,
    `  expected  ${expected.replaceAll(/\s*[\r\n]\s*/g, ' ')}`,
    `  actual    ${actualText(actual)}`,
  ];
}

function actualText({ leaves, container, similar, cutOff }: FailedCondition['actual']): string {
  const shown = leaves.slice(0, VALUES_SHOWN).map(({ text }) => shortened(text));
  if (leaves.length > VALUES_SHOWN) shown.push(`and ${leaves.length - VALUES_SHOWN} more`);
  if (shown.length > 0) return shown.join(', ');
  if (container === 'object') return 'an object; conditions look at single values only';
  if (container === 'empty array') return 'an empty array, which holds no value';
  if (cutOff !== undefined) return `missing: ${JSON.stringify(cutOff.path)} is ${shortened(cutOff.text)}`;
  return similar === undefined ? 'missing' : `missing; there is ${JSON.stringify(similar)}, but keys are case-sensitive`;
}

function shortened(text: string): string {
  return text.length <= VALUE_CHARACTERS ? text : `${text.slice(0, VALUE_CHARACTERS)}… (${text.length} characters)`;
}

/** Why an event does not match, for programs. Values are JSON texts, because numbers may be more than a double holds. */
export function mismatchJson(mismatch: Mismatch): object {
  if (mismatch.kind === 'condition') return conditionJson(mismatch.condition);
  return { array: mismatch.array, conditions: mismatch.conditions.map(conditionJson) };
}

function conditionJson({ path, expected, offset, actual, alternatives }: FailedCondition): object {
  return {
    path,
    expected,
    offset,
    actual: actual.leaves.map(({ text }) => text),
    ...(alternatives.length === 0 ? {} : { alternatives }),
  };
}
