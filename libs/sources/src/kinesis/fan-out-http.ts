import { NodeHttp2Handler, type NodeHttpHandler } from '@smithy/node-http-handler';

type Handler = Pick<NodeHttpHandler, 'metadata' | 'handle' | 'destroy' | 'updateHttpClientConfig' | 'httpHandlerConfigs'>;

/** Where HTTP/2 has the name of the host; the SDK signs it in place of `host`. */
const AUTHORITY = ':authority';

/**
 * Sends SubscribeToShard over HTTP/2, as Kinesis wants it, each subscription on a connection of its own, so that a reader that is
 * slow holds up no other; everything else over HTTP/1.1. Without TLS it is an emulator's endpoint, and HTTP/1.1 for all.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SubscribeToShard.html
 */
export class FanOutHttp implements Handler {
  readonly #http1: Handler;
  readonly #http2: NodeHttp2Handler;

  /** @param silenceMs a subscription on which nothing comes for this long is cut */
  constructor(http1: Handler, silenceMs: number) {
    this.#http1 = http1;
    this.#http2 = new NodeHttp2Handler({ disableConcurrentStreams: true, requestTimeout: silenceMs });
  }

  get metadata(): Handler['metadata'] {
    return this.#http1.metadata;
  }

  async handle(...[request, options]: Parameters<Handler['handle']>): ReturnType<Handler['handle']> {
    return await (AUTHORITY in request.headers ? this.#http2 : this.#http1).handle(request, options);
  }

  destroy(): void {
    this.#http1.destroy();
    this.#http2.destroy();
  }

  updateHttpClientConfig(...[key, value]: Parameters<Handler['updateHttpClientConfig']>): void {
    this.#http1.updateHttpClientConfig(key, value);
  }

  httpHandlerConfigs(): ReturnType<Handler['httpHandlerConfigs']> {
    return this.#http1.httpHandlerConfigs();
  }
}

interface Request {
  readonly protocol: string;
  readonly headers: Record<string, string>;
}

/** What `signSubscriptionsForHttp2` asks of a client. */
interface SubscribingClient {
  readonly middlewareStack: {
    addRelativeTo(
      middleware: <Args extends { readonly request: unknown }, Result>(next: (args: Args) => Result) => (args: Args) => Result,
      options: { relation: 'after'; toMiddleware: string; name: string },
    ): void;
  };
}

/** Has the SDK sign SubscribeToShard for HTTP/2, as it does where all calls go that way. */
export function signSubscriptionsForHttp2(client: SubscribingClient): void {
  client.middlewareStack.addRelativeTo(
    (next) => (args) => {
      const { protocol, headers } = args.request as Request;
      if (protocol === 'https:' && headers['x-amz-target']?.endsWith('.SubscribeToShard') === true) {
        headers[AUTHORITY] = headers['host'] ?? '';
        delete headers['host'];
      }
      return next(args);
    },
    { relation: 'after', toMiddleware: 'hostHeaderMiddleware', name: 'subscribeOverHttp2' },
  );
}
