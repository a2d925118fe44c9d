import type { Dispatcher } from 'undici';
import { AddressRefusedError } from './address-guard.ts';
import { ByteCollector } from './byte-collector.ts';

/** Lambda's limit of a response: 6 MiB and 100 bytes, as its runtime states it in `Function.ResponseSizeTooLarge`. */
export const MAX_RESPONSE_BYTES = 6_291_556;

/** What an answer may be longer before it is cut off, so that a target's own message about the limit still gets through [I]. */
const RESPONSE_HEADROOM_BYTES = 1_024;

/** Names in lower case; a header that came several times is a list. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A complete answer, whatever its status. */
export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
}

/**
 * What came of one POST. `sent` tells whether the request was begun on a live connection: where it was not, nothing can have
 * run at the other end.
 */
export type HttpOutcome =
  | HttpAnswer
  /** The answer began and went over the limit; it was cut off. */
  | { readonly kind: 'responseTooLarge'; readonly status: number }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'aborted'; readonly sent: boolean }
  /** Not sent, and sending it again as it is would be refused again: a forbidden address, a header that cannot be written. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly sent: boolean };

/** First value of a header, or undefined. */
export function headerOf(headers: HttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'object' ? value[0] : value;
}

/** One request and its answer, as undici reports them. `outcome` settles exactly once and never rejects. */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<HttpOutcome>;
  readonly #host: string;
  readonly #deadlineMs: number;
  readonly #body = new ByteCollector();
  #settle: (outcome: HttpOutcome) => void = () => {};
  #settled = false;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: HttpHeaders = {};

  /** `host` is for messages. */
  constructor(host: string, deadlineMs: number) {
    this.#host = host;
    this.#deadlineMs = deadlineMs;
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** The deadline is over. */
  expire(): void {
    // Without a connection the function cannot have run: that is the service's fault, not a timeout of the function.
    const reason = `no connection to ${this.#host} within ${this.#deadlineMs} ms`;
    this.#giveUp(this.#controller === undefined ? { kind: 'failed', reason, sent: false } : { kind: 'timedOut' });
  }

  /** The caller no longer wants an answer. */
  abort(): void {
    this.#giveUp({ kind: 'aborted', sent: this.#controller !== undefined });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while the connection was being made: undici has no way to take a request back before this moment.
    if (this.#settled) controller.abort(new Error('given up'));
    else this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: HttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (Number(headerOf(headers, 'content-length')) > MAX_RESPONSE_BYTES + RESPONSE_HEADROOM_BYTES) this.#cutOff();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    if (this.#body.length + chunk.length > MAX_RESPONSE_BYTES + RESPONSE_HEADROOM_BYTES) this.#cutOff();
    else this.#body.add(chunk);
  }

  onResponseEnd(): void {
    this.#finish({ kind: 'answer', status: this.#status, headers: this.#headers, body: this.#body.take() });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const code = codeOf(error);
    if (error instanceof AddressRefusedError) this.#finish({ kind: 'refused', reason: error.message });
    else if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') this.#finish({ kind: 'refused', reason: error.message });
    // The function ran and its answer can never be taken: the same as a body over the limit.
    else if (code === 'UND_ERR_HEADERS_OVERFLOW') this.#finish({ kind: 'responseTooLarge', status: this.#status });
    else this.#finish({ kind: 'failed', reason: this.#failureReason(code, error), sent: this.#controller !== undefined });
  }

  #failureReason(code: string, error: Error): string {
    const known = FAILURES[code];
    if (known !== undefined) return `${known} (${this.#host})`;
    if (this.#controller === undefined) return `cannot connect to ${this.#host}: ${code === '' ? error.message : code}`;
    const lost = this.#status === 0 ? 'connection lost before the answer' : 'answer was cut off';
    return `${lost} (${this.#host}, ${code === '' ? error.message : code})`;
  }

  #cutOff(): void {
    this.#giveUp({ kind: 'responseTooLarge', status: this.#status });
  }

  #giveUp(outcome: HttpOutcome): void {
    if (this.#settled) return;
    this.#finish(outcome);
    this.#controller?.abort(new Error('given up'));
  }

  #finish(outcome: HttpOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(outcome);
  }
}

/** What people should read for the commonest error codes of sockets, resolvers and undici. */
const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'name server does not answer',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'connecting took too long',
};

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
