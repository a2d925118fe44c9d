import type { PlainJson } from './plain-json.ts';

/** Whether one entry of a pattern's list (a literal or an operator, but not `exists: false`) holds for one value of the event. */
export function referenceTest(test: PlainJson, value: PlainJson): boolean {
  if (test.kind === 'string') return value.kind === 'string' && (value.text === test.text || isSameAddress(test.text, value.text));
  if (test.kind === 'literal') return value.kind === 'literal' && value.value === test.value;
  if (test.kind === 'number') return value.kind === 'number' && compareNumbers(test.text, value.text) === 0;
  const [operator, operand] = (test.kind === 'object' ? test.entries[0] : undefined) ?? [];
  if (operator === undefined || operand === undefined) throw new Error('A list holds literals and operators.');
  if (operator === 'exists') return true;
  if (operator === 'exactly') return referenceTest(operand, value);
  if (operator === 'anything-but') return !listOf(operand).some((excluded) => isExcluded(excluded, value));
  if (operator === 'numeric') return value.kind === 'number' && isInRange(listOf(operand), value.text);
  return value.kind === 'string' && textOperator(operator, operand, value.text);
}

/** `anything-but` takes a literal or an operator; an operator inside it takes a string or a list of strings. */
function isExcluded(excluded: PlainJson, value: PlainJson): boolean {
  if (excluded.kind === 'string') return value.kind === 'string' && value.text === excluded.text;
  if (excluded.kind !== 'object') return referenceTest(excluded, value);
  const [operator, operand] = excluded.entries[0] ?? [];
  if (operator === undefined || operand === undefined) throw new Error('anything-but holds literals or one operator.');
  return value.kind === 'string' && listOf(operand).some((text) => textOperator(operator, text, value.text));
}

function listOf(operand: PlainJson): readonly PlainJson[] {
  return operand.kind === 'array' ? operand.items : [operand];
}

/** Texts are compared with their quotes, so that the prefix `ab"` is one of the text `ab`, as in AWS's engine. */
function textOperator(operator: string, operand: PlainJson, value: string): boolean {
  if (operand.kind === 'object') return ignoreCase(operator, textOf(operand.entries[0]?.[1]), value);
  const text = textOf(operand);
  if (operator === 'prefix') return `"${value}"`.startsWith(`"${text}`);
  if (operator === 'suffix') return `"${value}"`.endsWith(`${text}"`);
  if (operator === 'equals-ignore-case') return ignoreCase('whole', text, value);
  if (operator === 'wildcard') return wildcard(text, value);
  if (operator === 'cidr') return isInBlock(text, value);
  throw new Error(`Unknown operator ${operator}`);
}

function textOf(operand: PlainJson | undefined): string {
  if (operand?.kind !== 'string') throw new Error('This operator takes a string.');
  return operand.text;
}

/**
 * Every character of the operand stands for itself, its lower and its upper case (`ß` for `ß` and `SS`). Follows all the ways to
 * read the value at once.
 */
function ignoreCase(where: string, operand: string, value: string): boolean {
  const quoted = `"${value}"`;
  const wanted = where === 'prefix' ? `"${operand}` : where === 'suffix' ? `${operand}"` : `"${operand}"`;
  let ends = new Set(where === 'suffix' ? Array.from({ length: quoted.length + 1 }, (_, start) => start) : [0]);
  for (const character of wanted) {
    const next = new Set<number>();
    for (const form of [character, character.toLowerCase(), character.toUpperCase()]) {
      for (const end of ends) if (quoted.startsWith(form, end)) next.add(end + form.length);
    }
    ends = next;
  }
  return where === 'prefix' ? ends.size > 0 : ends.has(quoted.length);
}

/** The table of "do the first i parts cover the first j characters", row by row. */
function wildcard(operand: string, value: string): boolean {
  let row = Array.from({ length: value.length + 1 }, (_, covered) => covered === 0);
  for (let at = 0; at < operand.length; at++) {
    const isStar = operand[at] === '*';
    if (operand[at] === '\\') at++;
    const character = operand[at];
    const above = row;
    row = [];
    for (let covered = 0; covered <= value.length; covered++) {
      row.push(
        isStar ? above[covered] === true || row[covered - 1] === true : above[covered - 1] === true && value[covered - 1] === character,
      );
    }
  }
  return row[value.length] === true;
}

