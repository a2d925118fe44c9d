/** An SDK client that exists from the first call on. */
export class LazyClient<Client extends { destroy(): void }> {
  readonly #open: () => Promise<Client>;
  #opened: Promise<Client> | undefined;

  /** @param open makes the client; the place to load the SDK's code for the service. What fails is asked for again by the next call. */
  constructor(open: () => Promise<Client>) {
    this.#open = open;
  }

  get(): Promise<Client> {
    if (this.#opened === undefined) {
      const opened = this.#open();
      this.#opened = opened;
      opened.catch(() => {
        if (this.#opened === opened) this.#opened = undefined;
      });
    }
    return this.#opened;
  }

  close(): void {
    this.#opened?.then(
      (client) => client.destroy(),
      // It was never opened, and whoever asked for it has been told.
      () => {},
    );
  }
}
