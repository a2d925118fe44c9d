import { fileURLToPath } from 'node:url';

/** Absolute path of something in this repository, given relative to its top folder with forward slashes. */
export function repositoryPath(relative: string): string {
  return fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
}
