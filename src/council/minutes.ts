// The council's words: who said what, how it became a stance, which rules spoke. Composed of a recorded decision when somebody reads it.
import type { DecisionTaken, OpinionNote, PoolNote, RulingNote, SleeveChange } from '../domain/entry.ts';
import type { CouncilSettings } from './council.ts';

export interface MinutesParts {
  /** By sleeve. */
  readonly sleeveNames: readonly string[];
  /** By an opinion's source. */
  readonly sourceNames: readonly string[];
  readonly settings: CouncilSettings;
}

/** One readable paragraph. The same decision gives the same words, to the letter. */
export function minutes(
  { changes, rulings }: Pick<DecisionTaken, 'changes' | 'rulings'>,
  { sleeveNames, sourceNames, settings }: MinutesParts,
): string {
  const sentences: string[] = [];
  for (const change of changes) {
    if (change.pool === undefined) continue;
    sentences.push(`${nameOf(sleeveNames, change.sleeve, 'sleeve')}: ${turn(change, change.pool)}.`);
    for (const opinion of change.opinions) sentences.push(`${nameOf(sourceNames, opinion.source, 'source')} ${saying(opinion)}.`);
    sentences.push(pooling(change.pool, settings));
  }
  for (const ruling of rulings) sentences.push(`Rule ${ruling.rule} ${effect(ruling, sleeveNames)}: ${ruling.why}.`);
  return sentences.join(' ');
}

function turn({ stanceBefore, stance }: SleeveChange, { outcome }: PoolNote): string {
  if (outcome === 'all-abstained' || outcome === 'held') return `holds ${stanceWords(stanceBefore)} and adds nothing`;
  if (stanceBefore === stance) return `stays ${stanceWords(stanceBefore)}`;
  return `from ${stanceWords(stanceBefore)} to ${stanceWords(stance)}`;
}

function saying({ abstained, stance, confidence, because }: OpinionNote): string {
  const reason = because === '' ? '' : `: ${because.replace(/[.\s]+$/, '')}`;
  return abstained ? `abstained${reason}` : `said ${stanceWords(stance)} with confidence ${confidence.toFixed(2)}${reason}`;
}

function pooling({ outcome, agreeing, voices, agreement }: PoolNote, settings: CouncilSettings): string {
  switch (outcome) {
    case 'single':
      return 'Its one source decides.';
    case 'pooled': {
      if (voices > 1 && agreeing === 0) return `No side prevails among ${voices} who spoke, so it is neutral.`;
      const shrunk = agreement < 1 ? `; disagreement leaves ${Math.round(agreement * 100)} % of the stance` : '';
      return `${agreeing} of ${voices} who spoke agree${shrunk}.`;
    }
    case 'all-abstained':
      return 'Nobody spoke, so what is held stays and nothing is added.';
    case 'no-consensus':
      return `Only ${agreeing} of ${voices} who spoke agree and ${settings.minimumConsensus} are needed, so it is neutral.`;
    case 'expired':
      return 'Nobody stands by a forecast any longer, so it is flat.';
    case 'held':
      return `The position is younger than its minimum holding time of ${settings.minimumHoldMs} ms, so it stays.`;
    case 'cooldown':
      return `The cooldown of ${settings.cooldownMs} ms after closing is not over, so it is flat.`;
  }
}

function effect({ kind, scales }: RulingNote, sleeveNames: readonly string[]): string {
  if (kind === 'halt') return 'halted everything';
  const parts: string[] = [];
  scales.forEach((scale, position) => {
    if (scale === 1) return;
    const name = nameOf(sleeveNames, position, 'sleeve');
    parts.push(scale === 0 ? `allowed nothing to ${name}` : `scaled ${name} to ${Math.round(scale * 1000) / 10} %`);
  });
  return parts.join(' and ');
}

/** `long 0.75`, `short 1.00`, `flat`. */
function stanceWords(stance: number): string {
  if (stance === 0) return 'flat';
  return `${stance > 0 ? 'long' : 'short'} ${Math.abs(stance).toFixed(2)}`;
}

function nameOf(names: readonly string[], index: number, noun: string): string {
  return names[index] ?? `${noun} ${index}`;
}
