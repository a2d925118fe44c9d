import type { AwsSettings } from './mapping.ts';

/** A share in something that is open for one set of settings. */
export interface Share<Connection> {
  readonly connection: Connection;
  /** Gives the share back; the last one closes the connection. Calling it again does nothing. */
  release(): void;
}

/**
 * The connections of one process to one service. Mappings with equal settings share one: an SDK client costs about 100 KB and
 * its own credentials look-up, and a fleet may have thousands of mappings.
 */
export class SharedConnections<Connection extends { close(): void }> {
  readonly #open: (aws: AwsSettings) => Connection;
  readonly #connections = new Map<string, { readonly connection: Connection; shares: number }>();

  constructor(open: (aws: AwsSettings) => Connection) {
    this.#open = open;
  }

  /** A share in the connection for these settings, opened if nobody has it yet. */
  acquire(aws: AwsSettings): Share<Connection> {
    const { region, endpoint, stsEndpoint, profile, assumeRole, maxAttempts } = aws;
    const role = [assumeRole?.roleArn, assumeRole?.externalId, assumeRole?.sessionName];
    const key = JSON.stringify([region, endpoint, stsEndpoint, profile, ...role, maxAttempts]);
    const shared = this.#connections.get(key) ?? { connection: this.#open(aws), shares: 0 };
    this.#connections.set(key, shared);
    shared.shares += 1;
    let isReleased = false;
    return {
      connection: shared.connection,
      release: () => {
        if (isReleased) return;
        isReleased = true;
        shared.shares -= 1;
        if (shared.shares > 0) return;
        this.#connections.delete(key);
        shared.connection.close();
      },
    };
  }
}
