/** Why a text cannot be an event pattern, and where: thrown while one is read, caught by `parsePattern`. */
export class PatternFault extends Error {
  /** Zero-based, in UTF-16 code units: where the token at fault begins. */
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(reason);
    this.name = 'PatternFault';
    this.offset = offset;
  }
}
