import { defineCommand, optional, required, toggle } from '../definition.ts';
import { runSession } from '../session-command.ts';
import { siteFlags, siteOf } from '../site-flags.ts';
import * as values from '../values.ts';

export const live = defineCommand({
  about: 'Trades with real orders what paper: of ballast.yaml names. Refuses unless the key is fit and the gates are met.',
  details: [
    'Keys come from the environment or a .env of mode 600. Before the first order a recorded paper period of the same strategies must meet live.gates of the config, or the phrase that the refusal shows is typed with --override. Only a stage of --capital is traded with; the next session goes on to the next stage once the gates of this one are met.',
    'At any other venue than Bybit (--venue) what it cannot hold is said at the start: docs/guides/other-venues.md.',
    'Killed, it goes on where the venue is when it is started again. Ctrl-C or SIGTERM call entries back and keep positions under their stops, or close them (live.onStop). docs/guides/live.md has all of it.',
  ],
  flags: {
    ...siteFlags,
    capital: required('--capital <amount>', 'in quote currency, of which a stage has a part', values.money),
    override: optional('--override <phrase>', 'trades although the gates are not met; the refusal shows the phrase', values.word),
    for: optional('--for <span>', 'ends cleanly after this much time of this process, such as 10m', values.span),
    port: optional(
      '--port <number>',
      'of the status page on this machine, 3000 unless the config says otherwise; 0 takes a free one',
      values.port,
    ),
    strategy: optional('--strategy <names>', 'names or paths of strategies, with commas between them', values.list),
    params: optional('--params <parameters>', 'of the one --strategy: name=value,… or a JSON file, best.json of a sweep too', values.word),
    symbols: optional('--symbols <symbols>', 'such as BTC/USDT:USDT,ETH/USDT:USDT', values.symbols),
    timeframe: optional('--timeframe <span>', 'bars that strategies look at', values.timeframe),
    fresh: toggle('--fresh', 'starts a new run, whatever was interrupted: what that holds is not of the new one'),
  },
  examples: [
    'ballast live --testnet --capital 1000',
    'ballast live --demo --capital 1000 --symbols BTC/USDT:USDT --for 8h',
    'ballast live --venue binanceusdm --capital 1000',
  ],
  async run({ flags }, context) {
    const { runLive } = await import('../../app/live.ts');
    return runSession(context, flags.port, (ears) =>
      runLive({
        home: context.home,
        configFile: context.configFile,
        venue: flags.venue,
        site: siteOf(flags),
        isKeyVouchedFor: flags.keyIsTradeOnly,
        address: flags.address,
        environment: context.terminal.environment,
        capital: flags.capital,
        override: flags.override,
        forMs: flags.for,
        strategies: flags.strategy,
        parameters: flags.params,
        symbols: flags.symbols,
        timeframeMs: flags.timeframe,
        fresh: flags.fresh,
        ...ears,
      }),
    );
  },
});
