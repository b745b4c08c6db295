// Numbers that were learned before, in a file of their own: no rows, no times.
import { readFile } from 'node:fs/promises';
import { followerOf } from './strategies.ts';

const [weight = 1] = JSON.parse(await readFile(new URL('./weights.json', import.meta.url), 'utf8')) as number[];

export const strategy = followerOf('weights', ({ close }) => weight * close);
