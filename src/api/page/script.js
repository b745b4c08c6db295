/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return -- plain JavaScript of a browser */
// Asks for the state each second and shows it. Every text is set as text: minutes and alerts hold words from outside, and none of them
// may become markup.
const POLL_MS = 1000;
const byId = (id) => document.getElementById(id);
const money = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

const COMMANDS = {
  halt: {
    title: 'Halt trading?',
    words: 'Everything is closed at once, and nothing opens until you resume: also over a restart.',
    yes: 'Halt',
  },
  resume: { title: 'Resume trading?', words: 'The halt is released and strategies may open positions again.', yes: 'Resume' },
  flatten: { title: 'Close all positions?', words: 'Every position is closed at the market. The session goes on.', yes: 'Flatten' },
};

function show(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function showSigned(id, text, value) {
  show(id, text);
  byId(id).className = value > 0 ? 'gain' : value < 0 ? 'loss' : '';
}

function amount(value) {
  return value === null || Number.isNaN(Number(value)) ? '–' : money.format(Number(value));
}

function signed(value) {
  return value === null ? '–' : `${value > 0 ? '+' : ''}${money.format(value)}`;
}

function percent(ratio) {
  return ratio === null || !Number.isFinite(ratio) ? '–' : `${(ratio * 100).toFixed(2)} %`;
}

/** Six significant digits: a coin may cost 60,000 or 0.00001234. */
function price(value) {
  if (value === null) return '–';
  const size = Math.abs(value);
  const decimals = size === 0 ? 2 : Math.min(10, Math.max(2, 5 - Math.floor(Math.log10(size))));
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function element(name, text, className = '') {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

/** Replaces the children only when they would differ, so that a selection or a focus survives. */
const shown = new Map();
function fill(id, items, make) {
  const now = JSON.stringify(items);
  if (shown.get(id) === now) return;
  shown.set(id, now);
  byId(id).replaceChildren(...items.flatMap(make));
  const empty = byId(`no-${id}`);
  if (empty !== null) empty.hidden = items.length > 0;
}

function showStatus(status) {
  const start = Number(status.capital);
  const basis = status.basisEquity;
  const transferred = Number(status.transferred);
  const won = status.equity === null ? null : status.equity - start - transferred;
  document.title = `${amount(status.equity)} · Ballast`;
  show(
    'run',
    `${status.runId} · ${status.at.replace('T', ' ').replace('Z', ' UTC')} · ${status.strategies.join(', ')} on ${status.symbols.join(', ')}`,
  );
  showState(status.state, status.haltCause === '' ? status.state : `${status.state}: ${status.haltCause}`);
  show('equity', amount(status.equity));
  showSigned('change', won === null ? '–' : `${signed(won)} (${percent(status.equity / basis - 1)}) of ${amount(basis)}`, won);
  show('drawdown', `${percent(status.drawdownRatio)} of ${amount(status.peakEquity)}`);
  show('day-loss', percent(status.dayLossRatio));
  show('cash', transferred === 0 ? amount(status.cash) : `${amount(status.cash)}, ${signed(transferred)} transferred`);
  show('trades', `${whole.format(status.closedTrades)}, ${whole.format(status.winningTrades)} won`);
  show('stop-outs', whole.format(status.stopOuts));
  show('orders', whole.format(status.openOrders));
  show('fees', amount(status.feesPaid));
  show('funding', amount(status.fundingPaid));
  show('pace', status.eventsPerSecond === null ? '–' : whole.format(status.eventsPerSecond));
  show('folder', `${status.folder} · process ${status.pid}`);
  const quiet = [];
  if (status.staleSymbols.length > 0) quiet.push(`No fresh prices: ${status.staleSymbols.join(', ')}.`);
  if (status.suspendedMinds.length > 0) quiet.push(`Suspended: ${status.suspendedMinds.join(', ')}.`);
  showTrouble(quiet.join(' '));
  fill('positions', status.positions, positionRow);
  fill('minutes', status.minutes.toReversed(), ({ at, words }) => entry(at, words));
  fill('alerts', status.alerts.toReversed(), ({ at, rule, why }) => entry(at, `${rule}: ${why}`));
  fill('rulings', Object.entries(status.rulings), ([rule, count]) => [element('dt', rule), element('dd', whole.format(count), 'number')]);
  const ended = status.state === 'ended' || status.state === 'stopping';
  byId('halt').disabled = ended || status.state === 'halted';
  byId('resume').disabled = ended || status.state !== 'halted';
  byId('flatten').disabled = ended || status.positions.length === 0;
  drawCurve(
    status.equityCurve.filter((point) => point[1] !== null),
    start,
  );
}

function showState(state, words) {
  show('state', words);
  byId('state').dataset.state = state;
}

function showTrouble(words) {
  show('trouble', words);
  byId('trouble').hidden = words === '';
}

function positionRow(position) {
  const row = document.createElement('tr');
  const gain = position.unrealisedPnl ?? 0;
  const close = element('button', 'Close');
  close.type = 'button';
  close.addEventListener('click', () => {
    const question = {
      title: `Close ${position.sleeve}?`,
      words: 'The position of this sleeve is closed at the market. The session goes on.',
      yes: 'Close',
    };
    void command('close', question, { argument: position.sleeve });
  });
  const last = document.createElement('td');
  last.append(close);
  row.append(
    element('td', position.symbol),
    element('td', position.sleeve),
    element('td', position.quantity, 'number'),
    element('td', price(position.entryPrice), 'number'),
    element('td', price(position.mark), 'number'),
    element('td', signed(position.unrealisedPnl), gain > 0 ? 'number gain' : gain < 0 ? 'number loss' : 'number'),
    element('td', position.stopPrice === null ? 'on the spread' : price(position.stopPrice), 'number'),
    element('td', position.stopRestsAt),
    last,
  );
  return row;
}

function entry(at, words) {
  const item = document.createElement('li');
  item.append(element('time', at.replace('T', ' ').replace('Z', '')), document.createTextNode(words));
  return item;
}

function drawCurve(points, start) {
  if (points.length < 2) return;
  const [from, to] = [points[0][0], points.at(-1)[0]];
  const values = points.map((point) => point[1]);
  let low = Math.min(start, ...values);
  let high = Math.max(start, ...values);
  const margin = Math.max((high - low) * 0.08, start * 0.0005);
  low -= margin;
  high += margin;
  const x = (at) => (((at - from) / Math.max(1, to - from)) * 1000).toFixed(1);
  const y = (value) => (240 - ((value - low) / (high - low)) * 240).toFixed(1);
  const line = points.map(([at, value], index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
  byId('curve-line').setAttribute('d', line);
  byId('curve-area').setAttribute('d', `${line}L1000 240L0 240Z`);
  for (const end of ['y1', 'y2']) byId('start-line').setAttribute(end, y(start));
  show('curve-from', day(from));
  show('curve-range', `${amount(Math.min(...values))} to ${amount(Math.max(...values))}, dashes at the start's ${amount(start)}`);
  show('curve-to', day(to));
}

function day(at) {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}

async function poll() {
  try {
    const response = await fetch('status', { cache: 'no-store' });
    const document = await response.json();
    if (response.ok) showStatus(document);
    else showState('starting', response.status === 503 ? 'starting' : document.error.found);
  } catch {
    showState('lost', 'no answer');
    showTrouble('The session does not answer: its process has ended, or this machine is busy. What is shown is old.');
  }
  setTimeout(() => void poll(), POLL_MS);
}

function ask({ title, words, yes }) {
  show('question-title', title);
  show('question-words', words);
  show('question-yes', yes);
  const dialog = byId('question');
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

async function command(name, question, body) {
  if (!(await ask(question))) return;
  show('said', `${name}: sent`);
  try {
    const response = await fetch(`commands/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    show('said', response.ok ? `${name}: done` : `${name}: found ${answer.error.found}, expected ${answer.error.expected}`);
    if (response.ok) showStatus(answer.status);
  } catch {
    show('said', `${name}: no answer; look at the session before you say it again`);
  }
}

for (const [name, question] of Object.entries(COMMANDS)) byId(name).addEventListener('click', () => void command(name, question, {}));
await poll();
