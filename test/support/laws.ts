// The five laws and the manners, as functions from files to findings. A finding is one line: the place, what was found, what is expected.
import { importCycles, isTest, reachable, type SourceFile } from './source-tree.ts';
import { lineOf } from './source-text.ts';

export type Law = (files: readonly SourceFile[]) => string[];

const STAGES = ['market', 'features', 'forecasts', 'council', 'risk', 'execution', 'portfolio', 'journal', 'views'] as const;
const GROUND = ['domain', 'quant', 'pricing'] as const;
/** What holds a running program together and may know the wall clock. */
const OUTSIDE = ['app', 'api', 'cli', 'notify'] as const;

/**
 * Who may import whom, by folder below src/. An entry is a folder, a path within one, or either followed by ` (types)`.
 * Own folder always. ARCHITECTURE.md shows this table and is compared with it.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  quant: ['domain (types)'],
  pricing: ['domain (types)', 'quant'],
  market: GROUND,
  features: GROUND,
  forecasts: [...GROUND, 'features (types)', 'features/catalog.ts', 'features/subject-catalog.ts', 'learning'],
  council: GROUND,
  risk: GROUND,
  execution: GROUND,
  portfolio: GROUND,
  journal: GROUND,
  views: GROUND,
  learning: ['domain', 'quant'],
  engine: ['domain', ...STAGES],
  venues: ['domain', 'quant', 'market/book'],
  lab: [...GROUND, ...STAGES, 'learning', 'engine', 'venues/simulated'],
  app: [...GROUND, ...STAGES, 'learning', 'engine', 'venues', 'lab', 'notify'],
  api: ['app', 'lab', 'market/history', 'pricing', 'views', 'domain'],
  cli: ['app', 'api', 'notify', 'lab', 'market/history', 'pricing', 'views', 'domain'],
  notify: ['app', 'lab', 'market/history', 'pricing', 'views', 'domain'],
};

/** Folders that import no package and no module of Node: they could run anywhere. */
const PURE: readonly string[] = GROUND;

/** Law 1: the import table, and no import cycles. Tests may import what they test. */
export const importTable: Law = (files) => {
  const findings: string[] = [];
  const product = files.filter((file) => file.path.startsWith('src/') && !isTest(file.path));
  for (const file of product) {
    const folder = folderOf(file.path);
    if (file.path === 'src/index.ts') continue;
    const allowed = MAY_IMPORT[folder];
    if (allowed === undefined) {
      findings.push(
        `${file.path}: found a folder that the import table does not know, expected one of ${Object.keys(MAY_IMPORT).join(', ')}`,
      );
      continue;
    }
    for (const { specifier, path, typeOnly, line } of file.imports) {
      if (path === undefined) {
        if (PURE.includes(folder)) findings.push(`${file.path}:${line}: found an import of "${specifier}", expected none in ${folder}`);
        continue;
      }
      const isAllowed =
        folderOf(path) === folder ||
        allowed.some((entry) => {
          const [target = '', types] = entry.split(' ');
          return (types === undefined || typeOnly) && isWithin(path, target);
        });
      if (!isAllowed)
        findings.push(`${file.path}:${line}: found an import of ${path}, expected ${folder} -> ${allowed.join(', ') || 'nothing'}`);
    }
  }
  for (const cycle of importCycles(product)) findings.push(`${cycle[0]}: found an import cycle ${cycle.join(' -> ')}, expected none`);
  return findings;
};

export function importTableAsMarkdown(): string {
  const rows = Object.entries(MAY_IMPORT).map(([folder, allowed]) => `| ${folder} | ${allowed.join(', ') || 'nothing'} |`);
  return ['| folder | may import |', '|---|---|', ...rows].join('\n');
}

const WALL_CLOCK = new RegExp(
  [
    String.raw`\bDate\.now\b`,
    String.raw`\bnew Date\(\s*\)`,
    String.raw`(?<!new )(?<![.\w])Date\(`,
    String.raw`\bTemporal\.Now\b`,
    String.raw`\bperformance\.(now|timeOrigin)\b`,
    String.raw`\bprocess\.(hrtime|uptime)\b`,
    String.raw`\b(setTimeout|setInterval|setImmediate)\b`,
    String.raw`\bAbortSignal\.timeout\b`,
    String.raw`\bscheduler\.(wait|yield)\b`,
    String.raw`\bMath\.random\b`,
    String.raw`\b(randomUUID|randomBytes|randomInt|randomFillSync|getRandomValues)\b`,
  ].join('|'),
  'g',
);

/** Law 2: wall clock, timers and unseeded randomness only where a program meets the world. */
export const wallClock: Law = (files) =>
  occurrences(files, WALL_CLOCK, 'the Timers port or a seeded generator', (file) => {
    const name = file.path.split('/').at(-1) ?? '';
    return isClock(file.path) || name === 'transport.ts' || isIn(file, OUTSIDE);
  });

