// A folder and those above it, made one by one.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * What `mkdir` with `recursive` is for, which asks for ever where a folder above can be seen but takes no further one (`/proc/x`): there the
 * kernel answers ENOENT, which Node takes for a parent that is missing still.
 * @throws the error of the system for the folder that cannot be made
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it in between.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
