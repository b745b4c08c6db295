// What the guides show is what runs: every block of TypeScript is in an example, and the example holds the contract.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import channelBreakout from '../examples/channel-breakout.ts';
import momentum from '../examples/momentum.ts';
import ownStrategy from '../examples/own-strategy.ts';
import { configSchema } from '../src/app/config-schema.ts';
import { holdsStrategyContract } from '../src/forecasts/strategies/strategy.contract.ts';
import { filesBelow, ROOT } from './support/source-tree.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const guides = filesBelow('docs/guides', '.md');
const examples = filesBelow('examples', '.ts').map(read);

function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => match[1] ?? '');
}

for (const guide of guides) {
  const text = read(guide);

  test(`${guide}: every block of TypeScript stands in an example, letter by letter`, () => {
    for (const block of blocks(text, 'ts')) {
      assert.ok(
        examples.some((example) => example.includes(block)),
        `found in no file of examples/:\n${block}`,
      );
    }
  });

  test(`${guide}: every piece of config is one that is taken`, () => {
    for (const block of blocks(text, 'yaml')) configSchema.parse(parse(block));
  });
}

test('there is a guide with an example', () => {
  assert.ok(guides.some((guide) => blocks(read(guide), 'ts').length > 0));
});

holdsStrategyContract(channelBreakout, fc.record({ window: fc.integer({ min: 2, max: 60 }), stopAtr: fc.constant(3) }));
holdsStrategyContract(
  momentum,
  fc.record({ window: fc.integer({ min: 2, max: 60 }), threshold: fc.double({ min: 0, max: 0.05, noNaN: true }) }),
);
holdsStrategyContract(ownStrategy, fc.record({ trendWindow: fc.integer({ min: 2, max: 60 }), buyBelow: fc.integer({ min: 10, max: 90 }) }));
