// Lets Node read Ballast's own TypeScript when Ballast is installed as a dependency: Node strips types from `.ts` files
// everywhere except below a node_modules folder. In a clone this does nothing. A program that imports Ballast as a
// library starts with `node --import ballast/register`.
import { readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url).href;

if (root.includes('/node_modules/')) {
  nodeModule.registerHooks({
    load(url, context, nextLoad) {
      const ours = url.startsWith(root) && url.endsWith('.ts') && !url.includes('/node_modules/', root.length);
      if (!ours) return nextLoad(url, context);
      return { format: 'module', shortCircuit: true, source: withoutTypes(readFileSync(fileURLToPath(url), 'utf8')) };
    },
  });
}

/** Node's own type stripping, without its note on stderr that this entry to it may change: Node is pinned. */
function withoutTypes(source) {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return nodeModule.stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
