import { parseArgs } from 'node:util';
import { buildApp } from 'fauxqs';

/**
 * SQS for the demo and the tests: fauxqs as a process of its own, in memory, on the loopback interface only (its own
 * command listens on every interface). `--port N` chooses the port, by default any free one. Prints one line of JSON when
 * it listens: `{"msg":"listening","url":"http://127.0.0.1:PORT"}`.
 */
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const app = buildApp({ logger: false });

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));

const url = await app.listen({ host: '127.0.0.1', port: Number(values.port) });
process.stdout.write(`${JSON.stringify({ msg: 'listening', url })}\n`);
