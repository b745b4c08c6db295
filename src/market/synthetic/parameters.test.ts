// The defaults stand in three places: the table, the docstrings and the reference page. None may say something else.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkParameters, type SyntheticParameters } from './parameters.ts';

const source = readFileSync(new URL('parameters.ts', import.meta.url), 'utf8');
const page = readFileSync(new URL('../../../docs/reference/synthetic-market.md', import.meta.url), 'utf8');
const GROUPS: readonly (keyof SyntheticParameters)[] = ['studies', 'book', 'derivatives', 'headlines', 'onChain', 'interruptions'];

for (const group of GROUPS) {
  test(`the defaults of ${group} are those of its docstrings and of the reference page`, () => {
    const defaults = Object.entries(checkParameters(group)) as [string, number][];
    assert.ok(defaults.length >= 4);
    for (const [field, usual] of defaults) {
      const docstring = new RegExp(String.raw`/\*\* ([^*]+) \*/\n  readonly ${field}: number;`).exec(source)?.[1] ?? '';
      assert.ok(docstring.includes(`; ${usual}.`), `${field}, ${usual}: ${docstring}`);
      const isOnPage = page.includes(`| \`${field}\` | ${usual} |`) || page.includes(`\`${field}\` (${usual}`);
      assert.ok(isOnPage, `${field}, ${usual} is not on the page`);
    }
  });
}

test('what is given stands, what is left out is filled in', () => {
  const { breakHours, ...others } = checkParameters('studies', { breakHours: 5 });
  const { breakHours: usual, ...usualOthers } = checkParameters('studies');
  assert.deepEqual([breakHours, usual], [5, 72]);
  assert.deepEqual(others, usualOthers);
});
