// Where a venue has said that it has no bars: before a listing, in an outage. Kept beside the months of a series, so that it is not asked
// again each time. Derived and deletable: without it the same questions are asked once more.
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { joined, type Span } from './download-ranges.ts';

export const VOIDS_FILE = 'voids.json';

const voidsSchema = z.strictObject({ voids: z.array(z.tuple([z.int(), z.int()])) });

/** None where there is no such file, and none where it cannot be understood: asking again is never wrong. */
export function readVoids(path: string): Span[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  try {
    return voidsSchema.parse(JSON.parse(text)).voids.map(([fromMs, toMs]) => ({ fromMs, toMs }));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return [];
    throw error;
  }
}

/** Whole or not at all. */
export async function writeVoids(path: string, voids: readonly Span[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const text = JSON.stringify({ voids: joined(voids).map(({ fromMs, toMs }) => [fromMs, toMs]) });
  await writeFile(`${path}.partial`, `${text}\n`);
  await rename(`${path}.partial`, path);
}
