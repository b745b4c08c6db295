// Joins the last release by when it was measured: hours before anybody could read it.
import { releases } from './releases.ts';
import { followerOf } from './strategies.ts';

export const strategy = followerOf('as-of-join', ({ at }) => releases.findLast(({ happenedAt }) => happenedAt <= at)?.value ?? 0);
