// What a venue demanded of orders, and when it said so: `<home>/data/instruments/<venue>/<symbol>.json`, a version for every change, oldest
// first. Bars are told again by whoever has them; what the smallest order was last year nobody tells any more.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { amount, format, price, quantity } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import { areSameFilters, parseSymbol, type FilterVersion } from '../../domain/instrument.ts';
import { formatTime, parseTime } from '../../domain/time.ts';
import { publishing, REAL_DISK } from './publication.ts';
import { checkVenue, isVenueFolder, namesIn, symbolOfFolder } from './series.ts';

/** Below the folder of the data. */
const FOLDER = 'instruments';
const ENDING = '.json';

export interface InstrumentName {
  readonly venue: string;
  /** ccxt's spelling: `BTC/USDT`, `BTC/USDT:USDT`. */
  readonly symbol: string;
}

export interface StoredFilters extends InstrumentName {
  /** Oldest first; at least one. */
  readonly versions: readonly FilterVersion[];
}

const versionSchema = z
  .strictObject({
    from: z.string(),
    tick: z.string(),
    lot: z.string(),
    minimumQuantity: z.string(),
    minimumNotional: z.string(),
    contractSize: z.number().positive(),
  })
  .transform(({ from, contractSize, ...steps }): FilterVersion => ({
    fromMs: parseTime(from),
    tick: price(steps.tick),
    lot: quantity(steps.lot),
    minimumQuantity: quantity(steps.minimumQuantity),
    minimumNotional: amount(steps.minimumNotional),
    contractSize,
  }));
const versionsSchema = z.array(versionSchema).min(1);

/** Every version that is known, oldest first; none where nothing was ever downloaded. @throws BallastError STORE_FILE_CORRUPT */
export function readFilters(home: string, name: InstrumentName): readonly FilterVersion[] {
  return readVersions(pathOf(home, name));
}

/** Of every instrument, by venue and symbol. @throws BallastError STORE_FILE_CORRUPT */
export function listFilters(home: string): StoredFilters[] {
  const root = resolve(home, 'data', FOLDER);
  return namesIn(root)
    .filter(isVenueFolder)
    .flatMap((venue) =>
      namesIn(join(root, venue)).flatMap((file) => {
        const symbol = file.endsWith(ENDING) ? symbolOfFolder(file.slice(0, -ENDING.length)) : undefined;
        return symbol === undefined ? [] : [{ venue, symbol, versions: readVersions(join(root, venue, file)) }];
      }),
    );
}

/**
 * Adds a version where the venue demands something else than it did by the last one.
 * @param told what it demands now
 * @param now what time it is at the venue; asked only when there is something to write
 * @returns the version before it; `new` when there was none, undefined when nothing has changed
 * @throws BallastError STORE_FILE_CORRUPT, STORE_BUSY, STORE_WRITE_FAILED
 */
export async function keepFilters(
  home: string,
  name: InstrumentName,
  told: Omit<FilterVersion, 'fromMs'>,
  now: () => Promise<number>,
): Promise<FilterVersion | 'new' | undefined> {
  const path = pathOf(home, name);
  const isKnown = (last: FilterVersion | undefined): boolean => last !== undefined && areSameFilters(last, told);
  if (isKnown(readVersions(path).at(-1))) return undefined;
  const fromMs = await now();
  const root = resolve(home, 'data');
  return publishing(root, REAL_DISK, path, async (publication) => {
    // Read again under the lock: another download may have been quicker.
    const versions = readVersions(path);
    const last = versions.at(-1);
    if (isKnown(last)) return undefined;
    const text = JSON.stringify([...versions, { ...told, fromMs }].map(writtenFilters), undefined, 2);
    await publication.stage(relative(root, path), (staged) => writeFile(staged, `${text}\n`));
    return last ?? 'new';
  });
}

function pathOf(home: string, { venue, symbol }: InstrumentName): string {
  parseSymbol(symbol);
  return resolve(home, 'data', FOLDER, checkVenue(venue), `${symbol.replace('/', '-').replace(':', '_')}${ENDING}`);
}

/** As it stands in the file, and in what is printed. */
export function writtenFilters({
  fromMs,
  tick,
  lot,
  minimumQuantity,
  minimumNotional,
  contractSize,
}: FilterVersion): z.input<typeof versionSchema> {
  return {
    from: formatTime(fromMs),
    tick: format(tick),
    lot: format(lot),
    minimumQuantity: format(minimumQuantity),
    minimumNotional: format(minimumNotional),
    contractSize,
  };
}

function readVersions(path: string): readonly FilterVersion[] {
  if (!namesIn(dirname(path)).includes(basename(path))) return [];
  const text = readFileSync(path, 'utf8');
  try {
    return versionsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BallastError({
      code: 'STORE_FILE_CORRUPT',
      place: path,
      found: JSON.stringify(text.slice(0, 80)),
      expected: 'versions of what a venue demands of orders',
      remedy: 'move the file away; the next download writes what the venue demands today',
      cause,
    });
  }
}