function isInRange(terms: readonly PlainJson[], value: string): boolean {
  for (let at = 0; at < terms.length; at += 2) {
    const bound = terms[at + 1];
    const order = bound?.kind === 'number' ? compareNumbers(bound.text, value) : Number.NaN;
    // `order` is the bound compared with the value: a bound below the value says that the value is greater.
    const holds: Record<string, boolean> = { '=': order === 0, '<': order > 0, '<=': order >= 0, '>': order < 0, '>=': order <= 0 };
    if (holds[textOf(terms[at])] !== true) return false;
  }
  return true;
}

/**
 * Below 0 if the pattern's number is the smaller. A pattern number that its double does not stand for (another decimal, or one of many
 * that share the double) is compared by its decimal text, all others by value.
 */
function compareNumbers(pattern: string, event: string): number {
  if (isExactNumber(pattern)) return compareDecimals(pattern, event);
  const [one, other] = [Number(pattern), Number(event)];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Another decimal than its double's, or one of several that share the double. */
function isExactNumber(text: string): boolean {
  const value = Number(text);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER || compareDecimals(text, String(value)) !== 0) return true;
  const digits = decimal(text).digits.toString().replace(/^-/, '').replace(/0+$/, '');
  return digits.length > 15 && !Number.isSafeInteger(value);
}

function compareDecimals(one: string, other: string): number {
  const [a, b] = [decimal(one), decimal(other)];
  const exponent = a.exponent < b.exponent ? a.exponent : b.exponent;
  const [x, y] = [a.digits * 10n ** (a.exponent - exponent), b.digits * 10n ** (b.exponent - exponent)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function decimal(text: string): { readonly digits: bigint; readonly exponent: bigint } {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return {
    digits: BigInt(whole.replace('-', '') + fraction) * (text.startsWith('-') ? -1n : 1n),
    exponent: BigInt(exponent) - BigInt(fraction.length),
  };
}

/**
 * Compares the hexadecimal digits of the address with those of the block's lowest and highest, from the left, until the verdict is
 * clear; which kind of address it is plays no part in AWS's engine.
 */
function isInBlock(block: string, value: string): boolean {
  const [network = '', bits = ''] = block.split('/');
  const [base, address] = [addressOf(network), addressOf(value)];
  if (base === undefined || address === undefined) return false;
  const fixed = base.slice(0, Number(bits));
  const [low, high] = [hexadecimal(fixed.padEnd(base.length, '0')), hexadecimal(fixed.padEnd(base.length, '1'))];
  let [isAtLow, isAtHigh] = [true, true];
  for (let at = 0; at < low.length && (isAtLow || isAtHigh); at++) {
    const digit = hexadecimal(address)[at];
    const [lowest = '', highest = ''] = [low[at], high[at]];
    if (digit === undefined || (isAtLow && digit < lowest) || (isAtHigh && digit > highest)) return false;
    isAtLow &&= digit === lowest;
    isAtHigh &&= digit === highest;
  }
  return true;
}

/** A literal that is an IP address means the address, however it is written. */
function isSameAddress(literal: string, value: string): boolean {
  return isInBlock(`${literal}/${addressOf(literal)?.length ?? 0}`, value);
}

function hexadecimal(bits: string): string {
  return bits.replace(/.{4}/g, (four) => Number.parseInt(four, 2).toString(16));
}

/** An IP address as a text of 32 or 128 zeros and ones. An IPv4 address in an IPv6 one (`::ffff:a00:1`) counts as IPv4. */
function addressOf(text: string): string | undefined {
  if (/^[0-9]+(\.[0-9]+){3}$/.test(text)) {
    const bytes = text.split('.').map(Number);
    return bytes.every((byte) => byte <= 255) && text.length <= 15 ? binary(bytes, 8) : undefined;
  }
  if (!/^[0-9a-fA-F:]+$/.test(text) || !text.includes(':')) return undefined;
  const halves = text.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const [head = [], tail = []] = halves;
  const missing = 8 - head.length - tail.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const bits = binary(
    groups.map((group) => Number.parseInt(group, 16)),
    16,
  );
  return bits.startsWith('0'.repeat(80) + '1'.repeat(16)) ? bits.slice(96) : bits;
}

function binary(numbers: readonly number[], width: number): string {
  return numbers.map((number) => number.toString(2).padStart(width, '0')).join('');
}
