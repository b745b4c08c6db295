import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { amount } from '../domain/decimal.ts';
import { Random } from '../quant/random.ts';
import { EquityRecorder } from './equity.ts';
import { HOUR, START, Story } from './journal.fixture.ts';
import { report, reportText, sessionSummary, type ReportDocument, type ReportParts } from './report.ts';

function documentOf(story: Story, values: readonly number[], more: Partial<ReportParts> = {}): ReportDocument {
  const equity = new EquityRecorder({ capital: 1_000, intervalMs: HOUR });
  values.forEach((value, index) => equity.record(START + (index + 1) * HOUR, value));
  return report({
    runId: '2021-01-01-a1',
    stateHash: 'ab'.repeat(32),
    config: { strategy: 'trend', parameters: { fast: 12, slow: 26 }, fees: [0.001] },
    symbols: ['BTC/USDT', 'ETH/USDT:USDT'],
    timeframeMs: HOUR,
    from: START,
    to: START + values.length * HOUR,
    capital: amount('1000'),
    currency: 'USDT',
    allowSpotShort: false,
    noRisk: false,
    equity,
    ledger: story.ledger,
    marks: [
      { first: 100, last: 130 },
      { first: 10, last: 11 },
    ],
    ...more,
  });
}

/** A run in which everything happens once. */
function eventful(): Story {
  const story = new Story();
  const clamp = { rule: 'position limit', kind: 'clamp', why: '', scales: [1] } as const;
  story.decide(0, 1, ['1'], { rulings: [clamp] });
  story.trade([[0, 0, '1']], '100', '0.1');
  story.pass(3).trade([[0, 0, '-1']], '120', '0.12');
  story.trade([[1, 0, '2']], '120', '0.24');
  const stop = story.intend([[1, 0, '-2']], { role: 'stop' });
  story.pass().tell(story.fill(stop, '115', '0.23'), { kind: 'sleeve.stopped', at: story.at, sleeve: 1, because: 'stop' });
  story.pass().trade([[2, 1, '-10']], '10', '0.1', { instrument: 1 });
  story.tell({ kind: 'funding.paid', at: story.at, happenedAt: story.at, instrument: 1, amount: amount('0.01'), rate: 0.0001 });
  story.tell({ kind: 'order.refused', at: story.at, order: '1-9', instrument: 0, rule: 'collar', why: '3 % from the mark' });
  story.say({ kind: 'cash.transferred', at: story.at, amount: amount('-200.5'), equity: 1_012.5 });
  story.say({ kind: 'alert.raised', at: story.at, rule: 'daily-loss', why: '4 %' });
  story.say({ kind: 'halt.latched', at: story.at, cause: 'operator me' });
  return story;
}

const wandering = Array.from({ length: 60 }, (_, index) => 1_000 + 20 * Math.sin(index / 5) + index / 4);

/** Path and type of every leaf, in the words of docs/reference/report.md. */
function leaves(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  if (path === 'config') return into.set(path, 'object');
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) leaves(item, path.startsWith('equity[') ? `${path}[${index}]` : `${path}[]`, into);
  } else if (typeof value === 'object' && value !== null) {
    const isCounted = ['stops', 'rulings', 'alerts', 'entries'].includes(path);
    for (const [name, item] of Object.entries(value)) leaves(item, isCounted ? `${path}.*` : path === '' ? name : `${path}.${name}`, into);
  } else into.set(path, value === null ? 'null' : typeof value);
  return into;
}

const TYPES: Readonly<Record<string, (value: string) => boolean>> = {
  text: (type) => type === 'string',
  time: (type) => type === 'string',
  decimal: (type) => type === 'string',
  number: (type) => type === 'number',
  'number or null': (type) => type === 'number' || type === 'null',
  boolean: (type) => type === 'boolean',
  object: (type) => type === 'object',
};

