import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as ballast from '../index.ts';
import * as catalog from './catalog.ts';
import { FEATURE_FORMS, featuresPage } from './features-reference.ts';

const page = join(import.meta.dirname, '../../docs/reference/features.md');
const features = Object.entries<(...parameters: never[]) => unknown>(catalog).filter(([name]) => name !== 'columns' && name !== 'on');
const forms = Object.assign({}, ...Object.values(FEATURE_FORMS)) as (typeof FEATURE_FORMS)[string];

test('the page of features is as the code writes it', () => {
  assert.equal(readFileSync(page, 'utf8'), featuresPage(), 'docs/reference/features.md is old: node scripts/reference.ts writes it anew');
});

test('every feature of the catalog is on the page once, and nothing else is', () => {
  const named = Object.values(FEATURE_FORMS).flatMap((group) => Object.keys(group));
  assert.deepEqual(named.toSorted(), features.map(([name]) => name).toSorted());
});

test('the page names the parameters as the functions do, and shows each function with its own key', () => {
  for (const [name, feature] of features) {
    const form = forms?.[name as keyof typeof forms];
    const declared = /\(([^)]*)\)/.exec(feature.toString())?.[1] ?? '';
    assert.deepEqual(Object.keys(form?.parameters ?? {}), declared.match(/\w+/g) ?? [], name);
    assert.ok(form?.usual.key.startsWith(`${name}(`), name);
  }
});

test('a strategy can import every feature of the catalog', () => {
  const missing = Object.keys(catalog).filter((name) => !(name in ballast));
  assert.deepEqual(missing, []);
});
