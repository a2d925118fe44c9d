/**
 * A function for the Runtime Interface Emulator: a minimal client of the Runtime API, so that no runtime has to be built.
 * The event says what it does:
 *
 * - `{"do":"fail"}` fails as a handler that throws.
 * - `{"do":"hang"}` never answers.
 * - `{"do":"exit"}` ends the process.
 * - Everything else is answered with the event, the request id, the client context and the times at which the invocation
 *   began and ended; `waitMs` puts off the end.
 *
 * See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
 */
import { setTimeout as wait } from 'node:timers/promises';

const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;

for (;;) {
  const next = await fetch(`${base}/next`);
  const requestId = next.headers.get('lambda-runtime-aws-request-id');
  const event = await next.json();
  const beganAtMs = Date.now();
  const answer = async (path, body) => {
    const response = await fetch(`${base}/${requestId}/${path}`, { method: 'POST', body: JSON.stringify(body) });
    await response.arrayBuffer();
  };
  if (event.do === 'exit') process.exit(1);
  else if (event.do === 'hang') await wait(3_600_000);
  else if (event.do === 'fail') await answer('error', { errorMessage: 'boom', errorType: 'OrderError', trace: [] });
  else {
    if (event.waitMs !== undefined) await wait(event.waitMs);
    const clientContext = JSON.parse(next.headers.get('lambda-runtime-client-context') ?? 'null');
    await answer('response', { event, requestId, clientContext, beganAtMs, endedAtMs: Date.now() });
  }
}
