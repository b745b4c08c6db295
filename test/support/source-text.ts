// Reads TypeScript as text. The compiler has no programming interface, so what the laws and the coverage need is one pass
// that tells code from comments and strings. Offsets and line breaks are kept, so a place found here is a place in the file.

export interface SourceText {
  /** Comments and the insides of strings, templates and regular expressions are blanks; the quotes stay. */
  readonly code: string;
  /** Only comments are blanks. */
  readonly text: string;
  /** Every string without substitutions, by the offset of its opening quote. */
  readonly strings: ReadonlyMap<number, string>;
}

/** After these a slash begins a regular expression, after any other word or bracket it divides. */
const BEFORE_REGEX = /(^|[=(,:;!&|?{}[+\-*%<>~^]|\b(return|typeof|case|in|of|new|delete|void|throw|await|yield|else|do))\s*$/;

export function readSource(source: string): SourceText {
  const code = blanked(source).split('');
  const text = [...code];
  const strings = new Map<number, string>();
  /** Depth of braces at which each open template substitution ends. */
  const substitutions: number[] = [];
  let depth = 0;
  let at = 0;

  const keep = (index: number): void => {
    code[index] = text[index] = source[index] ?? '';
  };
  const keepText = (from: number, to: number): void => {
    for (let index = from; index < to; index++) text[index] = source[index] ?? '';
  };
  /** From just behind a backtick or the end of a substitution to the next one's opening or the closing backtick. */
  const readTemplate = (from: number): number => {
    let index = from;
    while (index < source.length && source[index] !== '`' && !source.startsWith('${', index)) index += source[index] === '\\' ? 2 : 1;
    keepText(from, index);
    keep(index);
    if (source[index] === '$') {
      keep(index + 1);
      substitutions.push(depth++);
      return index + 2;
    }
    return index + 1;
  };

  while (at < source.length) {
    const character = source[at] ?? '';
    if (source.startsWith('//', at) || (at === 0 && source.startsWith('#!'))) {
      at = endOf(source, '\n', at);
    } else if (source.startsWith('/*', at)) {
      at = endOf(source, '*/', at + 2) + 2;
    } else if (character === "'" || character === '"') {
      let end = at + 1;
      while (end < source.length && source[end] !== character && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1;
      strings.set(at, source.slice(at + 1, end));
      keep(at);
      keepText(at, end);
      keep(end);
      at = end + 1;
    } else if (character === '`') {
      keep(at);
      at = readTemplate(at + 1);
    } else if (character === '/' && BEFORE_REGEX.test(code.slice(Math.max(0, at - 40), at).join(''))) {
      const end = endOfRegex(source, at + 1);
      keep(at);
      keepText(at, end);
      keep(end);
      at = end + 1;
    } else {
      keep(at);
      if (character === '{') depth++;
      if (character === '}') depth--;
      at++;
      if (character === '}' && substitutions.at(-1) === depth) {
        substitutions.pop();
        at = readTemplate(at);
      }
    }
  }
  return { code: code.join(''), text: text.join(''), strings };
}

export function lineOf(source: string, offset: number): number {
  let line = 1;
  for (let index = source.indexOf('\n'); index >= 0 && index < offset; index = source.indexOf('\n', index + 1)) line++;
  return line;
}

function blanked(source: string): string {
  return source.replace(/[^\n]/g, ' ');
}

function endOf(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from);
  return found < 0 ? source.length : found;
}

function endOfRegex(source: string, from: number): number {
  let inClass = false;
  for (let index = from; index < source.length; index++) {
    const character = source[index];
    if (character === '\\') index++;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '\n' || (character === '/' && !inClass)) return index;
  }
  return source.length;
}
