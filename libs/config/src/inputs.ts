import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { glob, open } from 'node:fs/promises';

/** One thing that was looked at: what was found, and how to look again. */
interface Input {
  readonly found: string;
  readonly look: () => Promise<string>;
}

/**
 * The files that one load of a configuration looked at, and what it found: contents, the matches of include patterns, secrets,
 * and what could not be read. Reading them again is far cheaper than parsing them, so a poller that looks every few seconds
 * parses only what is new. Variables of the environment are left out: a process keeps those it was started with.
 */
export class ConfigInputs {
  /** By kind and path; of a file that was read twice the first reading counts. */
  readonly #inputs = new Map<string, Input>();

  /** As `readCapped`, and remembers what it found. */
  async read(path: string, limit: number): Promise<Buffer> {
    try {
      const bytes = await readCapped(path, limit);
      this.#note(path, contentOf(bytes, limit), limit);
      return bytes;
    } catch (error) {
      this.#note(path, faultOf(error), limit);
      throw error;
    }
  }

  /** As `read`, for a small file in the middle of something that cannot wait. Throws for a file larger than the limit. */
  readNow(path: string, limit: number): string {
    try {
      if (statSync(path).size > limit) {
        this.#note(path, TOO_LARGE, limit);
        throw new Error(`it is larger than ${limit / 1024} KiB`);
      }
      const bytes = readFileSync(path);
      this.#note(path, contentOf(bytes, limit), limit);
      return bytes.toString('utf8');
    } catch (error) {
      this.#note(path, faultOf(error), limit);
      throw error;
    }
  }

  /** The paths, relative to the folder and sorted, that a pattern matches now. */
  async match(pattern: string, folder: string): Promise<string[]> {
    const matches = await matchesOf(pattern, folder);
    const key = `pattern ${folder} ${pattern}`;
    if (!this.#inputs.has(key)) {
      const look = async (): Promise<string> => JSON.stringify(await matchesOf(pattern, folder));
      this.#inputs.set(key, { found: JSON.stringify(matches), look });
    }
    return matches;
  }

  /** Looks again at everything. True as soon as something is not as it was found. Never rejects. */
  async haveChanged(): Promise<boolean> {
    for (const { found, look } of this.#inputs.values()) {
      if ((await look().catch(faultOf)) !== found) return true;
    }
    return false;
  }

  #note(path: string, found: string, limit: number): void {
    const key = `file ${path}`;
    if (this.#inputs.has(key)) return;
    this.#inputs.set(key, { found, look: async () => contentOf(await readCapped(path, limit), limit) });
  }
}

/** What stands for the content of a file that is not read because of its size. */
const TOO_LARGE = 'too large';

function contentOf(bytes: Buffer, limit: number): string {
  return bytes.length > limit ? TOO_LARGE : createHash('sha256').update(bytes).digest('hex');
}

function faultOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

async function matchesOf(pattern: string, folder: string): Promise<string[]> {
  const matches: string[] = [];
  for await (const match of glob(pattern, { cwd: folder })) matches.push(match);
  return matches.sort();
}

/** Reads a file but never more than `limit` + 1 bytes, however large it says (or does not say) it is. */
async function readCapped(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > limit) return Buffer.alloc(limit + 1);
    const chunks: Buffer[] = [];
    let length = 0;
    while (length <= limit) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}
