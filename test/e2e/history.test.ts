// Every file of the shared archive through the command line: what is imported, listed and found is what the archive says of itself.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { fakeTerminal } from '../../src/cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { openStore } from '../../src/market/history/store.ts';
import { needs, sharedPath } from '../support/needs.ts';
import { temporaryFolder } from '../support/run-app.ts';

interface Archive {
  readonly home: string;
  ballast<Document>(...words: readonly string[]): Promise<Document>;
  /** What `data check` says of each venue. */
  checked(kind: string): Promise<ReadonlyMap<string, Checked>>;
}

/** A home of its own, and the command's own code in this process: sixty starts of Node would take longer than all imports. */
function archive(): Archive {
  const home = temporaryFolder('history');
  const ballast = async <Document>(...words: readonly string[]): Promise<Document> => {
    const terminal = fakeTerminal();
    const exitCode = await runCommandLine([...words, '--json', '--home', home], terminal);
    assert.equal(exitCode, 0, `ballast ${words.join(' ')}: ${terminal.stderr.text()}`);
    return JSON.parse(terminal.stdout.text()) as Document;
  };
  return {
    home,
    ballast,
    checked: async (kind) => new Map((await ballast<Checked[]>('data', 'check', '--kind', kind)).map((each) => [each.venue, each])),
  };
}

interface Imported {
  readonly kind: string;
  readonly rowsRead: number;
  readonly added: number;
  readonly unchanged: number;
  readonly corrected: number;
  readonly duplicates: number;
  readonly restated?: number;
}

interface Listed {
  readonly kind: string;
  readonly venue: string;
  readonly symbol: string;
  readonly rows: number;
  readonly corrections: number;
  readonly clockOffsetsMs?: readonly number[];
}

interface Checked extends Listed {
  readonly holes: number;
  readonly missingBars: number;
  readonly missing: number;
  readonly flatBars: number;
  readonly coins: number;
  readonly restatedRows: number;
  readonly qualityRatio: number;
  readonly malformedBars: number;
  readonly spikes: number;
  readonly breaks: number;
  readonly disorderedBars: number;
  readonly duplicates: number;
  readonly earlyRows: number;
  readonly disorderedRows: number;
  readonly chainBreaks: number;
  readonly crossedRows: number;
  readonly findings: readonly { readonly kind: string; readonly from: string; readonly words: string }[];
}

/** What the archive says of a file: its rows, holes and missing rows. */
interface Promised {
  readonly rows: number;
  readonly holes: number;
  readonly missing: number;
  /** Of one price, with a volume or without. */
  readonly flat: number;
}

/** The README of a topic has a section for each file, whose name may lack the ending of its packing. */
function promises(topic: string): ReadonlyMap<string, Promised> {
  const text = readFileSync(sharedPath(`data/${topic}/README.md`), 'utf8');
  const found = new Map<string, Promised>();
  for (const section of text.split('\n## ').slice(1)) {
    const name = basename(section.split('\n', 1)[0] ?? '').replace(/\.gz$/, '');
    const [, rows] = /rows: (\d+)/.exec(section) ?? [];
    const [, holes, missing] = /gaps: (\d+) holes, (\d+) missing/.exec(section) ?? [];
    const [, flat] = /flat bars (\d+)/.exec(section) ?? [];
    const [counted, lacking, flats] = [holes, missing, flat].map((count) => Number(count ?? NaN));
    if (rows !== undefined) found.set(name, { rows: Number(rows), holes: counted ?? NaN, missing: lacking ?? NaN, flat: flats ?? NaN });
  }
  return found;
}

