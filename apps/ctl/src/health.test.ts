import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TargetServer } from '@wherry/testkit/target-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { health } from './health.ts';
import type { Io } from './io.ts';

let poller: TargetServer;
let folder: string;
beforeEach(async () => {
  [poller, folder] = await Promise.all([TargetServer.start(), mkdtemp(join(tmpdir(), 'wherry-health-'))]);
});
afterEach(() => Promise.all([poller.close(), rm(folder, { recursive: true, force: true })]));

/** Asks for the health that a file (with this `admin.listen`) or a URL names. */
async function ask(options: { readonly listen?: string; readonly url?: string; readonly more?: string }) {
  let output = '';
  const write = (text: string): void => void (output += text);
  const io: Io = { stdout: { write }, stderr: { write }, stdin: {}, env: {} };
  const config = join(folder, 'wherry.yaml');
  await writeFile(config, `version: 1\nadmin: { listen: "${options.listen ?? '127.0.0.1:9401'}" }\n${options.more ?? ''}`);
  const code = await health(io, { config, ...(options.url === undefined ? {} : { url: options.url }) });
  return { code, output };
}

const port = () => new URL(poller.url).port;

test.each([
  [200, 0, 'ready (200'],
  [503, 1, 'not ready (503'],
])('an answer of %i exits %i', async (status, code, text) => {
  poller.answer((_request, response) => response.writeHead(status).end());
  const answer = await ask({ url: poller.url });
  expect(answer.code).toBe(code);
  expect(answer.output).toContain(text);
  expect(poller.requests.map(({ path }) => path)).toEqual(['/readyz']);
});

test.each(['127.0.0.1', '0.0.0.0', '[::]'])('without --url it asks where admin.listen says, on this machine (%s)', async (host) => {
  expect(await ask({ listen: `${host}:${port()}` })).toMatchObject({ code: 0 });
});

test('a file with errors elsewhere does not make its running poller unhealthy', async () => {
  const { code, output } = await ask({ listen: `127.0.0.1:${port()}`, more: 'fleeet: {}\n' });
  expect(code).toBe(0);
  expect(output).toMatch(/has 1 error .*\nready \(200/);
});

test('a URL with a path is asked as it stands', async () => {
  await ask({ url: `${poller.url}/livez` });
  expect(poller.requests.map(({ path }) => path)).toEqual(['/livez']);
});

test('a poller that is not there is not ready, and the reason is told', async () => {
  const { url } = poller;
  await poller.close();
  expect(await ask({ url })).toMatchObject({ code: 1, output: expect.stringMatching(/^not ready \(no answer from .*ECONNREFUSED/) });
});

test('a port that only the poller knows has to be named', async () => {
  await expect(ask({ listen: '127.0.0.1:0' })).rejects.toThrow(/name it with --url/);
});