const MODE_CHECK = /\b(is(Backtest|Backtesting|Live|LiveTrading|Paper|PaperTrading|DryRun)|runMode|dryRun)\b|\b\w*[mM]ode\s*[!=]==?/g;
const MODES = new Set(['backtest', 'paper', 'live']);

/** Law 3: no code below app/ and lab/ asks which mode it is in. */
export const modes: Law = (files) => {
  const allowed = (file: SourceFile): boolean => isIn(file, [...OUTSIDE, 'lab']) || file.path === 'src/index.ts';
  const findings = occurrences(files, MODE_CHECK, 'parts chosen in app/', allowed);
  for (const file of productOf(files)) {
    if (allowed(file)) continue;
    for (const [offset, string] of file.strings) {
      if (MODES.has(string)) findings.push(`${place(file, offset)}: found '${string}', expected no mode below app/`);
    }
  }
  return findings;
};

/** Law 4: what must be earned is minted in one place. */
export const minting: Law = (files) => [
  ...occurrences(files, /\bas\s+(unknown\s+as\s+)?Approved\b/g, 'it in risk/gate.ts only', ({ path }) => path === 'src/risk/gate.ts'),
  ...occurrences(files, /\bas\s+(unknown\s+as\s+)?(Price|Quantity|Amount)\b/g, 'it in domain/ only', (file) => isIn(file, ['domain'])),
  ...occurrences(files, /\b(fromUnits|unitsOf)\b/g, 'the byte codec of domain/ only', (file) => isIn(file, ['domain'])),
];

/** Law 5: every source file is reachable from the public interface, the command line, the web app or a test. */
export const reachability: Law = (files) => {
  const roots = files
    .map((file) => file.path)
    .filter((path) => path === 'src/index.ts' || !path.startsWith('src/') || isTest(path) || path.startsWith('src/cli/'));
  const reached = reachable(files, roots);
  return files
    .filter((file) => !reached.has(file.path))
    .map((file) => `${file.path}: found no way to it, expected an import from src/index.ts, src/cli or a test`);
};

/** The manners that a machine can see. */
export const manners: Law = (files) => {
  const findings = [
    ...occurrences(files, /(?<!\.)\bany\b(?!\s*\()/g, 'a type', undefined, files),
    ...occurrences(files, /\binterface\s+I[A-Z][a-z]\w*|\b[A-Z]\w*Impl\b/g, 'a name without prefix or suffix', undefined, files),
  ];
  for (const file of files) {
    for (const match of file.code.matchAll(/\bcatch\s*(\([^)]*\)\s*)?\{(\s*)\}/g)) {
      const inside = file.source.slice(match.index + match[0].lastIndexOf('{') + 1, match.index + match[0].length - 1);
      if (inside.trim() === '') findings.push(`${place(file, match.index)}: found an empty catch, expected a decision`);
    }
    for (const match of file.source.matchAll(UNFINISHED))
      findings.push(`${place(file, match.index)}: found ${match[0]}, expected finished work`);
    const name = file.path.split('/').at(-1)?.replace(/\.ts$/, '') ?? '';
    if (DRAWER.test(name)) findings.push(`${file.path}: found a file named as a drawer, expected it named after what it holds`);
    if (!/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name)) findings.push(`${file.path}: found a name that is not kebab-case, expected kebab-case`);
  }
  return findings;
};

/** The one word behind which work is put off. Spelled apart, so that this file passes its own check. */
const UNFINISHED = new RegExp(String.raw`\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\b`, 'g');
const DRAWER = /^(.*-)?(utils?|helpers?|managers?|misc|common|types|services?)$/;

/** A path on somebody's machine: a home, a mount, a working folder. In text or code. */
const MACHINE_PATH = /(?<![\w.)}/-])\/(home|Users|root|mnt|work|workspace)\/[\w.-]/g;

export function machinePaths(path: string, source: string): string[] {
  return [...source.matchAll(MACHINE_PATH)].map(
    (match) => `${path}:${lineOf(source, match.index)}: found a path of a machine, expected one relative to the clone`,
  );
}

export interface BannedWord {
  readonly word: string;
  readonly instead: string;
  /** Only in the folders from domain to engine; otherwise everywhere. */
  readonly coreOnly: boolean;
}

/** Reads the table of losers from the glossary: | `word` | say | where |. */
export function bannedWords(glossary: string): BannedWord[] {
  return [...glossary.matchAll(/^\| `([a-z]+)` \| (.+?) \| (everywhere|core) \|$/gm)].map((match) => ({
    word: match[1] ?? '',
    instead: match[2] ?? '',
    coreOnly: match[3] === 'core',
  }));
}