function filesOf(folder: string): string[] {
  return readdirSync(sharedPath(`data/${folder}`), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(csv|csv\.gz|jsonl)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** Each file gets a venue of its own, so that windows of one series are not one series with a hole of years. */
function venueOf(path: string): string {
  return basename(path)
    .replace(/\.csv(\.gz)?$|\.jsonl$/, '')
    .toLowerCase();
}

function symbolOf(path: string): string {
  const name = basename(path);
  if (name.startsWith('BTC-PERP')) return 'BTC/USD:USD';
  const base = /^([A-Z]+)USDT/.exec(name)?.[1] ?? '';
  return /perp|bybit|funding/.test(path) ? `${base}/USDT:USDT` : `${base}/USDT`;
}

/** `npm run archive` imports every file of the topics 1 to 4 a second time, which takes most of a minute; the suite a few of each kind. */
const isEveryFileTwice = process.env['BALLAST_ARCHIVE'] === 'twice';

function isTwice(path: string, selection: RegExp): boolean {
  return isEveryFileTwice || selection.test(path);
}

function assertUnchanged(report: Imported): void {
  assert.deepEqual([report.added, report.corrected, report.restated ?? 0], [0, 0, 0]);
  assert.equal(report.unchanged + report.duplicates, report.rowsRead);
}

/** Bars of one price, as the archive's pages count them. */
async function flatBarsByVenue(home: string): Promise<ReadonlyMap<string, number>> {
  const store = await openStore(home);
  try {
    const counts = new Map<string, number>();
    for (const series of await store.list()) {
      const { high, low } = await store.load(series);
      counts.set(series.venue, high.filter((price, row) => price === low[row]).length);
    }
    return counts;
  } finally {
    await store.close();
  }
}

// Side by side, because most of an import is waiting for DuckDB.
describe('the shared archive', { skip: needs('shared data'), concurrency: 3 }, () => {
  const bars = ['1_daily/ohlcv', '2_intraday'];

  test('of bars has the rows, holes and missing bars that its pages say', async () => {
    const { home, ballast, checked } = archive();
    const told = new Map(['1_daily', '2_intraday'].flatMap((topic) => [...promises(topic)]));
    const files = bars.flatMap(filesOf);
    assert.ok(files.length >= 35, `${files.length} files`);
    for (const path of files) {
      const timeframe = /1d|1h|5m|1m/.exec(basename(path))?.[0] ?? '';
      const words = ['data', 'import', path, '--venue', venueOf(path), '--symbol', symbolOf(path), '--timeframe', timeframe];
      const first = await ballast<Imported>(...words);
      assert.deepEqual([first.added, first.unchanged, first.duplicates], [first.rowsRead, 0, 0]);
      if (isTwice(path, /BTCUSDT_1d|LUNA/)) assertUnchanged(await ballast<Imported>(...words));
    }
    const checks = await checked('bars');
    const flatBars = await flatBarsByVenue(home);
    for (const path of files) {
      const check = checks.get(venueOf(path));
      const promised = told.get(basename(path).replace(/\.gz$/, ''));
      assert.ok(check !== undefined && promised !== undefined, path);
      const { rows, holes, missing, flat } = promised;
      assert.deepEqual([check.rows, check.holes, check.missingBars], [rows, holes, missing], path);
      const isLuna = path.includes('LUNA');
      assert.equal(check.coins, isLuna ? 2 : 1, path);
      if (!Number.isNaN(flat)) assert.equal(flatBars.get(venueOf(path)), flat, path);
      // With a volume a flat bar is a quiet one.
      assert.ok(path.includes('5m_perp') ? check.flatBars === 16 : check.flatBars <= (flat || 0), `${path}: ${check.flatBars} flat bars`);
      assert.deepEqual([check.malformedBars, check.spikes, check.breaks, check.disorderedBars, check.corrections], [0, 0, 0, 0, 0], path);
      const isWhole = holes === 0 && check.flatBars === 0;
      if (isWhole) assert.deepEqual([check.qualityRatio, check.findings], [1, []], path);
      else assert.ok(check.qualityRatio < 1 && check.qualityRatio > 0 === !isLuna, path);
    }
    assert.equal(checks.get('btcusdt_1h')?.holes, 27);
    const luna = checks.get('lunausdt_1h_2021-23');
    assert.deepEqual(
      luna?.findings.filter((finding) => finding.kind === 'another-coin').map(({ from }) => from.slice(0, 10)),
      ['2022-05-31'],
    );
  });

  test('of marks stands beside the bars', async () => {
    const { ballast, checked } = archive();
    for (const path of filesOf('2_intraday/1h_perp').slice(isEveryFileTwice ? 0 : -1)) {
      const words = ['data', 'import', path, '--kind', 'mark', '--venue', venueOf(path), '--symbol', symbolOf(path), '--timeframe', '1h'];
      const [report] = await ballast<Imported[]>(...words);
      assert.ok((report?.added ?? 0) > 40_000);
      if (isEveryFileTwice) for (const again of await ballast<Imported[]>(...words)) assertUnchanged(again);
    }
    for (const check of (await checked('mark')).values()) assert.deepEqual([check.holes, check.qualityRatio], [0, 1], check.venue);
  });

  test('of metrics has every day, and a vintage restates the flows alone', async () => {
    const { home, ballast, checked } = archive();
    const told = promises('1_daily');
    for (const path of filesOf('1_daily/onchain').filter((each) => !each.includes('vintage'))) {
      const format = path.includes('coinmetrics') ? 'coinmetrics' : 'csv';
      const symbol = basename(path).split('_')[0] ?? '';
      const words = ['data', 'import', path, '--format', format, '--kind', 'metric', '--venue', venueOf(path), '--symbol', symbol];
      await ballast<Imported[]>(...words, '--vintage', '2026-03-23');
      if (isTwice(path, /LINK/))
        for (const report of await ballast<Imported[]>(...words, '--vintage', '2026-03-24')) assertUnchanged(report);
    }
    for (const [venue, check] of await checked('metric')) {
      assert.deepEqual([check.holes, check.missing, check.earlyRows, check.restatedRows], [0, 0, 0, 0], venue);
      assert.ok(check.rows >= (told.get(`${venue}.csv`)?.rows ?? Infinity) || /_/.test(venue), venue);
    }
    const later = filesOf('1_daily/onchain').find((path) => path.includes('vintage')) ?? '';
    const words = [
      'data',
      'import',
      later,
      '--format',
      'coinmetrics',
      '--venue',
      'btc_coinmetrics',
      '--symbol',
      'BTC',
      '--vintage',
      '2026-06-01',
    ];
    const [report] = await ballast<Imported[]>(...words);
    assertUnchanged((await ballast<Imported[]>(...words))[0] ?? assert.fail('no report'));
    const out = join(home, 'restated.csv');
    await ballast(
      'data',
      'export',
      '--kind',
      'metric',
      '--symbol',
      'BTC',
      '--venue',
      'btc_coinmetrics',
      '--from',
      '2026-06-01',
      '--out',
      out,
    );
    const restated = readFileSync(out, 'utf8').trim().split('\n').slice(1);
    assert.equal(restated.length, report?.restated);
    const names = Object.groupBy(restated, (line) => line.split(',')[2] ?? '');
    assert.ok((names['FlowInExUSD']?.length ?? 0) > 1800 && (names['FlowOutExUSD']?.length ?? 0) > 1800);
    assert.ok(restated.length - 1827 * 2 < 5, 'all other columns are the same but for a last digit');
    assert.ok(
      restated.every((line) => line.startsWith(`${Date.parse('2026-06-01')},`)),
      'none was known before its vintage',
    );
  });

  test('of captures is shifted by the clock of each, and follows on', async () => {
    const { ballast } = archive();
    const told = promises('3_tick');
    for (const [market, symbol] of [
      ['coinm_BTCUSD_PERP_2024-08-08_09', 'BTC/USD:BTC'],
      ['spot_BTCUSDT_2024-08-08_09', 'BTC/USDT'],
      ['usdm_BTCUSDT_2024-08-08', 'BTC/USDT:USDT'],
    ] as const) {
      const files = filesOf('3_tick').filter((path) => path.includes(market));
      assert.equal(files.length, 4);
      const venue = `capture-${market.split('_', 1)[0]}`;
      const words = ['--format', 'capture', '--venue', venue, '--symbol', symbol];
      for (const report of await ballast<Imported[]>('data', 'import', ...files, ...words)) {
        const file = files.find((path) => path.includes(report.kind.replace('-', '_').replace('trades', '_trades')));
        assert.equal(report.added, told.get(basename(file ?? '').replace(/\.gz$/, ''))?.rows, `${venue} ${report.kind}`);
      }
      if (isEveryFileTwice) for (const report of await ballast<Imported[]>('data', 'import', ...files, ...words)) assertUnchanged(report);
    }
    const captures = (await ballast<Listed[]>('data', 'ls')).filter(({ venue }) => venue.startsWith('capture'));
    assert.equal(captures.length, 12);
    for (const { clockOffsetsMs } of captures) {
      const [offset = NaN, ...more] = clockOffsetsMs ?? [];
      assert.ok(Math.abs(offset - 1270) < 10 && more.length === 0, `${offset} ms, about 1.27 s`);
    }
    for (const [path, format, kind, symbol] of [
      ['binance_ETHUSDT_trades_2023-02-02.csv', 'csv', 'trades', 'ETH/USDT'],
      ['binance_spot_XRPETH_trades.csv.gz', 'csv', 'trades', 'XRP/ETH'],
      ['bybit_spot_or_linear_XRPUSDT_ob500_2024-12-01.jsonl', 'bybit-archive', 'book-delta', 'XRP/USDT'],
    ] as const) {
      const file = sharedPath(`data/3_tick/${path}`);
      const words = ['data', 'import', file, '--format', format, '--kind', kind, '--venue', 'ticks', '--symbol', symbol];
      await ballast<Imported[]>(...words);
      for (const report of await ballast<Imported[]>(...words)) assertUnchanged(report);
    }
    for (const kind of ['trades', 'book-delta', 'book-snapshot', 'ticker']) {
      const all = await ballast<Checked[]>('data', 'check', '--kind', kind);
      assert.ok(all.length >= 3, kind);
      for (const check of all) assert.deepEqual([check.qualityRatio, check.findings], [1, []], `${kind} ${check.venue} ${check.symbol}`);
    }
  });

  test('of funding, open interest and fear has the holes that its pages say', async () => {
    const { ballast } = archive();
    const told = promises('4_funding_oi_fng');
    for (const path of filesOf('4_funding_oi_fng')) {
      let words = ['--kind', 'metric', '--symbol', 'CRYPTO'];
      if (path.includes('funding_8h')) words = ['--kind', 'funding', '--symbol', symbolOf(path)];
      if (path.includes('open_interest')) words = ['--kind', 'open-interest', '--symbol', 'BTC'];
      const line = ['data', 'import', path, ...words, '--venue', venueOf(path)];
      await ballast<Imported[]>(...line);
      if (isTwice(path, /LTC|fear/)) for (const report of await ballast<Imported[]>(...line)) assertUnchanged(report);
      const kind = words[1] ?? '';
      const [check] = await ballast<Checked[]>('data', 'check', '--kind', kind, '--venue', venueOf(path));
      const promised = told.get(basename(path).replace(/\.gz$/, ''));
      assert.ok(check !== undefined && promised !== undefined, path);
      const { rows, holes, missing } = promised;
      assert.deepEqual([check.rows, check.holes, check.missing], [rows, holes || 0, missing || 0], path);
      assert.deepEqual([check.earlyRows, check.duplicates, check.disorderedRows], [0, 0, 0], path);
    }
  });

  test('of options keeps every instrument of every snapshot, and every trade', async () => {
    const { ballast } = archive();
    const told = promises('5_options');
    const files = filesOf('5_options');
    assert.ok(files.length >= 6, `${files.length} files`);
    for (const path of files) {
      const symbol = basename(path).split('_')[0] ?? '';
      const kind = path.includes('trades') ? 'option-trades' : 'option-chain';
      const words = ['data', 'import', path, '--format', 'deribit', '--kind', kind, '--venue', venueOf(path), '--symbol', symbol];
      const [report] = await ballast<Imported[]>(...words);
      assert.equal(report?.added, told.get(basename(path).replace(/\.gz$/, ''))?.rows, path);
      assertUnchanged((await ballast<Imported[]>(...words))[0] ?? assert.fail('no report'));
    }
    const checks = [...(await ballast<Checked[]>('data', 'check', '--kind', 'option-chain'))];
    checks.push(...(await ballast<Checked[]>('data', 'check', '--kind', 'option-trades')));
    assert.equal(checks.length, files.length);
    for (const check of checks) assert.deepEqual([check.crossedRows, check.earlyRows, check.qualityRatio], [0, 0, 1], check.venue);
  });
});
