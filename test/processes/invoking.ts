import { randomUUID } from 'node:crypto';
import type { Delivery, InvokeResult, Invoker } from '@wherry/core/invoke';
import type { FunctionDefinition, Target } from '@wherry/core/mapping';

/** What the invocations of these tests say of themselves. */
export const DELIVERY: Delivery = {
  fleet: 'test',
  mapping: 'orders',
  source: 'arn:aws:sqs:us-east-1:000000000000:orders',
  batch: '0198c1f2-7d3a-7b4e-9c55-0a1b2c3d4e5f',
  attempt: 1,
  records: 1,
  first: 'a',
  last: 'a',
  epoch: 1,
};

/** A function behind `target`. */
export function functionOf(target: Target, timeoutSeconds: number): FunctionDefinition {
  return { name: 'orders', arn: 'arn:aws:lambda:us-east-1:000000000000:function:orders', target, timeoutSeconds };
}

/** Invokes with `event` as JSON and a fresh request id. */
export function invokeWith(invoker: Invoker, fn: FunctionDefinition, event: unknown): Promise<InvokeResult> {
  return invoker.invoke({
    function: fn,
    payload: Buffer.from(JSON.stringify(event)),
    requestId: randomUUID(),
    delivery: DELIVERY,
    signal: new AbortController().signal,
  });
}

/** The JSON that an invocation brought back, whether as an answer or as an error. */
export function bodyOf(result: InvokeResult): unknown {
  return 'body' in result ? JSON.parse(Buffer.from(result.body).toString()) : undefined;
}
