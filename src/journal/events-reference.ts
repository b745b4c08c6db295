// docs/reference/events.md, written from this table: every event and entry, its fields and what they mean. The compiler holds the
// fields to the domain's interfaces and a test holds the kinds to the codec's, so the page cannot say less than there is.
import type {
  AmendIntended,
  CancelIntended,
  CrossingMade,
  DecisionTaken,
  MindFailed,
  OpinionNote,
  OrderIntended,
  OrderRefused,
  PoolNote,
  RulingNote,
  RunEnded,
  SleeveChange,
  StateChange,
} from '../domain/entry.ts';
import type {
  FeedReport,
  Fill,
  FundingReport,
  LetterArrived,
  AccountReport,
  LiquidationReport,
  BookEvent,
  FundingAnnounced,
  MarketEvent,
  OperatorSpoke,
  OrderAmended,
  OrderReport,
  OrderRepriced,
  TimerRang,
} from '../domain/event.ts';
import type { Abstention, Forecast, Protection } from '../domain/opinion.ts';
import type { AmendIntent, CancelIntent, OrderIntent, Share } from '../domain/order.ts';
import { FORMAT_VERSION, KIND_BYTES, OLDEST_READABLE_VERSION } from './codec.ts';
import { RECORD_BYTES, SEGMENT_RECORDS, TAPE_VERSION } from './tape.ts';

type Field = readonly [type: string, meaning: string];
type FieldsOf<T> = { readonly [Name in Exclude<keyof T, 'kind'>]-?: Field };
type KindOf<T> = T extends { readonly kind: infer Kind extends string } ? Kind : never;

/** Kinds that have the same fields. */
export interface EventForm {
  readonly kinds: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, Field>>;
}

function form<T>(kinds: { readonly [Kind in KindOf<T>]: string }, fields: FieldsOf<T>): EventForm {
  return { kinds, fields };
}

type Change<Kind extends StateChange['kind']> = Extract<StateChange, { readonly kind: Kind }>;

const AT: Field = ['time', 'when we could know it: the only sort key'];
const HAPPENED_AT: Field = ['time', 'when it was so out there'];
const NOTED_AT: Field = ['time', 'the `at` of the event in hand'];
const INSTRUMENT: Field = ['index', 'in the run’s instruments'];
const SLEEVE: Field = ['index', 'in the run’s sleeves'];
const SOURCE: Field = ['index', 'in the run’s sources of opinion'];
const WORDS: Field = ['text', 'why, in words'];

export const TAPE_FORMS: readonly EventForm[] = [
  form<MarketEvent>(
    {
      'bar.closed': 'A bar is known, at or after its close.',
      'trade.printed': 'A trade out there: its price in `close`, its quantity in `volume`.',
      'mark.changed': 'The venue’s mark price, in `close`.',
    },
    {
      at: AT,
      happenedAt: ['time', 'a bar’s close'],
      instrument: INSTRUMENT,
      open: ['number', 'price; equal to `close` but for a bar'],
      high: ['number', 'price; equal to `close` but for a bar'],
      low: ['number', 'price; equal to `close` but for a bar'],
      close: ['number', 'price'],
      volume: ['number', 'base currency or contracts'],
      warmup: ['flag', 'before the run’s `from`: forms features, never decisions'],
    },
  ),
  form<BookEvent>(
    { 'book.changed': 'The touch of a book and to which side its depth leans; NaN where there is no book any more.' },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: INSTRUMENT,
      bidPrice: ['number', 'price'],
      bidQuantity: ['number', 'at the best bid'],
      askPrice: ['number', 'price'],
      askQuantity: ['number', 'at the best ask'],
      imbalance: ['number', 'of the best levels, each weighted less than the one before it: -1 (asks alone) to 1 (bids alone)'],
      warmup: ['flag', 'before the run’s `from`: forms features, never decisions'],
    },
  ),
  form<FundingAnnounced>(
    {
      'funding.announced': 'What longs pay to shorts at a settlement: the next where it is foretold, otherwise the one that has just been.',
    },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: INSTRUMENT,
      rate: ['number', 'of the position’s value, for one interval'],
      settlesAt: ['time', 'of that settlement'],
      warmup: ['flag', 'before the run’s `from`: forms features, never decisions'],
    },
  ),
  form<TimerRang>(
    { 'timer.rang': 'A grace time, an expiry or a timeout is due.' },
    { at: AT, happenedAt: HAPPENED_AT, timer: ['index', 'in the session’s table of timers'] },
  ),
];

