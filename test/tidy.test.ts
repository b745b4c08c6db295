// The laws of ARCHITECTURE.md, executable. Every law is also shown a file that breaks it: a check that cannot fail is no check.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  bannedWords,
  brokenReferences,
  codeReferences,
  importTable,
  importTableAsMarkdown,
  machinePaths,
  manners,
  minting,
  modes,
  reachability,
  wallClock,
  wording,
  type Law,
} from './support/laws.ts';
import { filesBelow, ROOT, sourceFile, sourceFiles, type SourceFile } from './support/source-tree.ts';

const files = sourceFiles('src', 'test', 'bench', 'examples', 'scripts');
const pages = [...readdirSync(ROOT).filter((name) => name.endsWith('.md')), ...filesBelow('docs', '.md'), ...filesBelow('src', '.md')];
const glossary = read('docs/reference/glossary.md');

/** Tells the findings, one a line, instead of the length of a list. */
function assertNone(findings: readonly string[]): void {
  assert.ok(findings.length === 0, `${findings.length} findings:\n${findings.join('\n')}`);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A file that is not there, beside the real ones. */
function law(check: Law, path: string, source: string, others: readonly SourceFile[] = []): string[] {
  return check([...others, sourceFile(path, source)]);
}

describe('law 1: who may import whom', () => {
  test('holds', () => assertNone(importTable(files)));

  test('a stage may not import another stage', () => {
    const [finding] = law(importTable, 'src/risk/x.ts', `import { plan } from '../execution/planner.ts';`);
    assert.match(
      finding ?? '',
      /^src\/risk\/x\.ts:1: found an import of src\/execution\/planner\.ts, expected risk -> domain, quant, pricing$/,
    );
  });

  test('types may pass where values may not', () => {
    assertNone(law(importTable, 'src/quant/x.ts', `import type { A } from '../domain/a.ts';\nimport { type B } from '../domain/b.ts';`));
    assert.equal(law(importTable, 'src/quant/x.ts', `import { type A, b } from '../domain/a.ts';`).length, 1);
  });

  test('the ground imports no packages', () => {
    assert.match(
      law(importTable, 'src/domain/x.ts', `import { z } from 'zod';`)[0] ?? '',
      /found an import of "zod", expected none in domain/,
    );
    assert.equal(law(importTable, 'src/domain/x.ts', `import { createHash } from 'node:crypto';`).length, 1);
  });

  test('lazy imports and worker files are imports', () => {
    assert.equal(law(importTable, 'src/risk/x.ts', `const m = await import('../venues/simulated/venue.ts');`).length, 1);
    assert.equal(law(importTable, 'src/risk/x.ts', `new Worker(new URL('../lab/worker.ts', import.meta.url));`).length, 1);
  });

  test('a folder that the table does not know is a finding', () => {
    assert.match(law(importTable, 'src/misc/x.ts', '')[0] ?? '', /a folder that the import table does not know/);
  });

  test('a cycle is a finding, of types too, and is told once', () => {
    const left = sourceFile('src/domain/left.ts', `import type { Right } from './right.ts';`);
    const findings = law(importTable, 'src/domain/right.ts', `import { left } from './left.ts';`, [left]);
    assert.deepEqual(findings, [
      'src/domain/left.ts: found an import cycle src/domain/left.ts -> src/domain/right.ts -> src/domain/left.ts, expected none',
    ]);
  });

  test('every relative import leads to a file', () => {
    const missing = files.flatMap((file) =>
      file.imports
        .filter(({ path }) => path !== undefined && path.endsWith('.ts') && !existsSync(join(ROOT, path)))
        .map(({ specifier, line }) => `${file.path}:${line}: found no ${specifier}`),
    );
    assertNone(missing);
  });
});

describe('law 2: wall clock, timers and unseeded randomness', () => {
  test('holds', () => assertNone(wallClock(files)));

  for (const code of [
    'Date.now()',
    'new Date()',
    'Date()',
    'performance.now()',
    'process.hrtime.bigint()',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'setImmediate(f)',
    'AbortSignal.timeout(5)',
    'Math.random()',
    'crypto.randomUUID()',
    'randomBytes(8)',
    'Temporal.Now.instant()',
  ]) {
    test(`${code} is a finding below app/ and none in it`, () => {
      const source = `export const x = ${code};`;
      assert.equal(law(wallClock, 'src/journal/x.ts', source).length, 1);
      for (const path of [
        'src/app/x.ts',
        'src/engine/system-clock.ts',
        'src/venues/bybit/transport.ts',
        'src/cli/x.ts',
        'src/journal/x.test.ts',
      ]) {
        assertNone(law(wallClock, path, source));
      }
    });
  }

  test('a given time and words in comments and strings are none', () => {
    assertNone(law(wallClock, 'src/domain/x.ts', `// Date.now()\nexport const x = [new Date(5), 'Math.random()', Date.UTC(2021)];`));
  });
});

describe('law 3: nobody below app/ asks for the mode', () => {
  test('holds', () => assertNone(modes(files)));

  for (const code of [
    'if (isBacktest) a();',
    'if (session.isLive) a();',
    `if (mode === other) a();`,
    `run(x, 'paper');`,
    'if (options.dryRun) a();',
  ]) {
    test(`${code} is a finding in engine/ and none in app/`, () => {
      assert.equal(law(modes, 'src/engine/x.ts', code).length, 1);
      assertNone(law(modes, 'src/app/x.ts', code));
    });
  }

  test('other words are none', () => {
    assertNone(law(modes, 'src/engine/x.ts', `// in a backtest\nif (rounding === 'nearest' && isLiveliest) say('a live feed');`));
  });
});

describe('law 4: what must be earned is minted in one place', () => {
  test('holds', () => assertNone(minting(files)));

  test('only the gate approves', () => {
    const source = 'export const approved = decision as unknown as Approved<Decision>;';
    assert.equal(law(minting, 'src/engine/x.ts', source).length, 1);
    assertNone(law(minting, 'src/risk/gate.ts', source));
  });

  test('only the domain makes exact numbers', () => {
    for (const source of ['x as unknown as Price;', 'x as Quantity;', 'x as Amount;', 'fromUnits<Price>(5n);']) {
      assert.equal(law(minting, 'src/portfolio/x.ts', source).length, 1);
      assertNone(law(minting, 'src/domain/x.ts', source));
    }
  });
});

describe('law 5: nothing is dead', () => {
  test('holds', () => assertNone(reachability(files)));

  test('a file that nothing imports is a finding; a test beside it is enough', () => {
    const dead = sourceFile('src/quant/dead.ts', 'export const x = 1;');
    assert.match(reachability([dead])[0] ?? '', /^src\/quant\/dead\.ts: found no way to it/);
    assertNone(reachability([dead, sourceFile('src/quant/dead.test.ts', `import { x } from './dead.ts';`)]));
    assertNone(reachability([dead, sourceFile('src/index.ts', `export { x } from './quant/dead.ts';`)]));
  });
});

describe('manners', () => {
  test('hold', () => assertNone(manners(files)));

  test('any, an empty catch, put-off work, prefixes and drawers are findings', () => {
    const unfinished = `// ${'TO' + 'DO'}: later`;
    for (const [path, source] of [
      ['src/domain/x.ts', 'export const x = y as any;'],
      ['src/domain/x.ts', 'try { a(); } catch {}'],
      ['src/domain/x.ts', 'try { a(); } catch (error) {\n}'],
      ['src/domain/x.ts', unfinished],
      ['src/domain/x.ts', 'interface IVenue {}'],
      ['src/domain/order-utils.ts', ''],
      ['src/domain/types.ts', ''],
      ['src/domain/OrderState.ts', ''],
    ] as const) {
      assert.equal(law(manners, path, source).length, 1, `${path}: ${source}`);
    }
  });

  test('a catch that says its decision, Promise.any and words in prose are none', () => {
    assertNone(law(manners, 'src/domain/x.ts', `// any\ntry { a(); } catch {\n  // Gone already.\n}\nawait Promise.any(['any']);`));
  });

  test('no file names a path of a machine', () => {
    const texts = [
      ...files.map((file) => file.path),
      ...pages,
      'package.json',
      '.env.example',
      '.ci/run',
      ...filesBelow('scripts', '.sh'),
      ...filesBelow('bin', '.js'),
    ];
    assertNone(texts.flatMap((path) => machinePaths(path, read(path))));
    assert.equal(machinePaths('x.md', ['', 'home', 'me', 'data'].join('/')).length, 1);
    assertNone(machinePaths('x.md', 'https://example.org/home/me and src/work/x'));
  });
});

describe('one word per idea', () => {
  const words = bannedWords(glossary);

  test('holds, by the table of the glossary', () => {
    assert.ok(words.length >= 15, `found ${words.length} words that lost in the glossary, expected at least 15`);
    assertNone(wording(files, words));
  });

  test('a loser within an identifier is a finding, and the finding says the winner', () => {
    const found = wording([sourceFile('src/views/x.ts', 'export const lastCandles = orderQty;')], words);
    assert.deepEqual(found, [
      'src/views/x.ts:1: found "lastCandles", expected bar (docs/reference/glossary.md)',
      'src/views/x.ts:1: found "orderQty", expected quantity (docs/reference/glossary.md)',
    ]);
  });

  test('a wire keeps its words, and so do AbortSignal and signals of the system', () => {
    assertNone(wording([sourceFile('src/venues/x.ts', 'export const qty = candle;')], words));
    assertNone(wording([sourceFile('src/forecasts/x.ts', 'const { signal }: { signal: AbortSignal } = new AbortController();')], words));
    assertNone(wording([sourceFile('src/cli/x.ts', 'process.on(signal, stop);')], words));
    assert.equal(wording([sourceFile('src/forecasts/x.ts', 'const signal = 1;')], words).length, 1);
  });
});

describe('what the pages say of the code', () => {
  const exists = (path: string): boolean => existsSync(join(ROOT, path));

  test('is there', () => {
    assertNone(pages.filter((page) => page !== 'CHANGELOG.md').flatMap((page) => brokenReferences(page, read(page), files, exists)));
    assert.ok(codeReferences(read('ARCHITECTURE.md')).length >= 10, 'ARCHITECTURE.md names at least ten places of the code');
  });

  test('ARCHITECTURE.md shows the import table that is enforced', () => {
    const table = importTableAsMarkdown();
    assert.ok(read('ARCHITECTURE.md').includes(table), `ARCHITECTURE.md lacks the import table as enforced:\n${table}`);
  });

  test('a gone file, export, method, function or link is a finding', () => {
    const file = sourceFile('src/domain/x.ts', 'export class Ledger {\n  book(): void {}\n}\nexport function fold(): void {}\n');
    const there = (path: string): boolean => path === 'src/domain/x.ts' || path === 'docs/a.md';
    const check = (text: string): number => brokenReferences('docs/page.md', text, [file], there).length;
    for (const good of [
      '`src/domain/x.ts`',
      '`src/domain/x.ts#fold`',
      '`src/domain/x.ts#Ledger.book`',
      '`fold()`',
      '`book()`',
      '[a](a.md)',
      '[a](a.md#b)',
    ]) {
      assert.equal(check(good), 0, good);
    }
    for (const bad of [
      '`src/domain/y.ts`',
      '`src/domain/x.ts#unfold`',
      '`src/domain/x.ts#Ledger.close`',
      '`unfold()`',
      '[b](b.md)',
      '[b](../b.md)',
    ]) {
      assert.equal(check(bad), 1, bad);
    }
    assert.equal(check('```\n`src/domain/y.ts`\n```'), 0);
  });
});
