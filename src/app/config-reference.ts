// ballast.yaml and its page of reference, written from the schema: `node scripts/reference.ts`. A test holds the committed files to it.
import { stringify } from 'yaml';
import { configSchema } from './config-schema.ts';
import { describeSchema, type JsonSchema } from './schema-findings.ts';

/** Columns of a comment in the config file. */
const COMMENT_WIDTH = 120;

type Field = readonly [name: string, schema: JsonSchema];

function fieldsOf(schema: JsonSchema | undefined): readonly Field[] {
  return Object.entries(schema?.properties ?? {});
}

/** The whole config file: every field with its default, what it means and why. */
export function configFile(): string {
  const lines = [
    '# Every field with its default: what is left out, or commented out, has it. Ratios are 0..1. A span of time is a text such as 10s, 15m,',
    '# 4h or 30d, or whole milliseconds. Unknown names are errors. Limits of each field: docs/reference/config.md. Secrets stay in .env.',
  ];
  for (const [name, section] of fieldsOf(describeSchema(configSchema))) {
    lines.push('', ...comment(section.description ?? '', ''));
    if (section.properties === undefined) lines.push(...written(name, section.default, ''));
    else lines.push(`${name}:`, ...fieldsOf(section).flatMap(([field, schema]) => fieldLines(field, schema, '  ')));
  }
  return `${lines.join('\n')}\n`;
}

function fieldLines(name: string, schema: JsonSchema, indent: string): string[] {
  const about = comment([schema.description, unitSentence(schema)].filter((part) => part !== undefined).join(' '), indent);
  if (schema.properties === undefined) return [...about, ...written(name, schema.default, indent)];
  return [...about, `${indent}${name}:`, ...fieldsOf(schema).flatMap(([field, inner]) => fieldLines(field, inner, `${indent}  `))];
}

function unitSentence({ unit }: JsonSchema): string | undefined {
  return unit === undefined ? undefined : `[${unit}]`;
}

function written(name: string, value: unknown, indent: string): string[] {
  // A list of texts stays on one line, and so does each text list of a longer one.
  if (Array.isArray(value) && value.length > 0 && value.every(isTextList)) {
    return [`${indent}${name}:`, ...value.map((entry) => `${indent}  - [${entry.join(', ')}]`)];
  }
  const text = isTextList(value) ? `${name}: [${value.join(', ')}]` : stringify({ [name]: value }, { lineWidth: 0 }).trimEnd();
  return text.split('\n').map((line) => `${indent}${line}`);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > COMMENT_WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** docs/reference/config.md. */
export function configPage(): string {
  const lines = [
    '# The config file',
    '',
    'Written from the schema (`src/app/config-schema.ts#configSchema`) by `scripts/reference.ts`; a test holds it to that. `ballast.yaml` is read',
    'from the current folder, `--home DIR` or `BALLAST_HOME`; `--config FILE` names another. The order is defaults, file, command line. What is',
    'left out has its default; unknown names are errors, and every error says file, line, column and field.',
    '',
    'Ratios are 0..1, never percent. A span of time is a text such as `10s`, `15m`, `4h` or `30d`, or whole milliseconds. Spans marked *market',
    'time* pass as fast as the session does. Nothing secret belongs here: keys are read from the environment.',
  ];
  for (const [name, section] of fieldsOf(describeSchema(configSchema))) {
    lines.push('', `## ${name}`, '', section.description ?? '');
    if (section.properties === undefined) {
      lines.push(
        '',
        `Default \`${String(section.default)}\`; one of ${(section.enum ?? []).map((each) => `\`${String(each)}\``).join(', ')}.`,
      );
      continue;
    }
    lines.push('', ...table(rowsOf(name, section)));
    for (const [field, { items }] of fieldsOf(section)) {
      if (items?.properties !== undefined) {
        lines.push('', `Each entry of \`${name}.${field}\`:`, '', ...table(rowsOf('', items)));
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

function rowsOf(path: string, section: JsonSchema): string[] {
  return fieldsOf(section).flatMap(([name, schema]): string[] => {
    const place = path === '' ? name : `${path}.${name}`;
    if (schema.properties !== undefined && schema.description !== undefined) {
      return rowsOf(place, schema).map((row) => row.replace(/ \|$/, ` ${schema.description ?? ''} |`));
    }
    return [
      `| \`${place}\` | ${schema.default === undefined ? 'none' : `\`${defaultText(schema.default)}\``} | ${allowedText(schema)} | ${schema.unit ?? ''} | ${schema.description ?? ''} |`,
    ];
  });
}

function table(rows: readonly string[]): string[] {
  return ['| field | default | allowed | unit | meaning |', '|---|---|---|---|---|', ...rows];
}

function defaultText(value: unknown): string {
  if (Array.isArray(value)) return value.map((each) => (typeof each === 'string' ? each : flow(each))).join(', ');
  return typeof value === 'string' ? value : flow(value);
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}

function allowedText({
  allowed,
  minimum,
  maximum,
  exclusiveMinimum,
  exclusiveMaximum,
  type,
  properties,
  enum: values,
}: JsonSchema): string {
  if (allowed !== undefined) return allowed;
  if (values !== undefined) return values.map(String).join(', ');
  const low = exclusiveMinimum === undefined ? minimum?.toString() : `above ${exclusiveMinimum}`;
  const high = exclusiveMaximum === undefined ? maximum?.toString() : `below ${exclusiveMaximum}`;
  const whole = type === 'integer' ? 'whole, ' : '';
  if (low !== undefined && high !== undefined) return `${whole}${low} to ${high}`;
  if (type === 'array') return 'a list';
  return properties === undefined && type === 'object' ? 'names with values' : 'a text';
}