export const INPUT_FORMS: readonly EventForm[] = [
  form<OrderReport>(
    {
      'order.accepted': 'The venue works the order.',
      'order.rejected': 'The venue refuses it.',
      'order.cancelled': 'It is cancelled, by us or by the venue.',
      'order.expired': 'Its time is over.',
      'order.filled': 'A part of it, or all, has traded.',
    },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: INSTRUMENT,
      order: ['text', 'our own id for it'],
      reason: ['text', 'the venue’s words for a rejection, a cancel or an expiry; empty otherwise'],
      fill: ['fill or none', 'with `order.filled`'],
    },
  ),
  form<OrderAmended>(
    { 'order.amended': 'The venue has moved the trigger of a stop, or says why not.' },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: INSTRUMENT,
      order: ['text', 'our own id for it'],
      asked: ['price', 'the trigger that was asked for'],
      stopPrice: ['price', 'the trigger that stands now'],
      reason: ['text', 'the venue’s words for a refusal; empty otherwise'],
    },
  ),
  form<OrderRepriced>(
    { 'order.repriced': 'The venue has given a limit order another price and quantity, or says why not.' },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: INSTRUMENT,
      order: ['text', 'our own id for it'],
      limitPrice: ['price', 'what stands now'],
      quantity: ['quantity', 'what stands now, what has filled included'],
      reason: ['text', 'the venue’s words for a refusal; empty otherwise'],
    },
  ),
  form<FundingReport>(
    { 'funding.paid': 'A payment of funding.' },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: INSTRUMENT,
      amount: ['amount', 'negative is paid by us'],
      rate: ['number', 'ratio of the notional'],
    },
  ),
  form<LiquidationReport>(
    { 'position.liquidated': 'The venue has closed a position, because its margin was used up.' },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: INSTRUMENT,
      side: ['choice', '`sell` ends a long position, `buy` a short one'],
      fill: ['fill', 'the whole position; its fee is less what others bore of the loss'],
      insurance: ['amount', 'what the insurance fund bore'],
      deleveraged: ['amount', 'what was taken from the winning side by auto-deleveraging'],
    },
  ),
  form<AccountReport>(
    { 'account.reported': 'The venue says of the account what no order of the run explains.' },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      instrument: ['index', 'in the run’s instruments; -1 is the account as a whole'],
      side: ['choice', 'of the trade that made the difference: `buy` or `sell`'],
      fill: ['fill or none', 'what is booked; none where it is only told'],
      money: [
        'amount or none',
        'what the account holds beside what the run’s trades have made of it, where it was counted: never with a fill',
      ],
      reason: WORDS,
    },
  ),
  form<FeedReport>(
    { 'feed.lost': 'A feed is silent beyond its limit, or disconnected.', 'feed.restored': 'It speaks again.' },
    { at: AT, happenedAt: HAPPENED_AT, instrument: ['index', 'in the run’s instruments; -1 is every one of the feed'], reason: WORDS },
  ),
  form<OperatorSpoke>(
    { 'operator.spoke': 'A person has given a command.' },
    {
      at: AT,
      happenedAt: HAPPENED_AT,
      command: ['choice', '`halt`, `resume`, `flatten` or `close`'],
      argument: ['text', 'for `close`: the sleeve’s name'],
      by: ['text', 'who'],
    },
  ),
  form<LetterArrived>(
    { 'opinion.formed': 'A letter: the opinion of a mind that answers later, at the place where it arrived.' },
    { at: AT, happenedAt: HAPPENED_AT, source: SOURCE, opinion: ['forecast or abstention', ''] },
  ),
  form<MindFailed>(
    {
      'mind.failed':
        'A source broke its contract while this event was in hand. Not an event of its own, and given to a replay instead of recomputed.',
    },
    { at: NOTED_AT, source: SOURCE, because: WORDS },
  ),
];

