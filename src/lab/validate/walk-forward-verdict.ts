// A walk-forward in plain words: what was left of the choice once it had to be made beforehand.
import { counted, percent } from '../../domain/words.ts';
import { orUnknown, plain } from '../../views/text.ts';
import type { CombinatorialChoice } from './combinatorial-choice.ts';
import type { DeflatedSharpe } from './sharpe-ratio.ts';
import { CONFIDENCE } from './validation-verdict.ts';
import type { WalkForward } from './walk-forward.ts';

export interface WalkForwardFacts extends WalkForward {
  readonly objective: string;
  readonly whole: {
    readonly deflatedSharpe: DeflatedSharpe | null;
    readonly trials: { readonly count: number };
    readonly overfitting: { readonly probability: number; readonly lossProbability: number } | null;
    readonly superiorAbility: number | null;
    readonly combinatorial: CombinatorialChoice | null;
  };
}

/** The edge first, then what it kept of what was promised, then the choice itself. */
export function walkForwardVerdict({ folds, outOfSample, objective, whole }: WalkForwardFacts): string[] {
  const { promised, kept, efficiency, changes, foldsWon, foldsAheadOfHolding, totalReturn, holdReturn } = outOfSample;
  const words = [edgeWords(outOfSample)];
  words.push(
    `it gained in ${foldsWon} of ${counted(folds.length, 'test')} and beat holding in ${foldsAheadOfHolding}; over all of them holding returned ${percent(holdReturn)}, this ${percent(totalReturn)}`,
  );
  if (promised !== null && kept !== null) {
    // A share of next to nothing, or of a gain that became a loss, says nothing.
    const share = efficiency !== null && efficiency >= 0 && efficiency <= 1 ? `, ${percent(efficiency)} of it` : '';
    words.push(`the windows promised a ${objective} of ${plain(promised)} in the mean, the tests had ${plain(kept)}${share}`);
  }
  if (folds.length > 1) words.push(`from one window to the next the choice changed ${changes} of ${folds.length - 1} times`);
  const { deflatedSharpe, overfitting, superiorAbility, combinatorial, trials } = whole;
  if (deflatedSharpe !== null) {
    const isBelieved = deflatedSharpe.probability >= CONFIDENCE;
    words.push(
      `the best with hindsight is ${isBelieved ? '' : 'not '}told from the best of ${counted(trials.count, 'worthless trial')}: deflated Sharpe ${percent(deflatedSharpe.probability)}${superiorAbility === null ? '' : `, SPA ${percent(superiorAbility)}`}`,
    );
  }
  if (overfitting !== null) {
    words.push(
      `chosen on one half of history, the best is in the worse half of the other in ${percent(overfitting.probability)} of the cases (PBO), and loses in ${percent(overfitting.lossProbability)}`,
    );
  }
  if (combinatorial !== null) {
    words.push(
      `over ${combinatorial.sharpes.length} combinatorial paths the Sharpe ratio is ${orUnknown(combinatorial.sharpes[0] ?? null, plain)} to ${orUnknown(combinatorial.sharpes.at(-1) ?? null, plain)}, ${plain(combinatorial.median)} in the middle`,
    );
  }
  return words;
}

function edgeWords({
  totalReturn,
  holdReturn,
  trades,
  probabilisticSharpe,
  sharpe,
  returns,
  minimumTrackRecord,
}: WalkForward['outOfSample']): string {
  if (trades === 0) return 'Nothing to judge: nothing was traded out of sample.';
  if (totalReturn <= 0) return `No edge after costs out of sample: the tests together returned ${percent(totalReturn)}.`;
  if (probabilisticSharpe === null || sharpe === null)
    return `It gained ${percent(totalReturn)} out of sample, in too few returns to say more.`;
  const record = minimumTrackRecord === null ? '' : `, on ${returns} returns where it takes ${Math.ceil(minimumTrackRecord)}`;
  const gain = `${percent(totalReturn)}${totalReturn < holdReturn ? ', less than holding,' : ''}`;
  if (probabilisticSharpe < CONFIDENCE) {
    return `No edge after costs out of sample that can be told from luck: it gained ${gain} and its Sharpe ratio of ${plain(sharpe)} is above 0 with ${percent(probabilisticSharpe)}${record}.`;
  }
  return `It gained ${gain} after costs out of sample, and its Sharpe ratio of ${plain(sharpe)} is above 0 with ${percent(probabilisticSharpe)}${record}.`;
}
