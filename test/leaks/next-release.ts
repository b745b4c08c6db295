// Looks up the release that comes next.
import { releases } from './releases.ts';
import { followerOf } from './strategies.ts';

export const strategy = followerOf('next-release', ({ at }) => releases.find(({ happenedAt }) => happenedAt > at)?.value ?? 0);
