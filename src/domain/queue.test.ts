import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Queue } from './queue.ts';

test('a line is an array that is pushed to and shifted from, whatever comes in which order', () => {
  const step = fc.oneof(
    { arbitrary: fc.constant('push' as const), weight: 5 },
    { arbitrary: fc.constant('shift' as const), weight: 4 },
    fc.constantFrom('take' as const, 'replace' as const, 'clear' as const),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(40)), { maxLength: 200 }), (steps) => {
      const line = new Queue<number>();
      const array: number[] = [];
      steps.forEach(([what, number], index) => {
        if (what === 'push') {
          line.push(index);
          array.push(index);
        } else if (what === 'shift') assert.equal(line.shift(), array.shift());
        else if (what === 'take') {
          const place = array.findIndex((item) => item % 7 === number % 7);
          const taken = line.take((item) => item % 7 === number % 7);
          assert.equal(taken, place < 0 ? undefined : array.splice(place, 1)[0]);
        } else if (what === 'replace') {
          line.replace(number, -index);
          if (number < array.length) array[number] = -index;
        } else if (number === 0) {
          line.clear();
          array.length = 0;
        }
        assert.deepEqual([...line], array);
        assert.equal(line.length, array.length);
        assert.equal(line.at(number), array[number]);
        assert.equal(line.last(), array.at(-1));
      });
    }),
  );
});