export const OUTPUT_FORMS: readonly EventForm[] = [
  form<DecisionTaken>(
    { 'decision.taken': 'The council has decided and the gate has ruled.' },
    {
      at: NOTED_AT,
      id: ['count', 'decisions of the run, this one included'],
      equity: ['number', 'at the marks'],
      changes: ['list of sleeve changes', ''],
      rulings: ['list of rulings', 'those that are no pass'],
    },
  ),
  form<OrderIntended>(
    { 'order.intended': 'An order is about to be sent: recorded first.' },
    {
      at: NOTED_AT,
      intent: ['order intent', ''],
      costRatio: ['number', 'expected fee and slippage, as a ratio of notional at the mark; NaN for a protective stop'],
      algorithm: ['choice', '`market`, or the algorithm of the instrument’s ticket, whose order it is'],
    },
  ),
  form<AmendIntended>({ 'amend.intended': 'A stop that rests is about to be moved.' }, { at: NOTED_AT, intent: ['amend intent', ''] }),
  form<CancelIntended>({ 'cancel.intended': 'A cancel is about to be sent.' }, { at: NOTED_AT, intent: ['cancel intent', ''] }),
  form<OrderRefused>(
    { 'order.refused': 'Gate two said no: nothing was sent.' },
    { at: NOTED_AT, order: ['text', 'our own id for it'], instrument: INSTRUMENT, rule: ['text', 'its name'], why: WORDS },
  ),
  form<CrossingMade>(
    { 'crossing.made': 'Sleeves that offset each other have traded among themselves, without a fee.' },
    { at: NOTED_AT, instrument: INSTRUMENT, price: ['price', 'mid'], parts: ['list of shares', 'they sum to zero'] },
  ),
  form<Change<'halt.latched'>>(
    { 'halt.latched': 'Everything is closed, and nothing opens until a release.' },
    { at: NOTED_AT, cause: WORDS },
  ),
  form<Change<'halt.released'>>({ 'halt.released': 'The operator has resumed.' }, { at: NOTED_AT, by: ['text', 'who'] }),
  form<Change<'pause.began'>>({ 'pause.began': 'No position is opened for a while.' }, { at: NOTED_AT, until: ['time', ''], cause: WORDS }),
  form<Change<'pause.ended'>>({ 'pause.ended': 'Positions are opened again.' }, { at: NOTED_AT }),
  form<Change<'day.started'>>(
    { 'day.started': 'A UTC day begins.' },
    { at: NOTED_AT, equity: ['number', 'from which its loss is counted'] },
  ),
  form<Change<'alert.raised'>>(
    { 'alert.raised': 'A limit that only warns is passed.' },
    { at: NOTED_AT, rule: ['text', 'its name'], why: WORDS },
  ),
  form<Change<'sleeve.stopped'>>(
    { 'sleeve.stopped': 'A sleeve’s protection has closed it.' },
    { at: NOTED_AT, sleeve: SLEEVE, because: WORDS },
  ),
  form<Change<'sleeve.rearmed'>>({ 'sleeve.rearmed': 'A stopped sleeve may open again.' }, { at: NOTED_AT, sleeve: SLEEVE }),
  form<Change<'sleeve.closed'>>(
    { 'sleeve.closed': 'A sleeve was closed for another reason than its protection.' },
    { at: NOTED_AT, sleeve: SLEEVE, because: WORDS },
  ),
  form<Change<'stop.moved'>>(
    { 'stop.moved': 'A sleeve’s stop has trailed.' },
    { at: NOTED_AT, sleeve: SLEEVE, stopPrice: ['number', 'price'] },
  ),
  form<Change<'shares.changed'>>(
    { 'shares.changed': 'The sleeves’ shares of equity are divided anew.' },
    { at: NOTED_AT, shares: ['list of numbers', 'by sleeve, ratios of equity'], because: WORDS },
  ),
  form<Change<'ticket.opened'>>(
    { 'ticket.opened': 'The desk begins to work what an instrument needs, by an algorithm.' },
    {
      at: NOTED_AT,
      instrument: INSTRUMENT,
      algorithm: ['choice', 'limit-first, iceberg, twap, vwap, pov or almgren-chriss'],
      side: ['choice', '`buy` or `sell`'],
      quantity: ['decimal', 'what is wanted, positive'],
      arrivalPrice: ['number', 'the mark: what all its fills are measured against'],
    },
  ),
  form<Change<'cash.transferred'>>(
    { 'cash.transferred': 'Money of the run has left the account, or what had left came back: no profit, no fee and no funding.' },
    {
      at: NOTED_AT,
      amount: ['amount', 'positive is received'],
      equity: ['number', 'at the marks, before it'],
    },
  ),
  form<Change<'ticket.closed'>>(
    { 'ticket.closed': 'Nothing of a ticket is at work or wanted any more.' },
    { at: NOTED_AT, instrument: INSTRUMENT, because: WORDS },
  ),
  form<Change<'mind.suspended'>>(
    { 'mind.suspended': 'A source that kept failing is not asked any more.' },
    { at: NOTED_AT, source: SOURCE, because: WORDS },
  ),
  form<RunEnded>(
    { 'run.ended': 'The last row of a run that came to its end.' },
    {
      at: NOTED_AT,
      cause: WORDS,
      stateHash: ['text', 'SHA-256 of the state, in hex'],
      equity: ['number', 'at the marks'],
      cash: ['amount', ''],
    },
  ),
];

