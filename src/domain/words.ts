// Numbers as they stand in sentences, the same wherever a sentence is made.

/** Rounded, and zero has no sign. */
export function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  // Most have no sign at all, and reading them back costs as much as writing them.
  return text.startsWith('-') && Number(text) === 0 ? text.slice(1) : text;
}

/** `12.50 %` of a ratio: for words only. */
export function percent(ratio: number): string {
  return `${fixed(ratio * 100, 2)} %`;
}

/** `1 run`, `2 runs`, `1,000 runs`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** What a refusal of the operating system means to somebody who does not know its codes. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'a disk that can only be read',
  ENOSPC: 'a full disk',
  EDQUOT: 'a quota that is used up',
  EFBIG: 'a file that has grown too large',
  EISDIR: 'a folder and no file',
  ENOTDIR: 'a file where a folder should be',
  ENOTEMPTY: 'a folder that is not empty',
  EEXIST: 'something of that name that is there already',
  ENAMETOOLONG: 'a name that is too long',
  ELOOP: 'links that lead in a circle',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EIO: 'a disk that fails',
  EPIPE: 'a reader that is gone',
  EADDRINUSE: 'an address that another program has taken',
  EADDRNOTAVAIL: 'no address of this machine',
  ECONNREFUSED: 'nobody who listens there',
  ECONNRESET: 'a connection that was cut',
  ETIMEDOUT: 'no answer in time',
  ENOTFOUND: 'a name that no address is known of',
  EAI_AGAIN: 'a name whose address cannot be asked for now',
};

/**
 * A thrown value in words: a refusal of the operating system as what it means, with the path that it was about where it says one.
 * @param place of the message that this becomes part of: it is not said twice
 */
export function reasonOf(error: unknown, place = ''): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const words = REFUSALS[code];
  if (words === undefined) return error.message;
  return 'path' in error && typeof error.path === 'string' && error.path !== place ? `${words}: ${error.path}` : words;
}
