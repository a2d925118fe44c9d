import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { backendEnvironment, startBackend, type Backend } from './backend-process.ts';
import { freePort } from './redis-server.ts';

const require = createRequire(import.meta.url);

/** How long streams and shards take to change; AWS takes up to minutes, the emulator half a second of its own accord. */
const CHANGE_DURATION = '20ms';

/**
 * Starts kinesis-local, a Kinesis emulator from npm: resharding with parents and child shards, paging, every kind of iterator.
 * It never throttles and lets no iterator expire; a fault proxy has to.
 */
export async function startKinesisLocal(): Promise<Backend> {
  const main = require.resolve('kinesis-local/main.js');
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  const changes = ['CREATE_STREAM', 'DELETE_STREAM', 'SPLIT_SHARD', 'MERGE_SHARDS', 'UPDATE_SHARD_COUNT', 'REGISTER_STREAM_CONSUMER'];
  return await startBackend({
    name: 'kinesis-local',
    command: process.execPath,
    args: [main],
    env: backendEnvironment({
      KINESIS_MOCK_PLAIN_PORT: String(port),
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      // Otherwise it looks for the file in the working directory.
      KINESIS_MOCK_CERT_PATH: join(dirname(main), 'server.json'),
      LOG_LEVEL: 'ERROR',
      SHARD_LIMIT: '1000',
      ...Object.fromEntries(changes.map((change) => [`${change}_DURATION`, CHANGE_DURATION])),
    }),
    ready: (output) => output.answers(`http://127.0.0.1:${port}`, '/healthcheck'),
  });
}
