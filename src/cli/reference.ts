// docs/reference/cli.md, written from the commands' own definitions. A test holds the page to it.
import { catalog } from './catalog.ts';
import type { AnyCommand } from './definition.ts';
import { aboutFlag, COMMON_OPTIONS } from './program.ts';

const HEAD = `# The command line

Written from the definitions of the commands (\`src/cli/catalog.ts\`); a test holds this page to them. \`ballast X\` means
\`npx ballast X\` in the clone; \`npm start\` is \`ballast paper\`, with its options after \`--\`.

## For every command

| option | meaning |
|---|---|
`;

const RULES = `
| exit code | means |
|---|---|
| 0 | done; a session that was asked to end has ended cleanly |
| 1 | failed, or a finding: a replay that says something else, a look-ahead leak, a doctor that finds something wrong, no session to talk to |
| 2 | an argument or the config is wrong: the message says where, what was found and what is expected |
| 130 | a second Ctrl-C: ended at once, and the next start goes on from what was recorded |

An error is one message on stderr, \`error: place: found …, expected … (what to do)\`; [errors.md](errors.md) lists the codes. With \`--json\` stdout
has exactly one JSON document, which for an error is \`{"error": {"code", "place", "found", "expected", "remedy"}}\`; progress and messages go to
stderr. Times in JSON are ISO-8601 UTC, or integer milliseconds in fields whose names end in \`Ms\`. What takes longer than a second shows its
progress on stderr: a bar on a terminal, a line for each tenth otherwise. \`NO_COLOR\` switches colours off.

- **Symbols** are ccxt's: \`BTC/USDT\` is spot, \`BTC/USDT:USDT\` the linear perpetual. Several have commas between them.
- **Spans** are a whole number and a unit: \`30s\`, \`15m\`, \`4h\`, \`1d\`, \`2w\`.
- **Times** are UTC: \`2021-01-01\`, \`20210101\`, \`2021-01-01T12:00Z\`, or integer milliseconds. From is inclusive, to exclusive, on the open
  time of bars. \`--timerange\` also reads epoch seconds, and one side of it may be left out.
- **Ctrl-C**, SIGTERM, SIGHUP and the end of the launcher ask a session or a backtest to end cleanly; a second signal does not wait.
- \`.env\` of the current folder is read before anything else; what the environment already says stays.
`;

export async function commandPage(): Promise<string> {
  const common = COMMON_OPTIONS.map(([spec, about]) => row([code(spec), about])).join('\n');
  const sections: string[] = [];
  for (const { name, summary, load } of catalog) sections.push(section(name, summary, await load()));
  return `${HEAD}${common}\n${RULES}\n${sections.join('\n')}`;
}

function section(name: string, summary: string, { about, details = [], words = [], flags, examples }: AnyCommand): string {
  const usage = [`ballast ${name}`, ...words.map(({ spec }) => spec), ...(Object.keys(flags).length > 0 ? ['[options]'] : [])].join(' ');
  const lines = [`## ballast ${name}`, '', `\`${usage}\`: ${summary}.`, '', about, ...details.flatMap((each) => ['', each])];
  const rows = [
    ...words.map(({ spec, about: meaning }) => row([code(spec), meaning])),
    ...Object.values(flags).map((flag) => row([code(flag.spec), aboutFlag(flag)])),
  ];
  if (rows.length > 0) lines.push('', '| word or option | meaning |', '|---|---|', ...rows);
  return `${[...lines, '', '```', ...examples, '```'].join('\n')}\n`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}