test('docs/reference/report.md is the schema of a document: every field, its type, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference/report.md'), 'utf8');
  const table = new Map([...page.matchAll(/^\| `([^`]+)` \| ([a-z ]+) \|/gm)].map((match) => [match[1] ?? '', match[2] ?? '']));
  const story = eventful();
  // What is left of the pair is closed, so that it has a trade.
  story.pass().trade([[2, 1, '10']], '9', '0.1', { instrument: 1 });
  story.pass().trade([[2, 1, '-10']], '10', '0.1', { instrument: 1 });
  const document: unknown = JSON.parse(JSON.stringify(documentOf(story, wandering, { withoutBookMs: [0, HOUR] })));
  const found = leaves(document, '', new Map());
  assert.deepEqual([...found.keys()].toSorted(), [...table.keys()].toSorted());
  for (const [path, type] of found) {
    const documented = table.get(path) ?? '';
    assert.ok(TYPES[documented]?.(type) === true, `${path} is documented as ${documented} and was ${type}`);
  }
});

test('a run on books says for how long there was none, and one on bars says nothing of books', () => {
  const document = documentOf(eventful(), wandering, { config: { queueModel: 'log' }, withoutBookMs: [0, 3 * HOUR] });
  assert.deepEqual(document.books?.[1], { symbol: 'ETH/USDT:USDT', withoutBookMs: 3 * HOUR, withoutBookRatio: 0.05 });
  const said = document.warnings.filter((warning) => warning.includes('book'));
  assert.deepEqual(said, ['no book of ETH/USDT:USDT for 5.00 % of the range (3h): what was at the market waited']);
  assert.match(reportText(document), /orders were matched against books and trades, queue model log/);
  assert.doesNotMatch(reportText(documentOf(eventful(), wandering)), /book/);
});

test('times are ISO-8601 and exact numbers are decimal strings', () => {
  const document = documentOf(eventful(), wandering);
  const [trade] = document.trades;
  assert.deepEqual(trade, {
    sleeve: 'trend',
    symbol: 'BTC/USDT',
    side: 'long',
    round: 1,
    openedAt: '2021-01-01T00:00:00Z',
    closedAt: '2021-01-01T03:00:00Z',
    heldMs: 3 * HOUR,
    entryPrice: '100',
    exitPrice: '120',
    quantity: '1',
    pnl: '19.78',
    fees: '0.22',
    funding: '0',
    slippage: null,
    returnRatio: 0.1978,
    maxAdverseRatio: null,
    maxFavourableRatio: null,
    exit: 'opinion',
  });
  assert.deepEqual(document.fills[0], {
    at: '2021-01-01T00:00:00Z',
    symbol: 'BTC/USDT',
    side: 'buy',
    price: '100',
    quantity: '1',
    fee: '0.1',
    feeCurrency: 'USDT',
  });
  assert.deepEqual(document.equity[0], ['2021-01-01T01:00:00Z', 1_000]);
  assert.equal(document.equity.length, 60);
  assert.deepEqual(document.rulings, { collar: 1, 'position limit': 1 });
  assert.deepEqual(document.stops, { trend: 'none', reversion: 'venue', pair: 'none' });
  assert.deepEqual(document.halts, ['operator me']);
  assert.deepEqual(document.haltedAt, ['2021-01-01T05:00:00Z']);
  const [open] = document.openPositions;
  // Sold at 10, worth 11: 10 lost, 0.1 of fees, 0.01 of funding received.
  assert.deepEqual([open?.quantity, open?.lastPrice], ['-10', 11]);
  assert.ok(Math.abs((open?.pnl ?? NaN) + 10.09) < 1e-12);
});

test('the text has the summary first, then tables that are aligned', () => {
  const text = reportText(documentOf(eventful(), wandering));
  const sections = [...text.matchAll(/^[A-Z][A-Z ]+$/gm)].map((match) => match[0]);
  assert.deepEqual(sections, [
    'COSTS',
    'EXECUTION',
    'BY SLEEVE',
    'BY INSTRUMENT',
    'BY SYMBOL',
    'LEFT OPEN',
    'EXITS',
    'RULINGS',
    'ALERTS',
    'STOPS',
    'WARNINGS',
  ]);
  assert.ok(text.startsWith('trend  BTC/USDT, ETH/USDT:USDT  1h   2021-01-01T00:00:00Z to 2021-01-03T12:00:00Z\n\n  start '));
  assert.match(text, /^ {2}exit {6}legs {3}won {3}profit {3}average held$/m);
  assert.match(text, /^ {2}stop {9}1 {5}0 {3}-10\.47 {3}1h$/m);
  assert.match(text, /run 2021-01-01-a1 {3}state abababababababab$/);
  assert.ok(text.split('\n').every((line) => line.length <= 140 && line === line.trimEnd()));
});

test('the text of a stored document is the text of the document', () => {
  const document = documentOf(eventful(), wandering);
  assert.equal(reportText(JSON.parse(JSON.stringify(document)) as ReportDocument), reportText(document));
});

test('a run without trades says so, and shows N/A instead of figures', () => {
  const document = documentOf(new Story(), [1_000, 1_000]);
  assert.deepEqual(document.verdict, ['it never traded: there is nothing to judge']);
  assert.deepEqual(document.warnings, ['equity is flat: it never moved', 'no trade was closed']);
  const text = reportText(document);
  assert.match(text, /sharpe +N\/A/);
  assert.doesNotMatch(text, /NaN|Infinity|undefined/);
  assert.deepEqual(documentOf(new Story(), []).warnings, ['no bar was marked: the range holds no data', 'no trade was closed']);
});

test('the verdict and the warnings are what the figures say', () => {
  const trips = (exits: readonly string[], fee: string): Story => {
    const story = new Story();
    for (const exit of exits) {
      story.trade([[0, 0, '1']], '100', fee);
      story.pass().trade([[0, 0, '-1']], exit, fee);
      story.pass();
    }
    return story;
  };
  const eaten = documentOf(trips(['101', '101'], '1'), [999, 998]);
  assert.equal(eaten.verdict[0], 'no edge after costs: the closed trades made 2.00 before fees and funding, and -2.00 after them');
  assert.ok(eaten.warnings.includes('fees of 4.00 exceed the 2.00 that the closed trades made before fees and funding'));
  assert.ok(eaten.warnings.includes('too few trades: 2 closed, and fewer than 30 say little about the next one'));
  assert.equal(eaten.verdict[1], 'buying and holding returned 20.00 %: this run is 20.20 % behind');

  const losing = documentOf(trips(['90', '95'], '0'), [990, 985]);
  assert.equal(losing.verdict[0], 'no edge: the closed trades lost 15.00 before any cost');

  const lucky = documentOf(trips(['99', '120', '98'], '0'), [...wandering, 1_017]);
  assert.ok(lucky.warnings.includes('one trade makes the profit: without the best (20.00) the closed trades come to -3.00'));
  assert.match(
    lucky.verdict[0] ?? '',
    /^no edge after costs that can be told from luck: it made money, with a mean return 0\.\d standard errors from zero, where it takes 2$/,
  );
  assert.match(documentOf(trips(['110'], '0'), [1_010]).verdict[0] ?? '', /in too few returns to say more/);
  const steady = Array.from({ length: 60 }, (_, index) => 1_000 + index + (index % 3));
  assert.match(documentOf(trips(['110'], '0'), steady).verdict[0] ?? '', /^it made money, with a mean return \d+\.\d standard errors/);
  const marked = documentOf(trips(['110'], '0'), [990]);
  assert.equal(marked.verdict[0], 'no edge after costs: the account did not grow');

  const open = documentOf(eventful(), [1_000, 0], { allowSpotShort: true, dataFlaws: ['3 bars are missing'] });
  for (const warning of [
    'equity fell to zero or below: a real account would have been liquidated',
    '1 position is still open and marked at the last price: no exit was paid for',
    'halted on 2021-01-01T05:00:00Z: operator me',
    'spot was allowed to be sold short: research only, no venue does this',
    '3 bars are missing',
  ]) {
    assert.ok(open.warnings.includes(warning), warning);
  }
});

test('what was run for research only is said, and nothing of it otherwise', () => {
  const researched = (more: Partial<ReportParts>): string[] =>
    documentOf(eventful(), [1_000], more).warnings.filter((warning) => warning.includes('research only'));
  assert.deepEqual(researched({}), []);
  assert.deepEqual(researched({ noRisk: true }), [
    'the rules of risk and all else that acts by itself were left out (--no-risk): research only',
  ]);
  assert.match(
    reportText(documentOf(eventful(), [1_000], { noRisk: true })),
    /^ {2}! the rules of risk and all else that acts by itself were left out \(--no-risk\)/m,
  );
  assert.equal(researched({ noRisk: true, allowSpotShort: true }).length, 2);
});

test('a month that rounds to nothing has no sign', () => {
  const equity = new EquityRecorder({ capital: 1_000, intervalMs: HOUR });
  const months = [999.8, 999.9, 950];
  months.forEach((value, month) => equity.record(Date.UTC(2021, month, 28), value));
  assert.match(reportText(documentOf(new Story(), [], { equity })), /^ {2}2021 +0\.0 +0\.0 +-5\.0 +-5\.0$/m);
});

test('a mean return just below the mark is printed below it', () => {
  const story = new Story();
  story.trade([[0, 0, '1']], '100');
  story.pass().trade([[0, 0, '-1']], '110');
  // Returns of d + s and d - s in turn have a t of about d / s times the root of their number.
  const withT = (t: number): string => {
    const values: number[] = [];
    let equity = 1_000;
    for (let instant = 0; instant < 100; instant++) {
      const ratio = (0.01 * t * Math.sqrt(100 / 99)) / 10 + (instant % 2 === 0 ? 0.01 : -0.01);
      values.push((equity *= 1 + ratio));
    }
    return documentOf(story, values).verdict[0] ?? '';
  };
  assert.match(withT(1.98), /told from luck: .* a mean return 1\.98 standard errors from zero, where it takes 2$/);
  assert.match(withT(1.5), /told from luck: .* a mean return 1\.5 standard errors from zero, where it takes 2$/);
  assert.match(withT(2.02), /^it made money, with a mean return 2\.0 standard errors from zero/);
});

test('a halt is said with its time, and how much of the run went by under it', () => {
  const latched = { kind: 'halt.latched', cause: 'drawdown 25.00 % reached 25.00 %' } as const;
  const haltWarning = (story: Story, to: number): string | undefined =>
    documentOf(story, [1_000], { to }).warnings.find((warning) => warning.startsWith('halted'));
  const story = new Story();
  story.trade([[0, 0, '1']], '100');
  story.pass(59 * 24).say({ ...latched, at: story.at });
  const words = 'halted on 2021-03-01: drawdown 25.00 % reached 25.00 %';
  assert.equal(haltWarning(story, Date.UTC(2022, 0, 1)), `${words}; nothing was traded for the last 10 months of 12`);
  assert.match(reportText(documentOf(story, [1_000], { to: Date.UTC(2022, 0, 1) })), /^ {2}! halted on 2021-03-01: .* 10 months of 12$/m);
  // What was held is closed after the halt: only then does the time without a trade begin.
  story.pass(24).trade([[0, 0, '-1']], '75');
  assert.equal(haltWarning(story, story.at + 5 * 24 * HOUR), `${words}; nothing was traded for the last 5 days of 65`);
  assert.equal(haltWarning(story, story.at + HOUR), `${words}; nothing was traded for the last 1 hour of 1441`);
  assert.equal(haltWarning(story, story.at), words);
  story.say({ kind: 'halt.released', at: story.at, by: 'me' });
  assert.equal(haltWarning(story, Date.UTC(2022, 0, 1)), words);
});

test('the verdict says what share of the profit before costs each cost took', () => {
  const sold = (exit: string, ...more: readonly string[]): ReportDocument => {
    const story = new Story();
    // Sent at 100 and at 110, filled worse by 0.5 and by 0.25.
    story.bar(1, 100, 100, 100).trade([[2, 1, '1']], '100.5', '1', { instrument: 1 });
    for (const amountText of more) {
      story.tell({ kind: 'funding.paid', at: story.at, happenedAt: story.at, instrument: 1, amount: amount(amountText), rate: 0 });
    }
    story.pass().bar(1, 90, 110, Number(exit) + 0.25);
    story.trade([[2, 1, '-1']], exit, '1', { instrument: 1 });
    return documentOf(story, [1_000, 1_010]);
  };
  const won = sold('109.75');
  assert.equal(won.verdict[1], 'of 10.00 made before costs fees took 20.00 %, slippage took 7.50 %, funding took 0.00 %: 72.50 % was left');
  assert.match(reportText(won), /^ {2}fees +2\.00 +20\.00 %$/m);
  assert.match(reportText(won), /^ {2}slippage +0\.75 +7\.50 %$/m);
  assert.match(reportText(won), /closed trades: 10\.00 before costs, 7\.25 net$/m);
  assert.match(sold('109.75', '3').verdict[1] ?? '', /funding gave 30\.00 %: 102\.50 % was left$/);
  // Between the profit after slippage, 1.95, and the one before it, 2.7: fees of 2 exceed neither the one nor the word of the verdict.
  const between = sold('102.45');
  assert.match(between.verdict[1] ?? '', /^of 2\.70 made before costs fees took 74\.07 %, .*: nothing was left$/);
  assert.ok(between.warnings.every((warning) => !warning.startsWith('fees')));
  assert.ok(sold('101.5').warnings.includes('fees of 2.00 exceed the 1.75 that the closed trades made before fees, slippage and funding'));
  for (const document of [won, between]) assert.doesNotMatch(reportText(document), /gross/);
  assert.match(reportText(won), /^ {2}paid +all fills +of profit before costs$/m);
  const eaten = sold('101.75');
  assert.equal(
    eaten.verdict[0],
    'no edge after costs: the closed trades made 2.00 before fees, slippage and funding, and -0.75 after them',
  );
  assert.match(eaten.verdict[1] ?? '', /slippage took 37\.50 %, funding took 0\.00 %: nothing was left$/);
  const lost = sold('94.75');
  assert.deepEqual(lost.verdict.slice(0, 2), ['no edge: the closed trades lost 5.00 before any cost', 'costs took a further 2.75']);
});

test('the text has the months of a year in a row, and the days with their tails', () => {
  const story = new Story();
  const equity = new EquityRecorder({ capital: 1_000, intervalMs: HOUR });
  const days = 120;
  const random = new Random(1);
  let value = 1_000;
  for (let hour = 1; hour <= days * 24; hour++) equity.record(START + hour * HOUR, (value *= 1 + 0.002 * random.normal()));
  const text = reportText(documentOf(story, [], { equity, to: START + days * 24 * HOUR }));
  assert.match(text, /^DAILY RETURNS\n {2}days {3}120 {3}skewness {3}-?\d\.\d\d {3}omega +\d\.\d\d\n/m);
  assert.match(text, /^ {2}historical +\d\.\d\d % +\d\.\d\d % +N\/A +N\/A$/m);
  assert.match(text, /^ {2}Cornish-Fisher( +\d\.\d\d %){4}$/m);
  assert.match(text, /^MONTHLY RETURNS\n +% +Jan +Feb .* Dec +year\n {2}2021( +-?\d+\.\d){5}$/m);
});

test('a session ends with its equity, trades, stop-outs, vetoes by name, fees, folder, and what each sleeve made of it', () => {
  const { ledger } = eventful();
  const text = sessionSummary({
    ended: 'the 60 s were over',
    capital: amount('1000'),
    currency: 'USDT',
    basis: 800,
    equity: 1_234.5,
    ledger,
    marks: [
      { first: NaN, last: 110 },
      { first: NaN, last: 9 },
    ],
    folder: 'runs/a1',
  });
  assert.equal(
    text,
    [
      'Session ended: the 60 s were over',
      '  equity              1,234.50 USDT (54.31 % of 800.00)',
      '  transfers           -200.50 USDT in 1, from 1,000.00 given',
      '  closed trades       2 (1 won), 9.31 USDT net',
      '  stop-outs           1',
      '  open positions      1: short ETH/USDT:USDT',
      '  vetoes and clamps   position limit clamped 1, collar refused 1',
      '  fills               5',
      '  fees                0.79 USDT',
      '  funding             0.01 USDT received',
      '  alerts              daily-loss 1',
      '  halted              operator me',
      '  run folder          runs/a1',
      '',
      'BY SLEEVE',
      '  name        trades   won   realised   open   profit   of capital   fees   slippage   funding',
      '  trend            1     1      19.78   0.00    19.78       1.98 %   0.22        N/A      0.00',
      '  reversion        1     0     -10.47   0.00   -10.47      -1.05 %   0.47        N/A      0.00',
      '  pair             0     0       0.00   9.91     9.91       0.99 %   0.10        N/A      0.01',
      '  TOTAL                                         19.22       1.92 %',
    ].join('\n'),
  );
});

test('a pair has a section of its own, in which both legs are one trade', () => {
  const story = new Story();
  for (const score of [-2.25, -2.5]) {
    story.pass().decide(2, 1, ['1', '-10'], {}, score);
    story.trade([[2, 0, '1']], '100', '0.1');
    story.trade([[2, 1, '-10']], '10', '0.1', { instrument: 1 });
    story.pass(3).decide(2, 0, ['0', '0'], {}, 0.1);
    story.trade([[2, 0, '-1']], '101', '0.1');
    story.trade([[2, 1, '10']], '9.9', '0.1', { instrument: 1 });
  }
  const document = documentOf(story, wandering);
  const [pair, ...others] = document.pairs;
  assert.equal(others.length, 0);
  assert.deepEqual([pair?.sleeve, pair?.wins, pair?.pnl, pair?.fees, pair?.averageHeldMs], ['pair', 2, '3.2', '0.8', 3 * HOUR]);
  assert.deepEqual(
    pair?.trades.map(({ pnl, entryZScore, exitZScore, exit, legs }) => [pnl, entryZScore, exitZScore, exit, legs.map((leg) => leg.pnl)]),
    [
      ['1.6', -2.25, 0.1, 'opinion', ['0.8', '0.8']],
      ['1.6', -2.5, 0.1, 'opinion', ['0.8', '0.8']],
    ],
  );
  const text = reportText(document);
  assert.match(text, /PAIR pair\n +opened +side +held +entry z +exit z +profit +fees +funding +exit\n/);
  assert.match(text, /2021-01-01T01:00:00Z +long +3h +-2\.25 +0\.10 +1\.60 +0\.40 +0\.00 +opinion/);
  assert.match(text, /TOTAL +2 of 2 won +3h +3\.20 +0\.80/);
  assert.doesNotMatch(reportText(documentOf(new Story(), wandering)), /PAIR/);
});
