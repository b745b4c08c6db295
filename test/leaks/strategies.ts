// What strategies are made of here that differ in one thing only: where an indicator has its number from.
import {
  defineStrategy,
  z,
  type BarView,
  type ByteReader,
  type ByteWriter,
  type FeatureSpec,
  type Indicator,
  type Strategy,
} from 'ballast';

/** A number that each bar is given, from somewhere; its changes are what is traded. */
class Given implements Indicator {
  readonly warmup = 2;
  value = NaN;
  before = NaN;
  readonly #give: (bar: BarView) => number;
  constructor(give: (bar: BarView) => number) {
    this.#give = give;
  }
  update(bar: BarView): void {
    this.before = this.value;
    this.value = this.#give(bar);
  }
  save(out: ByteWriter): void {
    out.number(this.value);
    out.number(this.before);
  }
  restore(from: ByteReader): void {
    this.value = from.number();
    this.before = from.number();
  }
}

export function given(key: string, give: (bar: BarView) => number): FeatureSpec<Given> {
  return { key, warmup: 2, create: () => new Given(give) };
}

/** Long while the number rises, flat otherwise. */
export function followerOf(name: string, give: (bar: BarView) => number): Strategy<Record<string, never>, { number: FeatureSpec<Given> }> {
  return defineStrategy({
    name,
    about: 'long while a number rises',
    legs: 1,
    parameters: z.strictObject({}),
    features: () => ({ number: given(name, give) }),
    opine: ({ features }) => ({ kind: 'forecast', stance: features.number.value > features.number.before ? 1 : 0, confidence: 0.5 }),
    explain: ({ features }) => ({ because: 'the number rises or it does not', numbers: { number: features.number.value } }),
  });
}
