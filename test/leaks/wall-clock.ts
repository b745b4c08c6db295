// A seed of the wall clock: no two runs are one.
import { followerOf } from './strategies.ts';

const seed = Math.floor(Date.now() / 1_000);

export const strategy = followerOf('wall-clock', ({ at, close }) => close * (1 + 0.01 * Math.sin(at * seed)));
