import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdMap } from './id-map.ts';

test('it is a Map: the same entries in the same order after whatever is done to it', () => {
  const acts = fc.constantFrom('set', 'delete', 'clear', 'set', 'delete', 'set');
  // Of few ids, and of so many that they are hashed in another way.
  const steps = fc
    .constantFrom(60, 600)
    .chain((most) => fc.array(fc.tuple(acts, fc.nat({ max: most })), { maxLength: 10 * most, size: 'max' }));
  fc.assert(
    fc.property(steps, (all) => {
      const map = new IdMap<number>();
      const model = new Map<string, number>();
      all.forEach(([act, number], step) => {
        const id = `${number % 7}-${number}`;
        if (act === 'set') {
          map.set(id, step);
          model.set(id, step);
        } else if (act === 'delete') assert.equal(map.delete(id), model.delete(id));
        // Seldom, so that it grows between.
        else if (number === 0) {
          map.clear();
          model.clear();
        }
        assert.equal(map.size, model.size);
        assert.deepEqual([map.get(id), map.has(id)], [model.get(id), model.has(id)]);
      });
      assert.deepEqual([...map], [...model]);
      assert.deepEqual([[...map.keys()], [...map.values()]], [[...model.keys()], [...model.values()]]);
    }),
    { numRuns: 100 },
  );
});

test('of a hundred thousand that came and went the last are there, in their order', () => {
  const map = new IdMap<number>();
  for (let index = 0; index < 100_000; index++) {
    map.set(`${index}-1`, index);
    if (index >= 5) map.delete(`${index - 5}-1`);
  }
  assert.deepEqual(
    [...map.keys()],
    [99_995, 99_996, 99_997, 99_998, 99_999].map((index) => `${index}-1`),
  );
});
