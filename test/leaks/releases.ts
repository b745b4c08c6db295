// A series from outside: what was measured every six hours, and published four and a half hours later.
import { readFileSync } from 'node:fs';

const rows = readFileSync(new URL('./releases.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1);

export const releases = rows.map((row) => {
  const [happened = '', published = '', value = ''] = row.split(',');
  return { happenedAt: Date.parse(happened), knownAt: Date.parse(published), value: Number(value) };
});
