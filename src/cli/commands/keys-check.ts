import type { KeyReport } from '../../app/check-keys.ts';
import { defineCommand, optional } from '../definition.ts';
import { siteFlags, siteOf } from '../site-flags.ts';
import { paintFor, printable, type Terminal } from '../terminal.ts';
import * as values from '../values.ts';

export const keysCheck = defineCommand({
  about: 'Says what the key of an account may do, how the account is set up, and whether a live session would trade with it.',
  details: ['Nothing is changed, and no key is shown. Exits 1 when a session would refuse it.'],
  flags: {
    ...siteFlags,
    symbols: optional('--symbols <symbols>', 'what is to be traded; those of paper.symbols unless said', values.symbols),
  },
  examples: ['ballast keys check --testnet', 'ballast keys check --venue binanceusdm --json'],
  async run({ flags }, { home, configFile, terminal }) {
    const { checkKeys } = await import('../../app/check-keys.ts');
    const report = await checkKeys({
      home,
      configFile,
      venue: flags.venue,
      site: siteOf(flags),
      isKeyVouchedFor: flags.keyIsTradeOnly,
      address: flags.address,
      environment: terminal.environment,
      symbols: flags.symbols,
    });
    return { exitCode: report.mayTrade ? 0 : 1, document: report, text: listed(report, terminal) };
  },
});

const MARKS = { well: ['green', 'well  '], unwise: ['yellow', 'unwise'], wrong: ['red', 'wrong '] } as const;

function listed({ account, mayTrade, findings, balances, positions }: KeyReport, { stdout, environment }: Terminal): string {
  const paint = paintFor(stdout, environment);
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  const lines = findings.map(({ subject, found, verdict, remedy }) => {
    const [colour, mark] = MARKS[verdict];
    const advice = remedy === null ? '' : `\n${' '.repeat(width + 10)}${printable(remedy)}`;
    return `${paint(colour, mark)}  ${subject.padEnd(width)}  ${printable(found)}${advice}`;
  });
  const money = Object.entries(balances).map(([coin, balance]) => `${balance} ${coin}`);
  const held = positions.map(({ symbol, quantity }) => `${quantity} ${symbol}`);
  return [
    ...lines,
    `account ${account}: ${money.length === 0 ? 'no money' : money.join(', ')}; ${held.length === 0 ? 'nothing held' : `holds ${held.join(', ')}`}`,
    mayTrade ? 'a live session would trade with this key' : 'a live session would refuse this key',
  ].join('\n');
}
