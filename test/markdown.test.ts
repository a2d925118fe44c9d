import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { formatProblems } from '@wherry/config/format';
import { loadConfig } from '@wherry/config/load';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = new URL('..', import.meta.url).pathname;
const notOurs = /^(node_modules|coverage|\..*)$/;

interface Block {
  /** File and line of the opening fence. */
  readonly place: string;
  readonly text: string;
}

/** Every block fenced as `yaml` in the Markdown files below a folder. Other YAML (a compose file, say) is fenced as `yml`. */
function yamlBlocks(folder: string): Block[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return notOurs.test(entry.name) ? [] : yamlBlocks(path);
    return entry.name.endsWith('.md') ? blocksOf(relative(root, path), readFileSync(path, 'utf8')) : [];
  });
}

function blocksOf(file: string, text: string): Block[] {
  return [...text.matchAll(/^( *)```yaml\b[^\n]*\n([\s\S]*?)^\1```$/gm)].map((match) => ({
    place: `${file}:${text.slice(0, match.index).split('\n').length}`,
    text: (match[2] ?? '').replaceAll(new RegExp(`^${match[1] ?? ''}`, 'gm'), ''),
  }));
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-markdown-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(yamlBlocks(root))('the example at $place is a valid configuration', async ({ text }) => {
  const file = join(folder, 'wherry.yaml');
  writeFileSync(file, text);
  const result = await loadConfig({ file, env: {} });
  expect(result.ok ? '' : formatProblems(result.problems, 'text')).toBe('');
});

test('blocks are found wherever they stand, with their indentation removed', () => {
  const text = 'Text\n\n```yaml\na: 1\n```\n\n- item\n  ```yaml\n  b:\n    c: 1\n  ```\n\n```yml\nd: 1\n```\n';
  expect(blocksOf('x.md', text)).toEqual([
    { place: 'x.md:3', text: 'a: 1\n' },
    { place: 'x.md:8', text: 'b:\n  c: 1\n' },
  ]);
});
