import { rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../test-data/load-text.ts';
import { loadConfig } from './load.ts';

const MAIN = [
  'version: 1',
  'include: [conf.d/*.yaml]',
  'redis: { url: "redis://127.0.0.1:6379", password: "${file:password}" }',
  'functions: { orders: { target: { http: { url: "http://127.0.0.1:9000/orders" } } } }',
  '',
].join('\n');
const INCLUDED = 'mappings: { a: { EventSourceArn: "arn:aws:sqs:us-east-1:000000000000:a", FunctionName: orders } }\n';

/** A whole configuration in a folder, as Kubernetes mounts it: behind a symlink that is swapped as a whole. */
async function setup(main = MAIN) {
  const folder = folderWith({ 'v1/wherry.yaml': main, 'v1/conf.d/a.yaml': INCLUDED, 'v1/password': 'one\n' });
  await symlink('v1', join(folder, 'now'));
  const result = await loadConfig({ file: join(folder, 'now', 'wherry.yaml'), env: {} });
  return { folder, isGood: result.ok, inputs: result.inputs, path: (name: string) => join(folder, 'v1', name) };
}

describe('what a configuration was read from', () => {
  it('has not changed while the contents are the same, even if a file was written or touched', async () => {
    const { inputs, isGood, path } = await setup();
    expect([isGood, await inputs.haveChanged()]).toEqual([true, false]);
    await writeFile(path('wherry.yaml'), MAIN);
    await utimes(path('password'), new Date(), new Date());
    await writeFile(path('conf.d/notes.txt'), 'not included');
    expect(await inputs.haveChanged()).toBe(false);
  });

  it.each<[what: string, change: (at: { folder: string; path: (name: string) => string }) => Promise<void>]>([
    ['the main file', ({ path }) => writeFile(path('wherry.yaml'), `${MAIN}# more\n`)],
    ['an included file', ({ path }) => writeFile(path('conf.d/a.yaml'), 'mappings: {}\n')],
    ['a new file that an include pattern finds', ({ path }) => writeFile(path('conf.d/b.yaml'), 'mappings: {}\n')],
    ['an included file that is gone', ({ path }) => rm(path('conf.d/a.yaml'))],
    ['a secret', ({ path }) => writeFile(path('password'), 'two\n')],
    ['a secret that is gone', ({ path }) => rm(path('password'))],
    [
      'the folder behind a symlink',
      async ({ folder }) => {
        const next = folderWith({ 'wherry.yaml': MAIN, 'conf.d/a.yaml': INCLUDED, password: 'two\n' });
        await symlink(next, join(folder, 'next'));
        await rename(join(folder, 'next'), join(folder, 'now'));
      },
    ],
  ])('has changed with %s', async (_, change) => {
    const { folder, inputs, path } = await setup();
    await change({ folder, path });
    expect(await inputs.haveChanged()).toBe(true);
  });

  it('is known of a faulty configuration too, with what was missing', async () => {
    const { inputs, isGood, path } = await setup(MAIN.replace('file:password', 'file:secret'));
    expect([isGood, await inputs.haveChanged()]).toEqual([false, false]);
    await writeFile(path('secret'), 'x');
    expect(await inputs.haveChanged()).toBe(true);
  });

  it('is known of a file that was too large, or is not there', async () => {
    const folder = folderWith({ 'large.yaml': Buffer.alloc(5 * 1024 * 1024, '#') });
    for (const name of ['large.yaml', 'nowhere.yaml']) {
      const { ok, inputs } = await loadConfig({ file: join(folder, name), env: {} });
      expect([ok, await inputs.haveChanged()]).toEqual([false, false]);
      await writeFile(join(folder, name), 'version: 1\n');
      expect(await inputs.haveChanged()).toBe(true);
    }
  });
});
