export declare class Semaphore {
  constructor(limit: number);
  readonly inUse: number;
}
