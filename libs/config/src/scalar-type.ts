/**
 * The value an unquoted scalar has by YAML 1.2's core schema: null, Boolean, integer, number, else text.
 * `yes`, `on` and dates are text. Numbers in exponent notation that mean an integer (`1e3`) stay text: no setting is written so,
 * and `Timeout: 1e3` is more likely a slip than a wish.
 *
 * @see https://yaml.org/spec/1.2.2/#103-core-schema
 */
export function scalarValue(text: string): string | number | boolean | null {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?[0-9]+$/.test(text)) return Number.parseInt(text, 10);
  if (/^0o[0-7]+$/.test(text)) return Number.parseInt(text.slice(2), 8);
  if (/^0x[0-9a-fA-F]+$/.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) {
    const value = Number.parseFloat(text);
    return /e/i.test(text) && Number.isInteger(value) ? text : value;
  }
  return text;
}

/** Whether an unquoted integer has more digits than a number can hold, such as a 21-digit sequence number. */
export function losesPrecision(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
}
