// Whether a key may be traded with: what it may do too much, and what it may not do that is needed.
import type { Instrument } from '../domain/instrument.ts';
import { BallastError } from '../domain/errors.ts';
import { DAY_MS, formatTime, type TimeMs } from '../domain/time.ts';
import type { KeyFacts } from '../venues/ccxt/bybit-account.ts';
import type { CcxtKeyFacts } from '../venues/ccxt/ccxt-account.ts';

export interface KeyFinding {
  readonly subject: string;
  readonly found: string;
  /** `wrong` keeps a session from starting; `unwise` is only told. */
  readonly verdict: 'well' | 'unwise' | 'wrong';
  readonly remedy: string | null;
}

/** Rights of `Wallet` move money away: none of them is needed for trading. */
const TRADE_GROUPS = { linear: 'ContractTrade', spot: 'Spot' } as const;
const SOON_MS = 7 * DAY_MS;
/** Requests are refused when the venue gets them more than a second before their time. */
const MOST_AHEAD_MS = 500;

function finding(subject: string, found: string, verdict: KeyFinding['verdict'], remedy: string | null = null): KeyFinding {
  return { subject, found, verdict, remedy: verdict === 'well' ? null : remedy };
}

const MOVES_MONEY = 'withdrawal and transfer';

/** Pure. @param kinds of what is to be traded */
export function keyFindings(facts: KeyFacts | CcxtKeyFacts, kinds: readonly Instrument['kind'][], now: TimeMs): readonly KeyFinding[] {
  return 'exchange' in facts ? anyFindings(facts, kinds) : bybitFindings(facts, kinds, now);
}

function anyFindings(
  { exchange, rights, isVouchedFor, isUidOfKey, uid, clockAheadMs }: CcxtKeyFacts,
  kinds: readonly Instrument['kind'][],
) {
  const findings: KeyFinding[] = [];
  if (rights === undefined) {
    findings.push(
      finding(
        MOVES_MONEY,
        isVouchedFor
          ? `${exchange} does not say what this key may do: you say that it may trade and nothing else`
          : `${exchange} does not say what this key may do`,
        isVouchedFor ? 'unwise' : 'wrong',
        'look at the key on the page of the venue: where it may trade and may neither withdraw nor transfer, say so with --key-is-trade-only',
      ),
    );
  } else {
    const { moves, trades, isBound } = rights;
    findings.push(
      finding(
        MOVES_MONEY,
        moves.length === 0 ? 'not permitted' : moves.join(', '),
        moves.length === 0 ? 'well' : 'wrong',
        'make a key that may trade and nothing else: who steals it must not be able to move money',
      ),
    );
    for (const kind of new Set(kinds)) {
      const isGranted = trades.includes(kind);
      findings.push(
        finding(`trading, ${kind}`, isGranted ? 'permitted' : 'not permitted', isGranted ? 'well' : 'wrong', 'grant it to the key'),
      );
    }
    if (isBound !== undefined)
      findings.push(
        finding('addresses', isBound ? 'some' : 'any', isBound ? 'well' : 'unwise', 'bind the key to the address of this machine'),
      );
  }
  const ofKey = `${uid}, made of the key: two keys of one account are not seen to be of one`;
  findings.push(
    finding('account', isUidOfKey ? ofKey : uid, isUidOfKey ? 'unwise' : 'well', 'use one key of the account, and one session'),
    clock(clockAheadMs, 'what is signed with another time is refused'),
  );
  return findings;
}

function clock(aheadMs: number, why: string): KeyFinding {
  return finding(
    'clock',
    `the venue's is ${Math.round(aheadMs)} ms ahead`,
    Math.abs(aheadMs) <= MOST_AHEAD_MS ? 'well' : 'unwise',
    `let the system set its clock (NTP): ${why}`,
  );
}

function bybitFindings(facts: KeyFacts, kinds: readonly Instrument['kind'][], now: TimeMs): readonly KeyFinding[] {
  const rights = (group: string): readonly string[] => facts.permissions[group] ?? [];
  const money = rights('Wallet');
  const findings = [
    finding(
      MOVES_MONEY,
      money.length === 0 ? 'not permitted' : money.join(', '),
      money.length === 0 ? 'well' : 'wrong',
      'make a key without any right of the wallet: who steals it must not be able to move money',
    ),
    finding('use', facts.isReadOnly ? 'read only' : 'read and write', facts.isReadOnly ? 'wrong' : 'well', 'make a key that may write'),
  ];
  for (const kind of new Set(kinds)) {
    const group = TRADE_GROUPS[kind];
    const granted = rights(group);
    const needed = kind === 'linear' ? ['Order', 'Position'] : ['SpotTrade'];
    const isEnough = needed.every((right) => granted.includes(right));
    const found = granted.length === 0 ? 'nothing' : granted.join(', ');
    findings.push(finding(`trading, ${kind}`, found, isEnough ? 'well' : 'wrong', `grant ${group}: ${needed.join(' and ')}`));
  }
  findings.push(
    finding(
      'addresses',
      facts.addresses.length === 0 ? 'any' : facts.addresses.join(', '),
      facts.addresses.length === 0 ? 'unwise' : 'well',
      'bind the key to the address of this machine: it then is of no use elsewhere, and does not expire',
    ),
    expiry(facts, now),
    finding(
      'account',
      facts.isUnified ? `unified, ${facts.marginMode}` : 'not unified',
      facts.isUnified ? 'well' : 'wrong',
      'upgrade it to a unified trading account',
    ),
    clock(facts.clockAheadMs, 'nothing opens while the clocks differ by more than half a second'),
  );
  return findings;
}

function expiry({ expiresAt }: KeyFacts, now: TimeMs): KeyFinding {
  if (expiresAt === undefined) return finding('expiry', 'never', 'well');
  const verdict = expiresAt <= now ? 'wrong' : expiresAt - now < SOON_MS ? 'unwise' : 'well';
  return finding('expiry', formatTime(expiresAt), verdict, 'renew it, or make a new one');
}

/** @throws BallastError KEY_UNFIT */
export function mustBeFit(findings: readonly KeyFinding[], place: string): void {
  const [first, ...others] = findings.filter(({ verdict }) => verdict === 'wrong');
  if (first === undefined) return;
  throw new BallastError({
    code: 'KEY_UNFIT',
    place,
    found: [first, ...others].map(({ subject, found }) => `${subject}: ${found}`).join('; '),
    expected: 'a key that may trade and nothing else',
    remedy: first.remedy ?? 'ballast keys check says what is wrong',
  });
}
