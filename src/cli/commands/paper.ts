import type { ApiServer } from '../../api/server.ts';
import type { RunHandle } from '../../app/run-handle.ts';
import { BallastError } from '../../domain/errors.ts';
import { defaulted, defineCommand, done, optional, toggle } from '../definition.ts';
import { listenForEnd } from '../ending.ts';
import { displayFor, type SessionDisplay } from '../session-display.ts';
import { printable } from '../terminal.ts';
import * as values from '../values.ts';

export const paper = defineCommand({
  about: 'Runs the whole system on the synthetic market, or on a feed, with simulated fills. This is npm start.',
  details: [
    'A session that was interrupted goes on where it was; --fresh starts a new one. Ctrl-C ends it cleanly, a second one at once. What is not said here has the value of ballast.yaml.',
  ],
  flags: {
    venue: defaulted('--venue <name>', 'where orders go', values.oneOf('simulated'), 'simulated'),
    feed: optional(
      '--feed <url>',
      'market events from a WebSocket (ws://…), one JSON event a message, instead of the synthetic market',
      values.webSocketAddress,
    ),
    seed: optional('--seed <number>', 'of the synthetic market: one seed, one market', values.seed),
    speed: optional('--speed <number>', 'market seconds per second, or max', values.speed),
    for: optional('--for <span>', 'ends cleanly after this much time of this process, such as 10m', values.span),
    untilBars: optional(
      '--until-bars <number>',
      'ends cleanly after this many bars of market time',
      values.wholeNumber({ least: 1, most: Number.MAX_SAFE_INTEGER }),
    ),
    port: optional(
      '--port <number>',
      'of the status page on this machine, 3000 unless the config says otherwise; 0 takes a free one',
      values.port,
    ),
    strategy: optional('--strategy <names>', 'names or paths of strategies, with commas between them', values.list),
    params: optional('--params <parameters>', 'of the one --strategy: name=value,… or a JSON file, best.json of a sweep too', values.word),
    symbols: optional('--symbols <symbols>', 'such as BTC/USDT,ETH/USDT:USDT', values.symbols),
    timeframe: optional('--timeframe <span>', 'bars that strategies look at', values.timeframe),
    capital: optional('--capital <amount>', 'cash at the start', values.money),
    fresh: toggle('--fresh', 'starts a new run, whatever was interrupted'),
  },
  examples: [
    'ballast paper',
    'ballast paper --for 60s --speed 3600',
    'ballast paper --seed 7 --speed max --until-bars 20000 --port 0 --json',
  ],
  async run({ flags }, { home, configFile, isJson, terminal }) {
    const { loadConfig } = await import('../../app/config.ts');
    const { runPaper } = await import('../../app/paper.ts');
    const { api } = loadConfig({ home, file: configFile });
    const display = displayFor(terminal, isJson);
    const ending = listenForEnd(
      (by) => display.say(`${by}: ending cleanly; a second signal does not wait`),
      () => display.stop(),
    );
    let running: RunHandle | undefined;
    // Before the session starts: a port that was asked for and is taken is a wrong argument, and nothing has happened yet.
    const server = await openPage(() => running, flags.port ?? api.port, flags.port !== undefined, display);
    try {
      const { summary, ...result } = await runPaper({
        home,
        configFile,
        seed: flags.seed,
        speed: flags.speed,
        forMs: flags.for,
        untilBars: flags.untilBars,
        feed: flags.feed,
        strategies: flags.strategy,
        parameters: flags.params,
        symbols: flags.symbols,
        timeframeMs: flags.timeframe,
        capital: flags.capital,
        fresh: flags.fresh,
        signal: ending.signal,
        onNotice: (words) => display.say(printable(words)),
        onStart(handle, { runId, folder, resumed }) {
          running = handle;
          display.say(resumed ? `going on with run ${runId}, which was interrupted, in ${folder}` : `run ${runId} in ${folder}`);
          const page = server === undefined ? '' : `page ${server.address}  `;
          display.start(handle, `${page}Ctrl-C ends it; ballast status, halt, resume, flatten from elsewhere`);
        },
      });
      display.stop();
      const folder = summary.includes(result.folder) ? '' : `\nrun folder ${result.folder}`;
      return done(result, `${summary}${folder}`);
    } finally {
      display.stop();
      ending.release();
      await server?.close();
    }
  },
});

/** Whoever reaches the server can halt the session: only this machine may. */
const LOCALHOST = '127.0.0.1';

/** Undefined when the port of the config is taken: a session is worth more than its page. */
async function openPage(
  current: () => RunHandle | undefined,
  port: number,
  isAskedFor: boolean,
  display: SessionDisplay,
): Promise<ApiServer | undefined> {
  const { serve } = await import('../../api/server.ts');
  try {
    return await serve(current, { host: LOCALHOST, port });
  } catch (error) {
    if (!(error instanceof BallastError) || error.code !== 'PORT_TAKEN') throw error;
    if (isAskedFor) {
      const { code, found, expected, remedy = '' } = error;
      throw new BallastError({ code, place: '--port', found, expected, remedy, cause: error, exitCode: 2 });
    }
    display.say(`no page: ${error.message}`);
    return undefined;
  }
}
