/** Why a text cannot be an event pattern, and where: thrown while one is read, caught by `parsePattern`. */
export class PatternFault extends Error {
  /** Zero-based, in UTF-16 code units: where the token at fault begins. */
  readonly offset: number;
  /** The name of the field it is about, joined by dots; empty where there is none. */
  readonly path: string;

  constructor(reason: string, offset: number, keys: readonly string[] = []) {
    super(reason);
    this.name = 'PatternFault';
    this.offset = offset;
    this.path = keys.join('.');
  }
}
