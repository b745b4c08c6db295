// Features alone, one of the catalog and one that is given numbers of the future.
import { ema } from 'ballast';
import { releases } from './releases.ts';
import { given } from './strategies.ts';

export const features = {
  trend: ema(20),
  release: given('release', ({ at }) => releases.findLast(({ happenedAt }) => happenedAt <= at)?.value ?? 0),
};
