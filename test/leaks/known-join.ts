// Joins the last release by when it was published: no leak.
import { releases } from './releases.ts';
import { followerOf } from './strategies.ts';

export const strategy = followerOf('known-join', ({ at }) => releases.findLast(({ knownAt }) => knownAt <= at)?.value ?? 0);
