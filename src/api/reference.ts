// docs/reference/http.md, written from the schemas of the answers. A test holds the page to it.
import { z } from 'zod';
import { commandAnswerSchema, commandBodySchema, commandNames, failureSchema, healthSchema, runStatusSchema } from './contract.ts';

const HEAD = `# The HTTP server of a session

Written from the schemas in \`src/api/contract.ts\`; a test holds this page to them. \`ballast paper\` listens on this machine only, on \`api.port\` of the
config (127.0.0.1:3000), or on \`--port\`. Only this machine is answered: whoever reaches the server can halt the session.

| request | answers |
|---|---|
| \`GET /\` | the status page: one document, nothing is loaded from elsewhere |
| \`GET /health\` | whether the session is there |
| \`GET /status\` | its whole state; 503 while it is starting |
${commandNames.map((name) => `| \`POST /commands/${name}\` | ${commandWords(name)} |`).join('\n')}

A command is answered once the session's loop has handled it. Its body is JSON, \`{}\` at least, with \`content-type: application/json\`:

\`\`\`
curl -X POST -H 'content-type: application/json' -d '{}' http://127.0.0.1:3000/commands/halt
\`\`\`

Refused are requests from other machines, requests whose \`Host\` is no name of this machine (a page elsewhere whose name was made to point here),
whose \`Origin\` is another page, and commands that are not JSON: no page of another site can read the state or say a word through your browser.
The page itself runs under a \`content-security-policy\` that allows its own script and style by their hashes and nothing else, and shows every
text as text.

Times are ISO-8601 UTC, or integer milliseconds in fields whose names end in \`Ms\`. Exact numbers are decimal texts. An estimate that is not known
is null.
`;

export function httpPage(): string {
  return [
    HEAD,
    section('`GET /health`', healthSchema),
    section('`GET /status`', runStatusSchema),
    section('Body of a command', commandBodySchema),
    section('Answer to a command', commandAnswerSchema),
    section('Any refusal', failureSchema),
    '400 is a malformed body, 403 a request from elsewhere, 404 an unknown path or command, 409 a command that the session cannot follow, 415 a body',
    'that is not JSON, 503 a session that is still starting. [errors.md](errors.md) lists the codes.',
    '',
  ].join('\n');
}

function commandWords(name: (typeof commandNames)[number]): string {
  switch (name) {
    case 'halt':
      return 'stops all trading and closes everything; latched, also over a restart';
    case 'resume':
      return 'releases a halt';
    case 'flatten':
      return 'closes every position; the session goes on';
    case 'close':
      return 'closes the position of the sleeve named by `argument`';
  }
}

/** The part of JSON schema that the tables need. */
interface Shape {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly prefixItems?: readonly Shape[];
  readonly additionalProperties?: Shape | boolean;
}

function section(name: string, schema: z.ZodType): string {
  const shape = z.toJSONSchema(schema) as Shape;
  return [`## ${name}`, '', '| field | type | meaning |', '|---|---|---|', ...rowsOf(shape, ''), ''].join('\n');
}

function rowsOf({ properties = {} }: Shape, before: string): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${before}${name}`;
    const row = `| \`${path}\` | ${typeOf(field)} | ${field.description ?? ''} |`;
    // The state of a session has its own table.
    if (name === 'status' && field.properties !== undefined)
      return [`| \`${path}\` | the answer of \`GET /status\` | ${field.description ?? ''} |`];
    if (field.properties !== undefined) return [row, ...rowsOf(field, `${path}.`)];
    if (field.items?.properties !== undefined) return [row, ...rowsOf(field.items, `${path}[].`)];
    return [row];
  });
}

function typeOf({ type, enum: values, anyOf, items, prefixItems, additionalProperties }: Shape): string {
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (prefixItems !== undefined) return `[${prefixItems.map(typeOf).join(', ')}]`;
  if (type === 'array') return `list of ${items?.properties === undefined ? typeOf(items ?? {}) : 'objects'}`;
  if (type === 'object' && typeof additionalProperties === 'object') return `${typeOf(additionalProperties)} by name`;
  return typeof type === 'string' ? type : (type ?? ['value']).join(' or ');
}
