// The strategy of the latency benchmark: with a book that leans, at once, and otherwise as it was.
import { defineStrategy, z, type BookEvent, type BookFeatureSpec, type BookIndicator } from 'ballast';

/** The imbalance of the last look, as it is. */
class LastLook implements BookIndicator {
  readonly warmup = 1;
  value = NaN;

  update({ imbalance }: BookEvent): void {
    this.value = imbalance;
  }

  save(out: Parameters<BookIndicator['save']>[0]): void {
    out.number(this.value);
  }

  restore(from: Parameters<BookIndicator['restore']>[0]): void {
    this.value = from.number();
  }
}

const lastLook: BookFeatureSpec<LastLook> = { key: 'lastLook', input: 'book', warmup: 1, create: () => new LastLook() };

export const strategy = defineStrategy({
  name: 'leaning-book',
  about: 'long after a book that leans to the bids, flat after one that leans to the asks',
  legs: 1,
  cadence: 'books',
  parameters: z.strictObject({
    lean: z.number().gt(0).lt(1).describe('imbalance from which a book leans'),
  }),
  features: () => ({ look: lastLook }),
  opine({ features, sleeve }, { lean }) {
    const { value } = features.look;
    const stance = value > lean ? 1 : value < -lean ? 0 : sleeve.side;
    return { kind: 'forecast', stance, confidence: 0.5, protection: { stopRatio: 0.4 } };
  },
  explain({ features }) {
    return { because: 'the book that leaned last', numbers: { imbalance: features.look.value } };
  },
});
