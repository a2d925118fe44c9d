import { expect, test } from 'vitest';
import { wherry } from './wherry-command.ts';

/** Prints the URL of every module that was loaded, as the last line of standard error. */
const preload = `
import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
const seen = [];
registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) });
process.on('exit', () => writeSync(2, JSON.stringify(seen) + '\\n'));
`;

/** The npm packages that a command loads, workspaces by their folder. */
async function loadedBy(...args: readonly string[]): Promise<ReadonlySet<string>> {
  const { stderr, code } = await wherry(args, { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` } });
  expect(code).toBe(0);
  const urls = JSON.parse(stderr.trim().split('\n').at(-1) ?? '[]') as string[];
  return new Set(
    urls.flatMap(
      (url) => /(?:.*\/node_modules\/((?:@[^/]+\/)?[^/]+)|\/((?:libs|apps)\/[^/]+))\//.exec(url)?.slice(1).filter(Boolean) ?? [],
    ),
  );
}

test('help loads the command line parser and nothing else', async () => {
  expect(await loadedBy('--help')).toEqual(new Set(['apps/ctl', 'commander']));
});

test('the help of a command loads no more than that', async () => {
  expect(await loadedBy('poller', '--help')).toEqual(new Set(['apps/ctl', 'commander']));
});

test('version loads no client, no schema and no server', async () => {
  const loaded = await loadedBy('version');
  expect(loaded).toEqual(new Set(['apps/ctl', 'apps/poller', 'commander']));
});
