import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TargetServer } from '@wherry/testkit/target-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Io } from './io.ts';
import { runProgram } from './program.ts';

let poller: TargetServer;
let folder: string;
beforeEach(async () => {
  [poller, folder] = await Promise.all([TargetServer.start(), mkdtemp(join(tmpdir(), 'wherry-status-'))]);
  poller.answer(({ headers }, response) => {
    const isKnown = headers.authorization === undefined || headers.authorization === 'Bearer hush';
    response.writeHead(isKnown ? 200 : 401).end(isKnown ? JSON.stringify(report()) : '{}');
  });
});
afterEach(() => Promise.all([poller.close(), rm(folder, { recursive: true, force: true })]));

/** What a poller without mappings says of itself. */
function report(): object {
  const itself = { token: 'p1', version: '0.1.0', configHash: 'abcdef0123', adminUrl: poller.url, draining: false };
  return { fleet: 'billing', poller: 'p1', ready: true, redisUp: true, pollers: [itself], mappings: [] };
}

/** Runs `wherry status` on a file with this text. */
async function status(text: string | undefined, args: readonly string[] = [], env: Io['env'] = {}) {
  const written = { out: '', err: '' };
  const file = join(folder, 'wherry.yaml');
  if (text !== undefined) await writeFile(file, text);
  const stdout = { write: (more: string) => (written.out += more) };
  const stderr = { write: (more: string) => (written.err += more) };
  const code = await runProgram(['status', '--config', file, ...args], { stdout, stderr, stdin: {}, env });
  return { code, ...written };
}

const admin = (more = '') => `admin: { listen: "0.0.0.0:${new URL(poller.url).port}"${more} }\n`;

test('with --url a poller is asked, and no configuration is needed', async () => {
  const { code, out, err } = await status(undefined, ['--url', poller.url]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('wherry · fleet billing · 1 poller · config abcdef (all agree) · redis up');
  expect(JSON.parse((await status(undefined, ['--url', `${poller.url}/`, '--json'])).out)).toMatchObject({ fleet: 'billing' });
});

test('a file with errors still says where its pollers are', async () => {
  const { code, out, err } = await status(`version: 1\n${admin(', auth: { bearer: { tokens: [hush] } }')}fleeet: {}\n`);
  expect(code).toBe(0);
  expect(out).toContain('fleet billing');
  expect(err).toMatch(/wherry\.yaml has 1 error \(wherry validate .* shows them\); asking the poller at http:\/\/127\.0\.0\.1:/);
  expect(poller.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer hush']);
});

test.each([
  ['no file', undefined],
  ['a file that is no YAML', 'version: {'],
  ['a listener that is wrong itself', 'version: 1\nadmin: { listen: 9401 }\n'],
  ['a port that only the poller knows', 'version: 1\nadmin: { listen: "127.0.0.1:0" }\nfleeet: {}\n'],
])('%s: the errors are shown, and how to ask a poller all the same', async (_case, text) => {
  const { code, out, err } = await status(text);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/error: [^]*can be asked without the file: --url http:\/\/HOST:9401\n$/);
});

test('a token comes from the environment, and one that is refused is named', async () => {
  expect((await status(undefined, ['--url', poller.url], { WHERRY_ADMIN_TOKEN: 'hush' })).code).toBe(0);
  const { code, err } = await status(undefined, ['--url', poller.url], { WHERRY_ADMIN_TOKEN: 'wrong' });
  expect(code).toBe(1);
  expect(err).toMatch(/^error: http:.* answered 401: it refuses the bearer token; set WHERRY_ADMIN_TOKEN\n$/);
});

test('a poller that is not there is an error with its reason; an address that is none is bad usage', async () => {
  const { url } = poller;
  await poller.close();
  expect(await status(undefined, ['--url', url])).toMatchObject({ code: 1, err: expect.stringContaining('ECONNREFUSED') });
  expect(await status(undefined, ['--url', 'nowhere'])).toMatchObject({ code: 2, err: expect.stringContaining('expected a URL') });
});
