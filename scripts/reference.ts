// Writes what is generated from the code's own tables: the commented config file and pages of reference.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFile, configPage } from '../src/app/config-reference.ts';
import { featuresPage } from '../src/features/features-reference.ts';
import { eventsPage } from '../src/journal/events-reference.ts';
import { ROOT } from '../test/support/source-tree.ts';

for (const [path, text] of [
  ['ballast.yaml', configFile()],
  ['docs/reference/config.md', configPage()],
  ['docs/reference/events.md', eventsPage()],
  ['docs/reference/features.md', featuresPage()],
] as const) {
  writeFileSync(join(ROOT, path), text);
  console.log(`${path}: ${text.split('\n').length - 1} lines`);
}
