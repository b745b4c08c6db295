import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../test/support/source-tree.ts';
import { BallastError } from '../domain/errors.ts';
import { strategies } from '../forecasts/strategies/index.ts';
import { trend } from '../forecasts/strategies/trend.ts';
import { listStrategies, parameterFields, parseParameters, strategyNamed } from './registry.ts';

/** Outside the repository, so that nothing above it says what `ballast` is or that files are modules. */
const home = mkdtempSync(join(tmpdir(), 'ballast-strategies-'));
after(() => rmSync(home, { recursive: true }));

const OURS = strategies.map(({ name }) => name);

let files = 0;

function write(text: string, name = `file-${files++}.ts`): string {
  const path = join(home, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function own(name: string, change = ''): string {
  return `import { abstain, defineStrategy, ema, z } from 'ballast';

const parameters: z.ZodType<{ window: number }> = z.strictObject({ window: z.int().min(2).default(20).describe('bars of the mean') });

const made = defineStrategy({
  name: '${name}',
  about: 'says nothing',
  legs: 1,
  parameters,
  features: ({ window }) => ({ mean: ema(window) }),
  opine: () => abstain('never'),
  explain: () => ({ because: 'never', numbers: {} }),
});
export default ${change === '' ? 'made' : `{ ...made, ${change} }`};
`;
}

async function refusal(act: () => Promise<unknown>): Promise<BallastError> {
  try {
    await act();
  } catch (error) {
    assert.ok(error instanceof BallastError, String(error));
    assert.equal(error.exitCode, 2);
    assert.doesNotMatch(error.message, /\n|\bat .*:\d+:\d+/, 'one line, without a stack');
    return error;
  }
  return assert.fail('found no refusal');
}

describe('a strategy', () => {
  test('of ours is found by its name', async () => {
    assert.deepEqual(await strategyNamed('trend', home), { strategy: trend });
  });

  test('of a user is a file anywhere, which imports ballast without installing it', async () => {
    const path = write(own('somewhere'), 'far/away/somewhere.ts');
    const { strategy, path: found, digest } = await strategyNamed(path, home);
    assert.equal(strategy.name, 'somewhere');
    assert.equal(found, path);
    assert.match(digest ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(parseParameters(strategy, 'window=5'), { window: 5 });
    const relativePath = relative(process.cwd(), path);
    assert.equal((await strategyNamed(relativePath.startsWith('.') ? relativePath : `./${relativePath}`, home)).strategy, strategy);
  });

  test('of a user is found in the home folder by its name, with or without its ending, and beside it other modules', async () => {
    write('export const said: string = "from the module beside";\n', 'strategies/words.d.ts');
    write(own('mine'), 'strategies/mine.ts');
    assert.equal((await strategyNamed('mine', home)).path, join(home, 'strategies/mine.ts'));
    assert.equal((await strategyNamed('mine.ts', home)).path, join(home, 'strategies/mine.ts'));
  });

  test('of a user is found from the home folder when it is not in the current one: a config means its own folder', async () => {
    write(own('nearby'), 'near/by.ts');
    assert.equal((await strategyNamed('./near/by.ts', home)).path, join(home, 'near/by.ts'));
  });

  test('may be exported by the name of strategy, be JavaScript, and import from files beside it', async () => {
    write('export const about: string = "told beside";\n', 'beside.ts');
    const text = own('by-name').replace('export default made', 'export const strategy = made').replace("'says nothing'", 'about');
    assert.equal((await strategyNamed(write(`import { about } from './beside.ts';\n${text}`), home)).strategy.about, 'told beside');
    const script = own('script').replace(/: z\.ZodType<[^=]*>/, '');
    assert.equal((await strategyNamed(write(script, 'script.js'), home)).strategy.name, 'script');
  });

  test('is a module even below a package that says otherwise', async () => {
    write('{ "type": "commonjs" }', 'old/package.json');
    assert.equal((await strategyNamed(write(own('modern'), 'old/modern.ts'), home)).strategy.name, 'modern');
  });

  test('loads without a word on stderr', () => {
    const path = write(own('quiet'));
    const program = `const { strategyNamed } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'src/app/registry.ts')).href)});
      console.log((await strategyNamed(${JSON.stringify(path)}, '.')).strategy.name);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', cwd: home });
    assert.deepEqual({ stdout, stderr }, { stdout: 'quiet\n', stderr: '' });
  });

  test('that nobody knows is refused with the names there are', async () => {
    write(own('known'), 'strategies/known.ts');
    const error = await refusal(() => strategyNamed('unknown', home));
    assert.equal(error.code, 'STRATEGY_UNKNOWN');
    assert.match(error.message, new RegExp(`found "unknown", expected one of ${OURS.join(', ')}, known(, [a-z]+)*, or the path of a file`));
  });

  test('with the name of one of ours is refused rather than guessed', async () => {
    const other = mkdtempSync(join(home, 'other-'));
    mkdirSync(join(other, 'strategies'));
    writeFileSync(join(other, 'strategies/trend.ts'), own('trend'));
    const error = await refusal(() => strategyNamed('trend', other));
    assert.equal(error.code, 'STRATEGY_AMBIGUOUS');
    assert.equal((await strategyNamed(join(other, 'strategies/trend.ts'), other)).strategy.about, 'says nothing');
  });

  test('all that can be named are listed, a broken file with its reason', async () => {
    const other = mkdtempSync(join(home, 'list-'));
    mkdirSync(join(other, 'strategies'));
    writeFileSync(join(other, 'strategies/good.ts'), own('good'));
    writeFileSync(join(other, 'strategies/good.test.ts'), 'no strategy');
    writeFileSync(join(other, 'strategies/bad.ts'), 'export default 5;\n');
    const listed = await listStrategies(other);
    assert.deepEqual(
      listed.map((each) => ('failure' in each ? each.failure.code : each.strategy.name)),
      [...OURS, 'STRATEGY_MALFORMED', 'good'],
    );
    assert.equal((await listStrategies(join(home, 'nowhere'))).length, OURS.length);
  });
});

describe('a file that is no strategy is refused by file and line', () => {
  for (const [what, text, line, code, words] of [
    ['a syntax error', 'export const a = 1;\nexport const b: number = ;\n', 2, 'STRATEGY_BROKEN', /a syntax error: Expression expected/],
    ['an enum', 'export const a = 1;\n\nenum Side { Long }\n', 3, 'STRATEGY_BROKEN', /types can be erased: no enum/],
    ['a name that ballast does not have', "\nimport { emaa } from 'ballast';\nexport default emaa;\n", 2, 'STRATEGY_BROKEN', /emaa/],
    ['an import of nothing', "\n\nimport { a } from './gone.ts';\nexport default a;\n", 3, 'STRATEGY_BROKEN', /gone\.ts/],
    ['a package that is not there', "import a from 'no-such-package';\nexport default a;\n", 1, 'STRATEGY_BROKEN', /no-such-package/],
    [
      'an exception',
      'const a = 1;\nfunction fail(): never {\n  throw new Error("no luck");\n}\nfail();\n',
      3,
      'STRATEGY_BROKEN',
      /no luck/,
    ],
    ['a throw of no error', 'throw "words";\n', undefined, 'STRATEGY_BROKEN', /an exception at import: "words"/],
    ['a feature that cannot be', "import { ema } from 'ballast';\nema(0);\n", 2, 'STRATEGY_BROKEN', /a window of 0/],
    [
      'no export',
      'export const trend = 1;\n',
      undefined,
      'STRATEGY_MALFORMED',
      /the exports trend, expected `export default defineStrategy/,
    ],
    ['nothing at all', '', undefined, 'STRATEGY_MALFORMED', /the exports none/],
    ['a number', 'export default 5;\n', undefined, 'STRATEGY_MALFORMED', /found 5, expected what `defineStrategy/],
    ['a name with capitals', own('x', "name: 'My Trend'"), undefined, 'STRATEGY_MALFORMED', /name "My Trend", expected lower-case/],
    ['no description', own('x', "about: ' '"), undefined, 'STRATEGY_MALFORMED', /about " "/],
    [
      'half a leg',
      own('x', 'legs: 1.5'),
      undefined,
      'STRATEGY_MALFORMED',
      /legs 1.5, expected 1, 2 for a pair, or \{ least, most \} for a basket/,
    ],
    ['no schema', own('x', 'parameters: { window: 5 }'), undefined, 'STRATEGY_MALFORMED', /expected a zod schema/],
    ['no opinion', own('x', 'opine: undefined'), undefined, 'STRATEGY_MALFORMED', /opine nothing, expected a function/],
  ] as const) {
    test(what, async () => {
      const path = write(text);
      const error = await refusal(() => strategyNamed(path, home));
      assert.equal(error.code, code);
      assert.equal(error.place, `strategy ${path}${line === undefined ? '' : `:${line}`}`);
      assert.match(error.message, words);
    });
  }

  test('JavaScript with a syntax error', async () => {
    const path = write('export const a = 1;\n\nconst b = ) ;\n', 'broken.js');
    assert.equal((await refusal(() => strategyNamed(path, home))).place, `strategy ${path}:3`);
  });

  test('an error in a file that it imports is placed in that file', async () => {
    const inner = write('\nthrow new Error("inside");\n', 'inner.ts');
    const error = await refusal(() => strategyNamed(write("import './inner.ts';\n"), home));
    assert.equal(error.place, `strategy ${inner}:2`);
  });

  test('a file or folder that is not one', async () => {
    const missing = await refusal(() => strategyNamed(join(home, 'gone.ts'), home));
    assert.equal(missing.code, 'STRATEGY_MISSING');
    assert.match(missing.message, /found no such file/);
    assert.match((await refusal(() => strategyNamed(home, home))).message, /no file but something else of that name/);
    assert.equal((await refusal(() => strategyNamed('./gone.ts', home))).code, 'STRATEGY_MISSING');
  });

  test('TypeScript below node_modules', async () => {
    const path = write(own('packed'), 'node_modules/packed/index.ts');
    assert.match((await refusal(() => strategyNamed(path, home))).message, /TypeScript below node_modules, expected a file outside/);
  });
});

describe('parameters', () => {
  const parameters = (given?: unknown): unknown => parseParameters(trend, given);
  const defaults = trend.parameters.parse({});

  test('are those of the best of a sweep of the same strategy', () => {
    const best = { runId: 'sweep-trend-1', strategy: 'trend', params: { fast: 3, slow: 9 }, metrics: {}, fills: [] };
    const path = write(JSON.stringify(best), 'best.json');
    assert.deepEqual(parameters(path), { ...(defaults as object), fast: 3, slow: 9 });
    const other = write(JSON.stringify({ ...best, strategy: 'mean-reversion' }), 'other.json');
    assert.throws(() => parameters(other), /the best of a sweep of mean-reversion, expected that of a sweep of trend/);
  });

  test('come from text, from a file of JSON and from an object, and have defaults', () => {
    assert.deepEqual(parameters(), defaults);
    assert.deepEqual(parameters(''), defaults);
    assert.deepEqual(parameters('fast=5, slow=20,short=false,entrySeparation=1e-1'), {
      ...defaults,
      fast: 5,
      slow: 20,
      short: false,
      entrySeparation: 0.1,
    });
    assert.deepEqual(parameters({ fast: 5 }), { ...defaults, fast: 5 });
    assert.deepEqual(parameters(write('{ "fast": 6 }', 'parameters.json')), { ...defaults, fast: 6 });
  });

  for (const [given, message] of [
    ['fast=many', 'parameter fast of trend: found "many", expected a number'],
    ['fast=0', 'parameter fast of trend: found 0, expected at least 1'],
    ['fast=1.5', 'parameter fast of trend: found 1.5, expected a whole number'],
    ['short=1', 'parameter short of trend: found 1, expected true or false'],
    ['fast=60', 'parameter fast of trend: found 60, expected fewer bars than slow has'],
    ['fast=5,fast=6', 'parameter fast of trend: found it twice, expected each parameter once'],
    ['fast', 'parameters of trend: found "fast", expected name=value, with commas between, or a .json file'],
    ['=5', 'parameters of trend: found "=5", expected name=value, with commas between, or a .json file'],
  ] as const) {
    test(`${given} is refused by name`, async () => {
      assert.equal((await refusal(() => Promise.resolve().then(() => parameters(given)))).message, message);
    });
  }

  test('of an unknown name are errors that list the known ones', async () => {
    const error = await refusal(() => Promise.resolve().then(() => parameters('fst=5')));
    assert.equal(error.code, 'PARAMETERS_INVALID');
    assert.match(
      error.message,
      /^parameter fst of trend: found an unknown name "fst", expected fast, or another one of fast, slow, atrWindow/,
    );
  });

  test('in a file that is not there or no JSON are refused', async () => {
    assert.match((await refusal(() => Promise.resolve().then(() => parameters(join(home, 'gone.json'))))).message, /no file .*gone\.json/);
    const broken = write('{', 'broken.json');
    assert.match((await refusal(() => Promise.resolve().then(() => parameters(broken)))).message, /expected JSON/);
  });

  test('that are no object are refused, several faults at once', async () => {
    assert.match((await refusal(() => Promise.resolve().then(() => parameters([1])))).message, /found \[1\], expected names with values/);
    const error = await refusal(() => Promise.resolve().then(() => parameters({ fast: 0, slow: 'x' })));
    assert.match(error.remedy ?? '', /and also: slow found "x", expected a number/);
  });

  test('of a schema that is not of zod are checked by it all the same', async () => {
    const { strategy } = await strategyNamed(
      write(own('plain', "parameters: { parse: (value) => { if (value.a) throw new Error('no a'); return value; } }")),
      home,
    );
    assert.deepEqual(parameterFields(strategy), []);
    assert.deepEqual(parseParameters(strategy, 'b=2'), { b: 2 });
    assert.match(
      (await refusal(() => Promise.resolve().then(() => parseParameters(strategy, 'a=1')))).message,
      /what its schema accepts: no a/,
    );
  });

  test('are described with type, limits, default and words', () => {
    assert.deepEqual(parameterFields(trend)[0], {
      name: 'fast',
      type: 'integer',
      about: 'bars of the fast exponential mean',
      default: 12,
      minimum: 1,
      maximum: 5_000,
    });
  });
});
