/** Whether a parsed JSON value is an object, not a list and not null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a member of a parsed answer is missing or a text. */
export function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** Whether a member of a parsed answer is missing or an object of the wanted kind. */
export function isAbsentOr(value: unknown, isGood: (value: Record<string, unknown>) => boolean): boolean {
  return value === undefined || (isObject(value) && isGood(value));
}