/** What stands inside other forms. */
const PARTS: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  fill: {
    id: ['text', 'the venue’s own: the key by which a fill counts once'],
    price: ['price', ''],
    quantity: ['quantity', 'positive; the order knows the side'],
    fee: ['amount', 'positive is paid'],
    liquidity: ['choice', '`maker` or `taker`'],
    feeCoin: ['currency and quantity, may be absent', 'where the fee was charged in a coin of its own; `fee` is what that cost'],
  } satisfies FieldsOf<Fill>,
  forecast: {
    stance: ['number', 'in [-1, 1]: the sign is the side, the size the conviction'],
    confidence: ['number', 'in [0, 1]'],
    expectedReturn: ['number, may be absent', 'ratio over the horizon'],
    horizonMs: ['number, may be absent', ''],
    protection: ['protection, may be absent', ''],
    legs: ['list of numbers, may be absent', 'signed ratio of each leg'],
  } satisfies FieldsOf<Forecast>,
  abstention: { because: WORDS } satisfies FieldsOf<Abstention>,
  protection: {
    stopRatio: ['number, may be absent', 'distance of the stop from entry as a ratio of price; for a pair, of the spread'],
    targetRatio: ['number, may be absent', 'distance of the target'],
    trailR: ['number, may be absent', 'trail by this many R once one R is won'],
    trailRatio: ['number, may be absent', 'trail by this ratio of the best price, in place of `trailR`'],
  } satisfies FieldsOf<Protection>,
  'sleeve change': {
    sleeve: SLEEVE,
    stanceBefore: ['number', ''],
    stance: ['number', ''],
    quantities: ['list of quantities', 'targets of its legs once every rule has spoken'],
    opinions: ['list of opinion notes', 'one for each of its sources'],
    pool: [
      'pool note, may be absent',
      'absent where a rule cut a standing target; the council’s words are composed of it when they are read',
    ],
  } satisfies FieldsOf<SleeveChange>,
  'opinion note': {
    source: SOURCE,
    stance: ['number', ''],
    confidence: ['number', ''],
    abstained: ['flag', ''],
    zScore: ['number', 'of its reasons; NaN where they name none'],
    because: WORDS,
  } satisfies FieldsOf<OpinionNote>,
  'pool note': {
    outcome: ['text', 'how the stance came about'],
    voices: ['count', 'sources that took part'],
    agreeing: ['count', 'of them on the pooled side'],
    agreement: ['number', '1 when nobody contradicts, 0 when the sides are even'],
  } satisfies FieldsOf<PoolNote>,
  ruling: {
    rule: ['text', 'its name'],
    why: WORDS,
    scales: ['list of numbers', 'by position in the decision’s targets; empty for a halt'],
  } satisfies FieldsOf<RulingNote>,
  'order intent': {
    id: ['text', 'derived, so that a resend is the same order'],
    at: NOTED_AT,
    instrument: INSTRUMENT,
    side: ['choice', '`buy` or `sell`'],
    type: ['choice', '`market`, `limit`, `post-only`, `stop`, `take-profit` or `trailing`'],
    role: ['choice', '`target`, `stop` (protects a sleeve) or `disaster` (protects the net position)'],
    quantity: ['quantity', 'positive'],
    limitPrice: ['price or none', 'for limit and post-only'],
    stopPrice: ['price or none', 'for stop, take-profit and trailing'],
    trailBy: ['price, may be absent', 'for trailing: how far behind the best price the trigger follows'],
    timeInForce: ['choice, may be absent', '`ioc` or `fok`; without, it rests'],
    pairedWith: ['text, may be absent', 'the order with which it shares what is to be closed'],
    budget: ['amount, may be absent', 'what it may cost, fees included; its quantity is then an estimate, and computed where it fills'],
    positionSide: ['choice, may be absent', '`long` or `short`: which position, where the venue keeps two'],
    reduceOnly: ['flag', ''],
    wholePosition: ['flag', 'closes the whole position, whatever its quantity by then'],
    shares: ['list of shares', 'they sum to the signed quantity'],
    attached: ['list of order intents', 'stops that rest from the first fill on'],
  } satisfies FieldsOf<OrderIntent>,
  'amend intent': {
    at: NOTED_AT,
    instrument: INSTRUMENT,
    order: ['text', 'our own id for it'],
    stopPrice: ['price', 'its new trigger'],
  } satisfies FieldsOf<AmendIntent>,
  'cancel intent': { at: NOTED_AT, instrument: INSTRUMENT, order: ['text', 'our own id for it'] } satisfies FieldsOf<CancelIntent>,
  share: {
    sleeve: SLEEVE,
    leg: ['index', 'in the sleeve’s legs'],
    quantity: ['quantity', 'signed: positive buys'],
  } satisfies FieldsOf<Share>,
};

