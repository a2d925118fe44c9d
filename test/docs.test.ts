import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatProblems } from '@wherry/config/format';
import { loadConfig } from '@wherry/config/load';
import { afterAll, expect, test } from 'vitest';

/*
 * Examples must not rot: every ```yaml block of every Markdown file has to be a whole configuration that is valid. A block that
 * shows only a part says so behind the language, ```yaml fragment, and YAML that is no configuration of ours (a compose file)
 * carries another word there.
 */

const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'wherry-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A fenced block of a Markdown text. */
interface Block {
  /** Line of the text's first line, counted from 1. */
  readonly line: number;
  /** What stands behind the three backticks. */
  readonly info: string;
  readonly text: string;
}

/** The fenced blocks of a Markdown text; fences may be indented, as inside lists, and have more than three backticks or tildes. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; indent: number; info: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    const [, indent = '', fence = '', info = ''] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (fence !== '') open = { fence, indent: indent.length, info: info.trim(), line: index + 2, lines: [] };
    } else if (fence.startsWith(open.fence) && info.trim() === '') {
      blocks.push({ line: open.line, info: open.info, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else {
      open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    }
  }
  return blocks;
}

function isExample({ info }: Block): boolean {
  return /^ya?ml$/i.test(info);
}

/** What is wrong with an example; empty when it is a whole valid file. Variables without default count as set. */
async function faultsOf({ text }: Block, place: string): Promise<string> {
  const names = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name = '']) => [name, 'x']);
  const file = join(folder, 'block.yaml');
  writeFileSync(file, text);
  const result = await loadConfig({ file, env: Object.fromEntries(names) });
  if (result.ok) return '';
  return [
    `${place}: this example is not a valid configuration.`,
    'Make it a whole file that wherry validate accepts, or write ```yaml fragment if it shows only a part.',
    formatProblems(result.problems, 'text', place),
  ].join('\n\n');
}

const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
});
const examples = listed
  .split('\0')
  .filter((file) => file !== '')
  .flatMap((file) => blocksOf(readFileSync(join(root, file), 'utf8')).map((block) => ({ place: `${file}:${block.line}`, block })))
  .filter(({ block }) => isExample(block));

test.each([...examples, { place: 'the smallest file', block: { line: 1, info: 'yaml', text: 'version: 1\n' } }])(
  'the YAML at $place is a valid configuration',
  async ({ block, place }) => {
    expect(await faultsOf(block, place)).toBe('');
  },
);

test('a faulty example is found and told apart from fragments', async () => {
  const markdown = [
    'Text',
    '',
    '```yaml',
    'version: 2',
    '```',
    '',
    '1. in a list',
    '   ```yaml fragment',
    '   a: b',
    '   ```',
    '',
    '````md',
    '```yaml',
    '````',
    '',
  ].join('\n');
  const blocks = blocksOf(markdown);
  expect(blocks.map(({ info, line, text }) => [info, line, text])).toEqual([
    ['yaml', 4, 'version: 2\n'],
    ['yaml fragment', 9, 'a: b\n'],
    ['md', 13, '```yaml\n'],
  ]);
  expect(blocks.map(isExample)).toEqual([true, false, false]);
  const fault = await faultsOf(blocks[0] as Block, 'README.md:4');
  expect(fault).toContain('README.md:4: this example is not a valid configuration.');
  expect(fault).toContain('expected 1, got 2');
});
