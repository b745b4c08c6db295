// An opinion as canonical bytes: the same in the journal and in snapshots.
import type { ByteReader, ByteWriter } from './bytes.ts';
import { abstain, type Opinion, type Protection } from './opinion.ts';

/** Absent is written as NaN, which no opinion may say. */
export function writeOpinion(out: ByteWriter, opinion: Opinion): void {
  out.flag(opinion.kind === 'forecast');
  if (opinion.kind === 'abstention') {
    out.text(opinion.because);
    return;
  }
  out.number(opinion.stance);
  out.number(opinion.confidence);
  out.number(opinion.expectedReturn ?? NaN);
  out.number(opinion.horizonMs ?? NaN);
  out.flag(opinion.protection !== undefined);
  if (opinion.protection !== undefined) {
    out.number(opinion.protection.stopRatio ?? NaN);
    out.number(opinion.protection.targetRatio ?? NaN);
    out.number(opinion.protection.trailR ?? NaN);
    out.number(opinion.protection.trailRatio ?? NaN);
  }
  out.flag(opinion.legs !== undefined);
  if (opinion.legs !== undefined) {
    out.count(opinion.legs.length);
    for (const ratio of opinion.legs) out.number(ratio);
  }
}

export function readOpinion(from: ByteReader): Opinion {
  if (!from.flag()) return abstain(from.text());
  const stance = from.number();
  const confidence = from.number();
  const expectedReturn = known(from.number());
  const horizonMs = known(from.number());
  let protection: Protection | undefined;
  if (from.flag()) {
    const stopRatio = known(from.number());
    const targetRatio = known(from.number());
    const trailR = known(from.number());
    const trailRatio = known(from.number());
    protection = {
      ...(stopRatio === undefined ? {} : { stopRatio }),
      ...(targetRatio === undefined ? {} : { targetRatio }),
      ...(trailR === undefined ? {} : { trailR }),
      ...(trailRatio === undefined ? {} : { trailRatio }),
    };
  }
  const legs = from.flag() ? Array.from({ length: from.count() }, () => from.number()) : undefined;
  return {
    kind: 'forecast',
    stance,
    confidence,
    ...(expectedReturn === undefined ? {} : { expectedReturn }),
    ...(horizonMs === undefined ? {} : { horizonMs }),
    ...(protection === undefined ? {} : { protection }),
    ...(legs === undefined ? {} : { legs }),
  };
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
