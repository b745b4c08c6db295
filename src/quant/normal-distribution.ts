// The distribution function of the standard normal. Its inverse is `normalQuantile` in random.ts.
import { portableExp } from './random.ts';

/** Below it the probability is less than the smallest double that is not denormal. */
const LOWEST = -37.5;

/**
 * Probability that a standard normal variable is below `x`, to about 1e-15 relative in the lower tail as well; of the upper tail ask with
 * the sign changed. Cody's rational approximations (1969, Rational Chebyshev approximations for the error function), in the form of his
 * algorithm 715 (1993). The same digits on every engine, as everything in random.ts.
 */
export function normalDistribution(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const size = Math.abs(x);
  if (size <= 0.67448975) return 0.5 + centre(x);
  if (x < LOWEST) return 0;
  if (x > -LOWEST) return 1;
  const beyond = density(size) * (size <= Math.sqrt(32) ? shoulder(size) : tail(size));
  return x < 0 ? beyond : 1 - beyond;
}

function centre(x: number): number {
  const square = x * x;
  const above =
    (((0.06568233791820745 * square + 2.235252035460684) * square + 161.02823106855587) * square + 1067.6894854603709) * square +
    18154.98125334356;
  const below = (((square + 47.202581904688245) * square + 976.0985517377767) * square + 10260.932208618979) * square + 45507.78933502673;
  return (x * above) / below;
}

function shoulder(x: number): number {
  const above =
    (((((((1.0765576773720192e-8 * x + 0.39894151208813466) * x + 8.883149794388377) * x + 93.50665613217785) * x + 597.2702763948002) * x +
      2494.5375852903726) *
      x +
      6848.190450536283) *
      x +
      11602.65143764735) *
      x +
    9842.714838383978;
  const below =
    (((((((x + 22.266688044328117) * x + 235.387901782625) * x + 1519.3775994075547) * x + 6485.558298266761) * x + 18615.571640885097) *
      x +
      34900.95272114598) *
      x +
      38912.00328609327) *
      x +
    19685.429676859992;
  return above / below;
}

function tail(x: number): number {
  const inverse = 1 / (x * x);
  const above =
    ((((0.02307344176494017 * inverse + 0.215898534057957) * inverse + 0.12740116116024736) * inverse + 0.02223527787064981) * inverse +
      0.0014216191932278934) *
      inverse +
    0.000029112874951168793;
  const below =
    ((((inverse + 1.284260096144911) * inverse + 0.4682382124808651) * inverse + 0.06598813786892856) * inverse + 0.0037823963320275824) *
      inverse +
    0.0000729751555083966;
  return (ROOT - (inverse * above) / below) / x;
}

/** 1 / sqrt(2 pi). */
const ROOT = 0.3989422804014327;

/** e^(-x^2 / 2): the square is split at a sixteenth, so that its rounding does not grow in the exponent. */
function density(x: number): number {
  const coarse = Math.trunc(x * 16) / 16;
  return portableExp(-coarse * coarse * 0.5) * portableExp(-(x - coarse) * (x + coarse) * 0.5);
}
