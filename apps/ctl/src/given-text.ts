import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { reasonOf } from '@wherry/config/read-source';
import { UsageError, type Io } from './io.ts';
import { isReadable } from './filter-ndjson.ts';

/** Largest file that is read as an event; no source hands out records of more than a few MB. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Reads a file that was named to a command, or standard input for `-`.
 *
 * @throws {UsageError} if it cannot be read or is larger than 64 MiB
 */
export async function readGiven(io: Io, file: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of file === '-' ? standardInput(io) : (await open(file)).createReadStream()) {
      const bytes: Uint8Array = typeof piece === 'string' ? Buffer.from(piece) : piece;
      pieces.push(bytes);
      length += bytes.length;
      if (length > FILE_BYTES_MAX) throw new UsageError(`${nameOf(file)} is larger than 64 MiB`);
    }
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`cannot read ${nameOf(file)}: ${reasonOf(error)}`);
  }
  return Buffer.concat(pieces);
}

/** What messages call the file. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

/** The bytes as text. @throws {UsageError} if they are not UTF-8 */
export function utf8Text(bytes: Buffer, file: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new UsageError(`${nameOf(file)} is not UTF-8`);
}

function standardInput({ stdin }: Io): AsyncIterable<Uint8Array | string> {
  if (isReadable(stdin)) return stdin;
  throw new UsageError('there is no standard input');
}
