/** A fresh, empty store under test, and the means to let the store's own time pass without waiting for it. */
export interface StoreHarness<Store> {
  readonly store: Store;
  /** Moves the store's clock. A real store's clock also runs by itself, so contracts allow a second of slack. */
  readonly advance: (ms: number) => Promise<void>;
}

/** Makes a new harness for each test; what earlier tests stored is gone. */
export type OpenStore<Store> = () => Promise<StoreHarness<Store>>;
