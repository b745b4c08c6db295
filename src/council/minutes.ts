// The council's words: who said what, how it became a stance, which rules spoke. Built only when a decision is recorded.
import type { OpinionNote, RulingNote } from '../domain/entry.ts';
import type { CouncilSettings, Pooled } from './council.ts';

/** One sleeve whose stance has changed. */
export interface SleeveMinutes {
  /** Its place in the decision's targets. */
  readonly position: number;
  readonly stanceBefore: number;
  readonly pooled: Readonly<Pooled>;
  readonly opinions: readonly OpinionNote[];
}

export interface MinutesParts {
  readonly sleeves: readonly SleeveMinutes[];
  readonly rulings: readonly RulingNote[];
  /** By position in the decision's targets. */
  readonly sleeveNames: readonly string[];
  /** By an opinion's source. */
  readonly sourceNames: readonly string[];
  readonly settings: CouncilSettings;
}

/** One readable paragraph. The same parts give the same words, to the letter. */
export function minutes({ sleeves, rulings, sleeveNames, sourceNames, settings }: MinutesParts): string {
  const sentences: string[] = [];
  for (const sleeve of sleeves) {
    sentences.push(`${nameOf(sleeveNames, sleeve.position, 'sleeve')}: ${change(sleeve)}.`);
    for (const opinion of sleeve.opinions) sentences.push(`${nameOf(sourceNames, opinion.source, 'source')} ${saying(opinion)}.`);
    sentences.push(pooling(sleeve.pooled, settings));
  }
  for (const ruling of rulings) sentences.push(`Rule ${ruling.rule} ${effect(ruling, sleeveNames)}: ${ruling.why}.`);
  return sentences.join(' ');
}

function change({ stanceBefore, pooled }: SleeveMinutes): string {
  if (pooled.kind === 'hold') return `holds ${stanceWords(stanceBefore)} and adds nothing`;
  if (stanceBefore === pooled.stance) return `stays ${stanceWords(stanceBefore)}`;
  return `from ${stanceWords(stanceBefore)} to ${stanceWords(pooled.stance)}`;
}

function saying({ abstained, stance, confidence, because }: OpinionNote): string {
  const reason = because === '' ? '' : `: ${because.replace(/[.\s]+$/, '')}`;
  return abstained ? `abstained${reason}` : `said ${stanceWords(stance)} with confidence ${confidence.toFixed(2)}${reason}`;
}

function pooling(pooled: Readonly<Pooled>, settings: CouncilSettings): string {
  const { agreeing, voices, agreement } = pooled;
  switch (pooled.outcome) {
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
