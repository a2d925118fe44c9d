import { buildApp } from 'fauxqs';

/**
 * SQS for the demo and the tests: fauxqs as a process of its own, in memory, on the loopback interface only (its own
 * command listens on every interface). Takes the port as its only argument, 0 for any free one, and prints one line of
 * JSON when it listens: `{"msg":"listening","url":"http://127.0.0.1:PORT"}`.
 */
const port = Number(process.argv[2] ?? '0');
const app = buildApp({ logger: false });

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));

const url = await app.listen({ host: '127.0.0.1', port });
process.stdout.write(`${JSON.stringify({ msg: 'listening', url })}\n`);
