import assert from 'node:assert/strict';
import { test } from 'node:test';
import { medianOf, parameterSurface } from './parameter-surface.ts';

test('neighbours are one step away in one parameter, whatever the steps', () => {
  const points = [5, 10, 50].flatMap((fast) => [20, 200].map((slow) => ({ params: { fast, slow, short: true }, value: fast + slow })));
  const { axes, cells, positiveShare, median } = parameterSurface(points);
  assert.deepEqual(axes, [
    { name: 'fast', values: [5, 10, 50] },
    { name: 'slow', values: [20, 200] },
  ]);
  const at = (fast: number, slow: number) => cells.find(({ params }) => params['fast'] === fast && params['slow'] === slow);
  assert.deepEqual([at(10, 20)?.neighbours, at(10, 20)?.neighbourMedian], [3, 70]);
  assert.deepEqual([at(5, 200)?.neighbours, at(5, 200)?.neighbourMedian], [2, (25 + 210) / 2]);
  assert.deepEqual([positiveShare, median], [1, (70 + 205) / 2]);
});

test('a peak is higher than its neighbours, and what cannot be said is none of them', () => {
  const points = [1, 2, 3, 4, 5].map((window) => ({ params: { window }, value: window === 3 ? 2 : window === 4 ? null : -1 }));
  const { cells, positiveShare } = parameterSurface(points);
  assert.deepEqual(
    cells.map(({ neighbourMedian }) => neighbourMedian),
    [-1, 0.5, -1, 0.5, null],
  );
  assert.equal(positiveShare, 0.2);
});

test('a parameter with one value is no axis, and words keep their order', () => {
  const { axes, cells } = parameterSurface(['slow', 'fast'].map((kind, index) => ({ params: { kind, window: 7 }, value: index })));
  assert.deepEqual(axes, [{ name: 'kind', values: ['slow', 'fast'] }]);
  assert.deepEqual([cells[0]?.neighbourMedian, cells[1]?.neighbourMedian], [1, 0]);
  assert.equal(medianOf([]), null);
});