/** One word per idea: no identifier contains a loser of the glossary. A venue's wire keeps the venue's words, and so do tests that speak it. */
export function wording(files: readonly SourceFile[], words: readonly BannedWord[]): string[] {
  const banned = new Map(words.map((entry) => [entry.word, entry]));
  const findings: string[] = [];
  for (const file of files) {
    if (isIn(file, ['venues']) || file.path.startsWith('test/conformance/')) continue;
    const isCore = file.path.startsWith('src/') && !isIn(file, [...OUTSIDE, 'lab', 'market', 'venues']);
    for (const match of file.code.matchAll(/[A-Za-z_$][\w$]*/g)) {
      if (/abort/i.test(match[0]) || (match[0] === 'signal' && file.code.includes('AbortSignal'))) continue;
      for (const word of wordsOf(match[0])) {
        const entry = banned.get(word) ?? banned.get(word.replace(/s$/, ''));
        if (entry === undefined || (entry.coreOnly && !isCore)) continue;
        findings.push(`${place(file, match.index)}: found "${match[0]}", expected ${entry.instead} (docs/reference/glossary.md)`);
      }
    }
  }
  return findings;
}

/**
 * What a page claims of the code: `src/x/y.ts` and folders are there, `src/x/y.ts#name` is exported there (`#Name.method` is a method of
 * it), `name()` is a function or method somewhere, and [links](to/files) lead somewhere. Fenced blocks are pictures and claim nothing.
 */
export function brokenReferences(
  page: string,
  markdown: string,
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ' '));
  const byPath = new Map(files.map((file) => [file.path, file]));
  const findings: string[] = [];
  const report = (offset: number, found: string, expected: string): void => {
    findings.push(`${page}:${lineOf(markdown, offset)}: found ${found}, expected ${expected}`);
  };
  for (const { index, path, name } of codeReferences(prose)) {
    if (!exists(path)) report(index, `\`${path}\``, 'a file or folder that is there');
    else if (name !== undefined && !isExported(byPath.get(path), name)) report(index, `\`${path}#${name}\``, 'an export of that file');
  }
  for (const match of prose.matchAll(/`([a-z]\w*)\(\)`/g)) {
    const name = match[1] ?? '';
    if (!files.some((file) => isFunction(file, name))) report(match.index, `\`${name}()\``, 'a function of src/');
  }
  for (const match of prose.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)/g)) {
    const folder = page.includes('/') ? page.slice(0, page.lastIndexOf('/') + 1) : '';
    if (!exists(normalised(folder + (match[1] ?? '')))) report(match.index, `a link to ${match[1]}`, 'a file that is there');
  }
  return findings;
}

/** The claims of a page about files of the code, such as `src/x/y.ts#name`. */
export function codeReferences(prose: string): { index: number; path: string; name: string | undefined }[] {
  const reference = /`((?:src|test|bin|scripts|bench|examples|docs|web)\/[\w./-]*)(?:#([\w.]+))?`/g;
  return [...prose.matchAll(reference)].map((match) => ({ index: match.index, path: match[1] ?? '', name: match[2] }));
}

function isExported(file: SourceFile | undefined, reference: string): boolean {
  const [name = '', method] = reference.split('.');
  const code = file?.code ?? '';
  const declared = new RegExp(
    String.raw`^export (default )?(declare )?(abstract )?(async )?(function\*?|const|let|class|interface|type|enum) ${name}\b`,
    'm',
  );
  const listed = new RegExp(String.raw`^export (type )?\{[^}]*\b${name}\b[^}]*\}`, 'm');
  if (!declared.test(code) && !listed.test(code)) return false;
  return method === undefined || new RegExp(String.raw`^\s+(readonly |async |static |get |\*)*#?${method}\??[(<:]`, 'm').test(code);
}

function isFunction(file: SourceFile, name: string): boolean {
  if (!file.path.startsWith('src/') || isTest(file.path)) return false;
  return new RegExp(String.raw`\bfunction\*? ${name}\b|\bconst ${name} = (async )?[(<]|^\s+(async |static |\*)*#?${name}\??[(<]`, 'm').test(
    file.code,
  );
}

function normalised(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

function occurrences(
  files: readonly SourceFile[],
  pattern: RegExp,
  expected: string,
  allowed: (file: SourceFile) => boolean = () => false,
  among: readonly SourceFile[] = productOf(files),
): string[] {
  const findings: string[] = [];
  for (const file of among) {
    if (allowed(file)) continue;
    for (const match of file.code.matchAll(pattern))
      findings.push(`${place(file, match.index)}: found "${match[0].trim()}", expected ${expected}`);
  }
  return findings;
}

function productOf(files: readonly SourceFile[]): SourceFile[] {
  return files.filter((file) => file.path.startsWith('src/') && !isTest(file.path));
}

function place(file: SourceFile, offset: number): string {
  return `${file.path}:${lineOf(file.source, offset)}`;
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function isIn(file: SourceFile, folders: readonly string[]): boolean {
  return folders.some((folder) => isWithin(file.path, folder));
}

/** Whether a path lies in `domain`, or in `market/history` as a folder or as the beginning of a file's name. */
function isWithin(path: string, target: string): boolean {
  return path.startsWith(`src/${target}/`) || (target.includes('/') && path.startsWith(`src/${target}`));
}

function isClock(path: string): boolean {
  return /^src\/engine\/[\w-]+-clock\.ts$/.test(path);
}

function wordsOf(identifier: string): string[] {
  return identifier
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_$]+/)
    .map((word) => word.toLowerCase());
}