/** The kinds of a ruling stand in a field of their own, beside the table. */
const RULING_KINDS: readonly RulingNote['kind'][] = ['clamp', 'halt'];

export function eventsPage(): string {
  return `${[
    '# Events and entries',
    '',
    'Written from `src/journal/events-reference.ts` by `node scripts/reference.ts`; a test holds this page to the code.',
    '',
    'The **tape** holds what the market did and when timers rang. The **journal** holds everything else that the loop was told (inputs, fed',
    'again in a replay) and everything that it concluded (outputs, recomputed in a replay and compared). Events are numbered from 1 in the',
    'order in which the loop handled them, whichever of the two holds them: the *sequence*. Every row of the journal carries the sequence of',
    'the event in hand and the number of tape records by then: a row with tape offset k comes after k records.',
    '',
    'Types: *time* is integer milliseconds UTC; *index* and *count* are whole numbers from 0; *number* is a double; *price*, *quantity* and',
    '*amount* are exact decimals in units of 1e-12; *text* is UTF-8.',
    '',
    '## On the tape',
    '',
    ...forms(TAPE_FORMS),
    '## In the journal: inputs',
    '',
    ...forms(INPUT_FORMS),
    '## In the journal: outputs',
    '',
    ...forms(OUTPUT_FORMS),
    '## Parts of entries',
    '',
    ...Object.entries(PARTS).flatMap(([name, fields]) => [
      `### ${name}`,
      '',
      ...(name === 'ruling' ? [`Its kind is ${RULING_KINDS.map((kind) => `\`${kind}\``).join(' or ')}.`, ''] : []),
      ...fieldTable(fields),
    ]),
    '## The files',
    '',
    `**Journal**, format ${FORMAT_VERSION}: a SQLite database in WAL mode, \`application_id\` \`BALL\`, \`user_version\` the format. A file of format ${OLDEST_READABLE_VERSION}`,
    'to that is read, and is of that format once it is gone on with; any other is refused whole.',
    '',
    '| table | columns |',
    '|---|---|',
    '| `block` | `first` (rows before it), `rows`, `sequence` (of its first row), `digest`, `seal`, `bytes` (its rows, one after the other) |',
    '| `meta` | `key`, `value`, `seal` |',
    '| `snapshot` | `sequence`, `rows` (in the journal by then), `digest` (of its bytes), `seal`, `bytes`; the last two are kept |',
    '| `segment` | `number`, `first_record`, `records`, `sha256` (of the tape segment’s file), `seal` |',
    '',
    'A block’s digest is the SHA-256 of all row bytes from the first row of the journal to its own last one, so the last digest is the same',
    'however rows were grouped into blocks. A seal is the SHA-256 of the other columns of its row (bytes as they are, everything else as text',
    'with a zero byte after it; `bytes` themselves are sealed through `digest`).',
    '',
    'A row is: sequence and tape offset (seven bits a byte, the low ones first), the kind’s byte, the fields in an order of the codec’s own',
    '(`src/journal/codec.ts`).',
    '',
    '| byte | kind |',
    '|---|---|',
    ...Object.entries(KIND_BYTES).map(([kind, byte]) => `| ${byte} | \`${kind}\` |`),
    '',
    `**Tape**, format ${TAPE_VERSION}: files \`000001.tape\`, \`000002.tape\`, … of ${SEGMENT_RECORDS.toLocaleString('en')} records each, the last one of fewer. A file begins with ${RECORD_BYTES}`,
    'bytes of header: the text `BALLTAPE`, then as little-endian 32-bit integers the format, the records a full segment has, and the number',
    'of the segment; the rest is zero.',
    '',
    'A record is eight little-endian doubles: what it is, `at`, `happenedAt`, then the other fields in the order of the table above (of a bar',
    '`open`, `high`, `low`, `close`, `volume`), and 0 for what it has not. What it is: 1 `bar.closed`, 2 `trade.printed`, 3 `mark.changed`,',
    '4 `timer.rang`, 5 `book.changed`, 6 `funding.announced`, plus 8 for warm-up, plus 16 × the index of the',
    'instrument or timer.',
  ].join('\n')}\n`;
}

function forms(all: readonly EventForm[]): string[] {
  return all.flatMap(({ kinds, fields }) => [
    `### ${Object.keys(kinds)
      .map((kind) => `\`${kind}\``)
      .join(', ')}`,
    '',
    ...(Object.keys(kinds).length === 1
      ? Object.values(kinds)
      : Object.entries(kinds).map(([kind, meaning]) => `- \`${kind}\`: ${meaning}`)),
    '',
    ...fieldTable(fields),
  ]);
}

function fieldTable(fields: Readonly<Record<string, Field>>): string[] {
  return [
    '| field | type | meaning |',
    '|---|---|---|',
    ...Object.entries(fields).map(([name, [type, meaning]]) => `| \`${name}\` | ${type} | ${meaning} |`),
    '',
  ];
}
