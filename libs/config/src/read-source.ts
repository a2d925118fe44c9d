import { type Buffer, isUtf8 } from 'node:buffer';
import type { ConfigInputs } from './inputs.ts';
import type { ProblemList } from './problem-list.ts';
import { SourceText } from './source-text.ts';

/** Largest configuration file. The parser needs some seconds for this much; a fleet of 10,000 mappings needs half of it. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Reads one configuration file: at most `MAX_FILE_BYTES`, valid UTF-8, with or without a byte order mark.
 *
 * @param path where the file is; `name` is what messages call it
 * @returns undefined after having reported what was wrong
 */
export async function readSource(path: string, name: string, inputs: ConfigInputs, problems: ProblemList): Promise<SourceText | undefined> {
  let bytes: Buffer;
  try {
    bytes = await inputs.read(path, MAX_FILE_BYTES);
  } catch (error) {
    problems.fileError(name, 'unreadable', `cannot read ${name}: ${reasonOf(error)}`, helpFor(error));
    return undefined;
  }
  if (bytes.length > MAX_FILE_BYTES) {
    problems.fileError(name, 'file-too-large', `${name} is larger than 4 MiB`, 'split it with include:');
    return undefined;
  }
  if (isUtf8(bytes)) return new SourceText(name, bytes.toString('utf8').replace(/^\uFEFF/, ''));
  const file = new SourceText(name, bytes.toString('utf8').replace(/^\uFEFF/, ''));
  const start = firstInvalid(bytes);
  problems.add('error', { file, start, end: start + 1 }, '', 'bad-encoding', 'the file is not valid UTF-8 here', {
    help: 'save it as UTF-8',
  });
  return undefined;
}

/** What the operating system said, in words, with its code. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Record<string, string> = {
    ENOENT: 'no such file',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    ELOOP: 'too many symbolic links',
  };
  return code === '' ? String(error) : `${words[code] ?? 'reading failed'} (${code})`;
}

function helpFor(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ENOENT') return 'check the path, or write a first file with: wherry init';
  return code === 'EISDIR' ? 'name a file, or under include: a pattern such as conf.d/*.yaml' : undefined;
}

/** Offset, in decoded characters, of the first byte sequence that is not UTF-8. */
function firstInvalid(bytes: Buffer): number {
  let low = 0;
  let high = bytes.length;
  // A prefix may end inside a character, so the search can go up to three bytes too far; they are taken back below.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (validPrefix(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  while (low > 0 && !isUtf8(bytes.subarray(0, low))) low -= 1;
  return bytes
    .subarray(0, low)
    .toString('utf8')
    .replace(/^\uFEFF/, '').length;
}

/** Valid but for a character that the cut may have halved. */
function validPrefix(bytes: Buffer): boolean {
  for (let missing = 0; missing < 4 && missing <= bytes.length; missing++) {
    if (isUtf8(bytes.subarray(0, bytes.length - missing))) return true;
  }
  return false;
}
