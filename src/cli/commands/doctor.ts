import { defineCommand } from '../definition.ts';
import { paintFor, printable, type Terminal } from '../terminal.ts';

/** What was looked at, and what was found; `remedy` where something is wrong. */
interface Finding {
  readonly subject: string;
  readonly isWell: boolean;
  readonly found: string;
  readonly remedy: string | null;
}

export const doctor = defineCommand({
  about: 'Looks at what a session needs: Node, the home folder, the config, the stored bars, the journals, the disk and the port.',
  details: ['Exits 1 when something is wrong. Nothing is changed, but for a file that is written to the home folder and removed.'],
  flags: {},
  examples: ['ballast doctor', 'ballast doctor --json'],
  async run(_, { home, configFile, terminal }) {
    const checks = await import('../health-checks.ts');
    const findings: Finding[] = [];
    for (const [subject, check] of checks.all({ home, configFile })) findings.push(await finding(subject, check, checks.wordsOf));
    const isWell = findings.every((each) => each.isWell);
    return { exitCode: isWell ? 0 : 1, document: { isWell, findings }, text: listed(findings, terminal) };
  },
});

async function finding(
  subject: string,
  check: () => Promise<string>,
  wordsOf: (error: unknown) => [string, string | null],
): Promise<Finding> {
  try {
    return { subject, isWell: true, found: await check(), remedy: null };
  } catch (error) {
    const [found, remedy] = wordsOf(error);
    return { subject, isWell: false, found, remedy };
  }
}

function listed(findings: readonly Finding[], { stdout, environment }: Terminal): string {
  const paint = paintFor(stdout, environment);
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  return findings
    .map(({ subject, isWell, found, remedy }) => {
      const mark = isWell ? paint('green', 'well  ') : paint('red', 'wrong ');
      const advice = remedy === null ? '' : `\n${' '.repeat(width + 8)}${printable(remedy)}`;
      return `${mark}  ${subject.padEnd(width)}  ${printable(found)}${advice}`.trimEnd();
    })
    .join('\n');
}
