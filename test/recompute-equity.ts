// Final equity once more, from a report's fills and exported bars alone: plain numbers, and nothing of src/.
//   node test/recompute-equity.ts REPORT.json BARS.csv [BARS.csv ...]      one file of bars for each of the report's symbols, in their order
import { readFileSync } from 'node:fs';

interface Report {
  symbols: string[];
  capital: string;
  fills: { symbol: string; side: string; price: string; quantity: string; fee: string }[];
  funding?: { amount: string }[];
  metrics: { finalEquity: number };
}

const [reportPath = '', ...barPaths] = process.argv.slice(2);
const { symbols, capital, fills, funding = [], metrics } = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
if (barPaths.length !== symbols.length) {
  console.error(`found ${barPaths.length} files of bars, expected one for each of ${symbols.join(', ')}`);
  process.exit(2);
}

let equity = Number(capital);
for (const payment of funding) equity += Number(payment.amount);
symbols.forEach((symbol, index) => {
  const lines = readFileSync(barPaths[index] ?? '', 'utf8')
    .trim()
    .split(/\r?\n/);
  const last = Number(lines.at(-1)?.split(',')[lines[0]?.split(',').indexOf('close') ?? -1]);
  for (const fill of fills.filter((each) => each.symbol === symbol)) {
    const quantity = (fill.side === 'buy' ? 1 : -1) * Number(fill.quantity);
    equity += quantity * (last - Number(fill.price)) - Number(fill.fee);
  }
});

const difference = Math.abs(equity / metrics.finalEquity - 1);
console.log(`recomputed ${equity}, reported ${metrics.finalEquity}, relative difference ${difference}`);
// Written so that a figure that is no number fails too.
process.exitCode = difference <= 1e-9 ? 0 : 1;
