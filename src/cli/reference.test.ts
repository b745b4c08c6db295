// The pages of reference that are written from the code, and the one by hand that is held to it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT, sourceFiles } from '../../test/support/source-tree.ts';
import { httpPage } from '../api/reference.ts';
import { commandPage } from './reference.ts';

/** With it the pages are written instead of compared. */
const WRITES = process.env['BALLAST_WRITE_REFERENCE'] === '1';

function holds(path: string, text: string): void {
  if (WRITES) writeFileSync(join(ROOT, path), text);
  const found = readFileSync(join(ROOT, path), 'utf8');
  assert.ok(
    found === text,
    `${path} is not what the code says: write it again with BALLAST_WRITE_REFERENCE=1 node --test src/cli/reference.test.ts`,
  );
}

describe('docs/reference', () => {
  test('cli.md says what the definitions of the commands say', async () => holds('docs/reference/cli.md', await commandPage()));

  test('http.md says what the schemas of the answers say', () => holds('docs/reference/http.md', httpPage()));

  test('errors.md has a line for every code in the source, and no other', () => {
    const page = readFileSync(join(ROOT, 'docs/reference/errors.md'), 'utf8');
    const documented = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1] ?? '');
    const codes = codesOfSource();
    const missing = [...codes].filter(([code]) => !documented.includes(code)).map(([code, place]) => `${code} (${place})`);
    assert.ok(missing.length === 0, `codes without a line in errors.md: ${missing.join(', ')}`);
    const gone = documented.filter((code) => !codes.has(code));
    assert.ok(gone.length === 0, `lines in errors.md whose code is nowhere: ${gone.join(', ')}`);
    assert.deepEqual(documented, documented.toSorted(), 'the lines stand in the order of the alphabet');
    assert.equal(new Set(documented).size, documented.length, 'each code once');
  });
});

/** Every text in capitals with an underscore that the product holds is a code, but for names of the environment, of Node, of SQLite and of Bybit's wire. */
function codesOfSource(): ReadonlyMap<string, string> {
  const codes = new Map<string, string>([['BUG', 'src/cli/failure.ts']]);
  for (const { path, strings } of sourceFiles('src')) {
    if (/\.(test|contract)\.ts$/.test(path) || (path.startsWith('src/venues/bybit-server/') && !path.endsWith('/transport.ts'))) continue;
    for (const text of strings.values()) {
      if (/^[A-Z]+(_[A-Z]+)+$/.test(text) && !/^(BALLAST|ERR|NO|SQLITE)_/.test(text)) codes.set(text, path);
    }
  }
  return codes;
}
