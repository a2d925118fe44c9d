import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * How connections are treated, old and new ones alike.
 *
 * - `pass`: bytes flow both ways.
 * - `blackHole`: connections are accepted and kept, no byte gets through in either direction.
 * - `reset`: every connection is cut with a TCP reset, new ones as soon as they are accepted.
 * - `refuse`: open connections are cut and new ones meet a closed port.
 */
export type TcpMode = 'pass' | 'blackHole' | 'reset' | 'refuse';

/** A byte-level proxy in the test process, for protocols that are not HTTP: Redis above all. */
export interface TcpFaultProxy {
  readonly port: number;
  /** Bytes held back by `blackHole` are delivered on `pass`, as a healed network would deliver them. */
  setMode(mode: TcpMode): Promise<void>;
  /** Delays every chunk from the backend by `ms`; 0 turns it off. Order is kept. */
  setDelay(ms: number): void;
  /** Lets the next answer of the backend vanish and cuts its connection: the command was done, nobody learns of it. */
  dropNextReply(): void;
  /** Connections accepted so far. */
  connections(): number;
  close(): Promise<void>;
}

interface Faults {
  mode: TcpMode;
  delayMs: number;
  dropsReply: boolean;
}

/** Starts a proxy on a free loopback port in front of a port of 127.0.0.1. */
export async function startTcpFaultProxy(backendPort: number): Promise<TcpFaultProxy> {
  const faults: Faults = { mode: 'pass', delayMs: 0, dropsReply: false };
  const pairs = new Set<Pair>();
  let accepted = 0;

  const accept = (client: Socket): void => {
    accepted += 1;
    if (faults.mode === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, connect(backendPort, '127.0.0.1'), faults);
    pairs.add(pair);
    client.once('close', () => pairs.delete(pair));
  };
  let server = await listen(accept, 0);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    setMode: async (mode) => {
      faults.mode = mode;
      if (mode === 'reset' || mode === 'refuse') for (const pair of pairs) pair.cut();
      if (mode === 'refuse' && server.listening) await stopListening(server);
      if (mode !== 'refuse' && !server.listening) server = await listen(accept, port);
      for (const pair of pairs) pair.apply();
    },
    setDelay: (ms) => {
      faults.delayMs = ms;
    },
    dropNextReply: () => {
      faults.dropsReply = true;
    },
    connections: () => accepted,
    close: async () => {
      for (const pair of pairs) pair.cut();
      if (server.listening) await stopListening(server);
    },
  };
}

/** One client's connection and its twin to the backend. */
class Pair {
  readonly #client: Socket;
  readonly #backend: Socket;
  readonly #faults: Faults;
  /** Chunks from the backend leave one behind the other, however the delay changes meanwhile. */
  #lastReply: Promise<void> = Promise.resolve();

  constructor(client: Socket, backend: Socket, faults: Faults) {
    this.#client = client;
    this.#backend = backend;
    this.#faults = faults;
    client.on('data', (chunk: Buffer) => backend.write(chunk));
    backend.on('data', (chunk: Buffer) => this.#reply(chunk));
    for (const [socket, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.once('close', () => other.destroy());
    }
    this.apply();
  }

  /** Reads or stops reading, as the mode says. */
  apply(): void {
    for (const socket of [this.#client, this.#backend]) {
      if (this.#faults.mode === 'pass') socket.resume();
      else socket.pause();
    }
  }

  cut(): void {
    this.#client.resetAndDestroy();
    this.#backend.destroy();
  }

  #reply(chunk: Buffer): void {
    if (this.#faults.dropsReply) {
      this.#faults.dropsReply = false;
      this.cut();
      return;
    }
    const { delayMs } = this.#faults;
    this.#lastReply = this.#lastReply.then(async () => {
      if (delayMs > 0) await once(AbortSignal.timeout(delayMs), 'abort');
      if (!this.#client.destroyed) this.#client.write(chunk);
    });
  }
}

async function listen(accept: (client: Socket) => void, port: number): Promise<Server> {
  const server = createServer(accept);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function stopListening(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
