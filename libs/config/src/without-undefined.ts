/** Leaves out what is undefined, so that optional members are absent. */
export function withoutUndefined<T extends object>(value: { [K in keyof T]: T[K] | undefined } | object): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
