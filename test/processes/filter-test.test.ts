import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launcher, wherry } from './wherry-command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-filter-'));
  await writeFile(join(folder, 'event.json'), '{"state":"stopped"}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  ['{"state":["stopped"]}', 0, 'match\n', ''],
  ['{"state":["running"]}', 1, /^no match\n/, ''],
  ['{"state":"running"}', 2, '', /^error: the pattern is not valid: .*\(offset 9\)/s],
])('an event against %s exits %i', async (pattern, code, stdout, stderr) => {
  const result = await wherry(['filter', 'test', '--pattern', pattern, '--event', 'event.json'], { cwd: folder });
  expect(result).toMatchObject({ code });
  expect(result.stdout).toMatch(stdout);
  expect(result.stderr).toMatch(stderr);
});

describe('--ndjson', () => {
  const line = '{"pattern":{"a":[1]},"event":{"a":1}}\n';

  test('answers a line while its input stays open, and exits 0 at its end', async () => {
    const child = spawn(process.execPath, [launcher, 'filter', 'test', '--ndjson'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
    for (const [input, answer] of [
      [line, '{"match":true}'],
      ['{"pattern":{"a":1},"event":{}}\r\n', '{"error":"\\"a\\" must be an object or an array","offset":5}'],
      [line.replace('"a":1}', '"a":2}'), '{"match":false}'],
    ] as const) {
      child.stdin.write(input);
      expect(await answers.next()).toEqual({ done: false, value: answer });
    }
    child.stdin.end(line.trimEnd());
    expect(await answers.next()).toEqual({ done: false, value: '{"match":true}' });
    expect(await closed).toEqual([0, null]);
  });

  test('ends quietly when nobody reads the answers any more', async () => {
    const child = spawn(process.execPath, [launcher, 'filter', 'test', '--ndjson'], { stdio: 'pipe' });
    const closed = once(child, 'close');
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    // The command is gone before it has read everything: so is the reader of this pipe.
    child.stdin.on('error', () => {});
    child.stdin.write(line);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.write(line.repeat(100_000));
    expect(await closed).toEqual([128 + constants.signals.SIGPIPE, null]);
    expect(complaints).toBe('');
  });
});
