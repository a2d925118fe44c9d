import { TargetServer, type AnswerRequest } from '@wherry/testkit/target-server';
import { expect, onTestFinished } from 'vitest';
import { toStreamError } from '../src/streams/errors.ts';
import type { StreamCalls } from '../src/streams/stream-calls.ts';

/** A server that answers as the test tells it to, until the test has ended. */
export async function serve(): Promise<TargetServer> {
  const server = await TargetServer.start();
  onTestFinished(() => server.close());
  return server;
}

/** Makes answers of one version of AWS's JSON protocol, such as `1.1`. */
export function answersOf(version: string): {
  readonly json: (status: number, answer: unknown) => AnswerRequest;
  readonly text: (status: number, answer: string) => AnswerRequest;
} {
  const text = (status: number, answer: string): AnswerRequest => {
    return (_request, response) => response.writeHead(status, { 'content-type': `application/x-amz-json-${version}` }).end(answer);
  };
  return { text, json: (status, answer) => text(status, JSON.stringify(answer)) };
}

/** What one read comes to: its page, or its fault. */
function outcome(calls: StreamCalls): Promise<unknown> {
  return calls.getRecords('shardId-0', 'iterator', 10, new AbortController().signal).catch((error: unknown) => {
    const { code, serviceCode } = toStreamError(error, 'GetRecords');
    return { code, serviceCode };
  });
}

/**
 * Expects a read to come to the same whether the SDK makes the call or not, and to be sent once.
 * @param openCalls fresh calls of an endpoint, whose first goes through the SDK
 * @param plain an answer that teaches them to do without
 */
export async function expectSameWithoutSdk(
  openCalls: (endpoint: string) => StreamCalls,
  answer: AnswerRequest,
  plain: AnswerRequest,
): Promise<void> {
  const server = await serve();
  server.answer(answer);
  const whole = await outcome(openCalls(server.url));
  server.answer(plain);
  const calls = openCalls(server.url);
  await outcome(calls);
  const sent = server.requests.length;
  server.answer(answer);
  expect(await outcome(calls)).toEqual(whole);
  expect(server.requests.length).toBe(sent + 1);
  expect(server.requests.at(-1)?.headers).not.toHaveProperty('amz-sdk-invocation-id');
}
