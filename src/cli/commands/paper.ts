import { defaulted, defineCommand, optional, toggle } from '../definition.ts';
import { runSession } from '../session-command.ts';
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
  async run({ flags }, context) {
    const { runPaper } = await import('../../app/paper.ts');
    return runSession(context, flags.port, (ears) =>
      runPaper({
        home: context.home,
        configFile: context.configFile,
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
        ...ears,
      }),
    );
  },
});
