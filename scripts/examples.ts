// `npm run examples`: every program in examples/ runs to its end, each in a fresh folder of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../test/support/source-tree.ts';

const TIME_LIMIT_MS = 180_000;

const programs = filesBelow('examples', '.ts').filter((path) => path.split('/').length === 2);

const failed = programs.filter((path) => !runs(path));
console.log(
  `examples: ${programs.length - failed.length} of ${programs.length} ran${failed.length > 0 ? `, failed: ${failed.join(', ')}` : ''}`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

function runs(path: string): boolean {
  const home = mkdtempSync(join(tmpdir(), 'ballast-example-'));
  const startedAt = performance.now();
  console.log(`\n${path}`);
  const { status, signal } = spawnSync(process.execPath, [join(ROOT, path)], {
    cwd: ROOT,
    env: { ...process.env, BALLAST_HOME: home },
    stdio: 'inherit',
    timeout: TIME_LIMIT_MS,
  });
  rmSync(home, { recursive: true, force: true });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (status !== 0) console.log(`${path}: found exit ${status ?? signal} after ${seconds} s, expected 0 within ${TIME_LIMIT_MS / 1000} s`);
  return status === 0;
}
