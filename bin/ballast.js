#!/usr/bin/env node
// The launcher: plain JavaScript that any Node from 18 on can read. Under the pinned Node it is the program itself;
// under an older one it starts itself again with the Node that `npm ci` put beside it, and stands in for it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PINNED_MAJOR = 26;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** A signal that arrived by both ways within this time is one signal. */
const SAME_SIGNAL_MS = 1_000;
/** How long a signal sent to the whole process group may take to reach the program by itself. */
const SIGNAL_GRACE_MS = 50;

if (majorOf(process.versions.node) >= PINNED_MAJOR) {
  nodeModule.enableCompileCache();
  if (process.send !== undefined) takeSignalsFromLauncher();
  await import('./register.js');
  await import('../src/cli/main.ts');
} else {
  standInFor(pinnedNode());
}

/** Runs this file again under the given Node: same terminal, same arguments, same exit code. */
function standInFor(node) {
  // Through the channel the program learns that the launcher is gone, however it went.
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of SIGNALS) {
    // Ctrl-C reaches the whole group, `kill` only this process: the program knows which, so it is told and not signalled.
    process.on(signal, () => {
      if (child.connected) child.send({ launcherGot: signal }, ignoreClosedChannel);
    });
  }
  child.on('error', (error) => fail(node, error.message, 'an executable Node'));
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
}

/** In the program: raise what the launcher got, unless it has arrived here as well. */
function takeSignalsFromLauncher() {
  const arrivedAt = new Map();
  for (const signal of SIGNALS) {
    const note = () => {
      arrivedAt.set(signal, performance.now());
      // Nobody else listens: do what the signal does to a process without listeners.
      if (process.listenerCount(signal) > 1) return;
      process.off(signal, note);
      process.kill(process.pid, signal);
    };
    process.on(signal, note);
  }
  process.on('message', (message) => {
    const signal = message?.launcherGot;
    if (!SIGNALS.includes(signal)) return;
    setTimeout(() => {
      if (performance.now() - (arrivedAt.get(signal) ?? -Infinity) > SAME_SIGNAL_MS) process.kill(process.pid, signal);
    }, SIGNAL_GRACE_MS);
  });
  // An open channel is no reason to stay alive.
  process.channel.unref();
}

/** The executable of the npm package `node`, beside this package or above it. */
function pinnedNode() {
  const require = nodeModule.createRequire(import.meta.url);
  let folder;
  try {
    folder = dirname(require.resolve('node/package.json'));
  } catch {
    return fail('npm package "node"', 'none', `version ${PINNED_MAJOR}`);
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (majorOf(version) < PINNED_MAJOR) return fail(folder, `Node ${version}`, `Node ${PINNED_MAJOR} or later`);
  const node = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(node) ? node : fail(node, 'no such file', 'the pinned Node, put there by its install script');
}

function fail(place, found, expected) {
  const remedy = `run "npm ci" with install scripts allowed, or start Ballast with Node ${PINNED_MAJOR} or later`;
  process.stderr.write(`ballast: ${place}: found ${found}, expected ${expected} (${remedy})\n`);
  process.exit(1);
}

function majorOf(version) {
  return Number(version.split('.')[0]);
}

function ignoreClosedChannel() {
  // The program is ending by itself: there is nobody left to tell.
}
