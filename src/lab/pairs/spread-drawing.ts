// A spread and its z-score as a picture: lines of text for a terminal, SVG for a file.
import { formatTime } from '../../domain/time.ts';

/** One column of the picture: the lowest and the highest number of its share of the bars; undefined where all are unknown. */
interface Band {
  readonly low: number;
  readonly high: number;
}

function bandsOf(values: Float64Array, columns: number): (Band | undefined)[] {
  const count = Math.min(columns, values.length);
  return Array.from({ length: count }, (_, column) => {
    let [low, high] = [Infinity, -Infinity];
    const end = Math.floor(((column + 1) * values.length) / count);
    for (let index = Math.floor((column * values.length) / count); index < end; index++) {
      const value = values[index] ?? NaN;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low <= high ? { low, high } : undefined;
  });
}

function spanOf(bands: readonly (Band | undefined)[], levels: readonly number[]): Band {
  const all = [...bands.flatMap((band) => (band === undefined ? [] : [band.low, band.high])), ...levels];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return high > low ? { low, high } : { low: low - 1, high: high + 1 };
}

export interface TextChart {
  readonly columns: number;
  readonly rows: number;
  readonly decimals: number;
  /** Drawn across, where nothing else is. */
  readonly levels: readonly number[];
}

/** Lines of one width, highest first, with the numbers of the first and the last row and of the levels at the left. */
export function textChart(values: Float64Array, { columns, rows, decimals, levels }: TextChart): string {
  const bands = bandsOf(values, columns);
  const { low, high } = spanOf(bands, levels);
  const rowOf = (value: number): number => Math.min(rows - 1, Math.max(0, Math.round(((high - value) / (high - low)) * (rows - 1))));
  const labels = new Map<number, string>([
    [0, high.toFixed(decimals)],
    [rows - 1, low.toFixed(decimals)],
    ...levels.map((level): [number, string] => [rowOf(level), level.toFixed(decimals)]),
  ]);
  const width = Math.max(...[...labels.values()].map((label) => label.length));
  const crossed = new Set(levels.map(rowOf));
  return Array.from({ length: rows }, (_, row) => {
    const cells = bands.map((band) => {
      if (band !== undefined && rowOf(band.high) <= row && row <= rowOf(band.low)) return '█';
      return crossed.has(row) ? '·' : ' ';
    });
    return `${(labels.get(row) ?? '').padStart(width)} │${cells.join('')}`.trimEnd();
  }).join('\n');
}

export interface SvgPanel {
  readonly title: string;
  readonly values: Float64Array;
  readonly decimals: number;
  readonly levels: readonly number[];
}

const WIDTH = 1_000;
const PANEL_HEIGHT = 260;
const MARGIN = { left: 80, right: 16, top: 34, bottom: 26 };
/** More columns than this are finer than a screen. */
const SVG_COLUMNS = 800;

/** Panels below each other over one axis of time. `openAt` is the time of each value. Stands alone: no font, style or script from elsewhere. */
export function svgChart(openAt: Float64Array, panels: readonly SvgPanel[]): string {
  const height = panels.length * PANEL_HEIGHT;
  const plotWidth = WIDTH - MARGIN.left - MARGIN.right;
  const plotHeight = PANEL_HEIGHT - MARGIN.top - MARGIN.bottom;
  const parts = panels.map(({ title, values, decimals, levels }, index) => {
    const bands = bandsOf(values, SVG_COLUMNS);
    const { low, high } = spanOf(bands, levels);
    const top = index * PANEL_HEIGHT + MARGIN.top;
    const y = (value: number): string => (top + ((high - value) / (high - low)) * plotHeight).toFixed(1);
    const x = (column: number): string => (MARGIN.left + ((column + 0.5) / bands.length) * plotWidth).toFixed(1);
    const path = bands
      .map((band, column) => (band === undefined ? '' : `M${x(column)} ${y(band.high)}V${(Number(y(band.low)) + 1).toFixed(1)}`))
      .join('');
    const lines = levels.map((level) => {
      return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(level)}" y2="${y(level)}" stroke="#888" stroke-dasharray="4 4"/>`;
    });
    const marks = [...new Set([high, ...levels, low])].map(
      (value) =>
        `<text x="${MARGIN.left - 8}" y="${y(value)}" text-anchor="end" dominant-baseline="middle">${value.toFixed(decimals)}</text>`,
    );
    const times = [0, 0.5, 1].map((part) => {
      const at = openAt[Math.min(openAt.length - 1, Math.round(part * (openAt.length - 1)))] ?? NaN;
      const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
      return `<text x="${MARGIN.left + part * plotWidth}" y="${top + plotHeight + 18}" text-anchor="${anchor}">${formatTime(at).slice(0, 16).replace('T', ' ')}</text>`;
    });
    return [
      `<text x="${MARGIN.left}" y="${top - 12}" font-weight="bold">${escaped(title)}</text>`,
      `<rect x="${MARGIN.left}" y="${top}" width="${plotWidth}" height="${plotHeight}" fill="none" stroke="#bbb"/>`,
      ...lines,
      `<path d="${path}" stroke="#1f6feb" stroke-width="${(plotWidth / Math.max(1, bands.length)).toFixed(2)}" fill="none"/>`,
      ...marks,
      ...times,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" fill="#333">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>`;
}

/** A page of its own around a picture: a heading, lines of words, the picture. */
export function pageOf(title: string, words: readonly string[], svg: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>body{font:15px sans-serif;max-width:1040px;margin:2em auto;padding:0 1em;color:#222}</style>
<h1>${escaped(title)}</h1>
${words.map((line) => `<p>${escaped(line)}</p>`).join('\n')}
${svg}
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
