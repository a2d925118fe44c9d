import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';
import { rules, type Files } from './tidy-rules.ts';

const root = new URL('..', import.meta.url).pathname;
const notOurs = /^(node_modules|coverage|\.(?!ci$|github$).*)$/;
const isText = /\.(ts|js|mjs|json|md|ya?ml|lua|sh)$|(^|\/)(\.[a-z]+|Dockerfile|run)$/;

/** Every text file of the repository, as the rules want it. */
function readRepository(): Files {
  const files = new Map<string, string>();
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const name = relative(root, path).split(sep).join('/');
      if (entry.isDirectory() && !notOurs.test(entry.name)) folders.push(path);
      else if (entry.isFile() && isText.test(name)) files.set(name, readFileSync(path, 'utf8'));
    }
  }
  return files;
}

const repository = readRepository();

test.each(Object.entries(rules))('%s', (_sentence, rule) => {
  const findings = rule(repository).map(({ file, line, message }) => `${file}:${line} ${message}`);
  expect(findings).toEqual([]);
});

/** A small repository without a fault, in which each case below plants one. */
const clean: Readonly<Record<string, string>> = {
  'package.json': '{"devDependencies":{"vitest":"1","fast-check":"1"}}',
  'package-lock.json': '{"packages":{"node_modules/@wherry/core":{"resolved": "libs/core"}}}',
  'libs/core/package.json': '{"dependencies":{}}',
  'libs/core/README.md': '# core\n',
  'libs/core/src/batch.ts': "import type { Clock } from './clock.ts';\n\n/** Adds. */\nexport const add = (clock: Clock) => clock;\n",
  'libs/core/src/batch.test.ts':
    "import { test } from 'vitest';\nimport fc from 'fast-check';\ntest('adds', (context) => context.skip('needs a queue'));\n",
  'libs/leases/package.json': '{"dependencies":{"@wherry/core":"1","ioredis":"1"}}',
  'libs/leases/README.md': '# leases\n',
  'libs/leases/src/store.ts':
    "import { Redis } from 'ioredis';\nimport { add } from '@wherry/core/batch';\nimport { join } from 'node:path';\n",
  'libs/leases/src/store.test.ts': "import { SimClock } from '@wherry/testkit/sim-clock';\n",
  'libs/engine/package.json': '{"dependencies":{"@wherry/core":"1"}}',
  'libs/engine/README.md': '# engine\n',
  'apps/poller/package.json': '{"dependencies":{"@wherry/leases":"1"}}',
  'apps/poller/src/main.ts':
    "import { Store } from '@wherry/leases/store';\nprocess.env['HOME'];\nconst file = '/etc/wherry/wherry.yaml';\n",
};

/** The rule, the file that is added or replaced, and its text. */
const faults: readonly (readonly [keyof typeof rules, string, string])[] = [
  ['what is imported is declared, and only along the layers', 'libs/core/src/a.ts', "import { z } from 'zod';"],
  ['what is imported is declared, and only along the layers', 'libs/core/src/a.ts', "import { join } from 'node:path';"],
  ['what is imported is declared, and only along the layers', 'libs/core/src/a.ts', "const zod = await import('zod');"],
  ['what is imported is declared, and only along the layers', 'libs/leases/src/a.ts', "import { x } from '@wherry/engine/fleet';"],
  ['what is imported is declared, and only along the layers', 'libs/leases/src/a.ts', "import {\n  x,\n} from '../../core/src/batch.ts';"],
  ['what is imported is declared, and only along the layers', 'libs/leases/src/a.ts', "import { z } from 'zod';"],
  [
    'what is imported is declared, and only along the layers',
    'libs/leases/src/a.ts',
    "import { SimClock } from '@wherry/testkit/sim-clock';",
  ],
  ['what is imported is declared, and only along the layers', 'libs/leases/src/a.test.ts', "import { x } from '@wherry/engine/fleet';"],
  ['what is imported is declared, and only along the layers', 'apps/poller/src/a.ts', "import { x } from '@wherry/engine/fleet';"],
  ['no lib depends on another lib', 'libs/engine/package.json', '{"dependencies":{"@wherry/core":"1","@wherry/leases":"1"}}'],
  ['core and engine read no clock, no chance and no process', 'libs/core/src/a.ts', 'const at = Date.now();'],
  ['core and engine read no clock, no chance and no process', 'libs/engine/src/a.ts', 'const at = new Date();'],
  ['core and engine read no clock, no chance and no process', 'libs/engine/src/a.ts', 'await new Promise((r) => setTimeout(r, 5));'],
  ['core and engine read no clock, no chance and no process', 'libs/engine/src/a.ts', "import { randomUUID } from 'node:crypto';"],
  ['libs do not touch the process or its environment', 'libs/leases/src/a.ts', "const url = process.env['REDIS_URL'];"],
  ['no file is longer than 400 lines', 'apps/poller/src/a.ts', 'const a = 1;\n'.repeat(401)],
  ['no barrels, no re-exports, no vague names', 'libs/leases/src/index.ts', ''],
  ['no barrels, no re-exports, no vague names', 'libs/leases/src/utils.ts', ''],
  ['no barrels, no re-exports, no vague names', 'libs/leases/src/common/store.ts', ''],
  ['no barrels, no re-exports, no vague names', 'libs/leases/src/a.ts', "export * from './store.ts';"],
  ['no barrels, no re-exports, no vague names', 'libs/leases/src/a.ts', "export { store } from './store.ts';"],
  ['no path of a machine stands in the repository', 'README.md', ['See /ho', 'me/ann/wherry.yaml'].join('')],
  ['no path of a machine stands in the repository', 'libs/leases/src/a.ts', ['// run it in /wo', 'rk/main'].join('')],
  ['every @see is a URL', 'apps/poller/src/a.ts', '/** @see the spec */'],
  ['everything a lib exports has a docstring', 'libs/leases/src/a.ts', 'export async function take() {}'],
  ['everything a lib exports has a docstring', 'libs/leases/src/a.ts', '// Takes.\nexport interface Taken {}'],
  ['no test is singled out or skipped in silence', 'libs/leases/src/a.test.ts', ['test.on', "ly('takes', () => {});"].join('')],
  [
    'no test is singled out or skipped in silence',
    'libs/leases/src/a.test.ts',
    ['describe.sk', "ipIf(!redis)('takes', () => {});"].join(''),
  ],
  [
    'no test is singled out or skipped in silence',
    'libs/leases/src/a.test.ts',
    ['test("takes", (context) => context.sk', 'ip());'].join(''),
  ],
  ['no unfinished work is marked in code', 'libs/leases/src/a.ts', ['// TO', 'DO: renew'].join('')],
  ['the lock file names no registry', 'package-lock.json', '"resolved": "https://registry.example.com/zod-1.tgz"'],
  ['every lib has a short README', 'libs/leases/README.md', 'line\n'.repeat(41)],
  ['every lib has a short README', 'libs/new/package.json', '{}'],
];

test('a repository without faults has no findings', () => {
  const files = new Map(Object.entries(clean));
  expect(Object.values(rules).flatMap((rule) => rule(files))).toEqual([]);
});

test.each(faults)('a planted fault is found: %s (%s)', (sentence, file, text) => {
  const files = new Map(Object.entries({ ...clean, [file]: text }));
  expect(rules[sentence]?.(files)).toMatchObject([{ message: expect.any(String) }]);
});

test('every rule has a planted fault', () => {
  expect(new Set(faults.map(([sentence]) => sentence))).toEqual(new Set(Object.keys(rules)));
});
