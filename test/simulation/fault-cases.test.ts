// The index of the fault cases: each has a test by its number, and docs/reference/fault-cases.md says where. BALLAST_WRITE_REFERENCE=1 writes the
// lists of files into the page anew.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { filesBelow, ROOT } from '../support/source-tree.ts';

const CASES = 52;
const PAGE = join(ROOT, 'docs/reference/fault-cases.md');
/** A title that begins with one case or several: `F26, F33: …`. One that is skipped or put off is none. */
const TITLE = /\btest\(\s*[`'"](F\d+(?:, F\d+)*): /g;
const ROW = /^\| (F\d+) \| (.+) \| (.+) \| (.*)\|$/;

/** By case: the files with a test of it. */
function testsByCase(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const path of [...filesBelow('src', '.test.ts'), ...filesBelow('test', '.test.ts')].toSorted()) {
    for (const [, cases = ''] of readFileSync(join(ROOT, path), 'utf8').matchAll(TITLE)) {
      for (const each of cases.split(', ')) {
        const files = found.get(each) ?? [];
        if (!files.includes(path)) files.push(path);
        found.set(each, files);
      }
    }
  }
  return found;
}

/** The page with the list of files of every row as it is found. */
function withFiles(page: string, found: ReadonlyMap<string, readonly string[]>): string {
  const rows = page.split('\n').map((line) => {
    const [, number = '', fault = '', holds = ''] = ROW.exec(line) ?? [];
    if (number === '') return line;
    const files = (found.get(number) ?? []).map((path) => `\`${path}\``).join(', ');
    return `| ${number} | ${fault} | ${holds} | ${files} |`;
  });
  return rows.join('\n');
}

describe('the fault cases', () => {
  const found = testsByCase();
  const expected = Array.from({ length: CASES }, (_, index) => `F${index + 1}`);

  test('each has a test that bears its number', () => {
    assert.deepEqual(
      expected.filter((each) => !found.has(each)),
      [],
      'cases without a test',
    );
    assert.deepEqual(
      [...found.keys()].filter((each) => !expected.includes(each) && each !== 'F53'),
      [],
      'tests of cases that there are not',
    );
  });

  test('are on the page, each with files that have such a test', () => {
    if (process.env['BALLAST_WRITE_REFERENCE'] === '1') writeFileSync(PAGE, withFiles(readFileSync(PAGE, 'utf8'), found));
    const listed = readFileSync(PAGE, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, number = '', , , files = ''] = ROW.exec(line) ?? [];
        return number === '' ? [] : [{ number, files: [...files.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path) }];
      });
    assert.deepEqual(
      listed.map(({ number }) => number),
      expected,
    );
    const wrong = listed.flatMap(({ number, files }) => {
      const without = files.filter((path) => found.get(number)?.includes(path) !== true);
      return files.length > 0 && without.length === 0 ? [] : [`${number}: ${without.join(', ') || 'no file'}`];
    });
    assert.deepEqual(wrong, [], 'BALLAST_WRITE_REFERENCE=1 node --test test/simulation/fault-cases.test.ts writes the lists anew');
  });
});
