import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request as the target saw it, read to its end. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly socket: Socket;
}

/** Answers one request; one that is never answered stays open. */
export type AnswerRequest = (request: SeenRequest, response: ServerResponse) => void;

/**
 * A real HTTP server on a free loopback port, in place of whatever runs functions. It remembers every request; what it
 * answers can be changed between requests.
 */
export class TargetServer {
  readonly url: string;
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  #answer: AnswerRequest = (_request, response) => response.end();
  #waiting: ((request: SeenRequest) => void)[] = [];

  constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, response) => {
      void incoming.toArray().then(
        (chunks: Buffer[]) => {
          const { headers, method = '', socket, url = '' } = incoming;
          this.#take({ headers, method, path: url, socket, body: Buffer.concat(chunks) }, response);
        },
        // The caller went away before its request was complete.
        () => {},
      );
    });
  }

  static async start(): Promise<TargetServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TargetServer(server);
  }

  /** What the requests from now on are answered. */
  answer(answer: AnswerRequest): void {
    this.#answer = answer;
  }

  /** The next request to arrive. */
  next(): Promise<SeenRequest> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(request: SeenRequest, response: ServerResponse): void {
    this.requests.push(request);
    this.#answer(request, response);
    for (const resolve of this.#waiting.splice(0)) resolve(request);
  }
}
