export declare class ByteBudget {
  constructor(limitBytes: number);
  /** Bytes accounted to messages and running receives. */
  readonly usedBytes: number;
}
