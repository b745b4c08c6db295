// The page in a document that is played: elements that can only be given text, and fail on anything that could be markup.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import vm from 'node:vm';
import type { RunStatus } from '../app/run-handle.ts';
import { readPage } from './page.ts';
import { sampleStatus } from './sample-status.fixture.ts';

const { html, policy } = readPage();
const script = readFileSync(new URL('./page/script.js', import.meta.url), 'utf8');

type Listener = () => void;

/** As much of an element as the page uses. */
class Element {
  readonly attributes = new Map<string, string>();
  readonly dataset: Record<string, string> = {};
  readonly listeners = new Map<string, Listener[]>();
  readonly name: string;
  children: Element[] = [];
  #text = '';
  className = '';
  hidden = false;
  disabled = false;
  type = '';
  returnValue = '';

  constructor(name: string, text = '') {
    assert.match(name, /^(li|tr|td|dt|dd|time|button|#text|#\S+)$/, `no <${name}> is made`);
    this.name = name;
    this.#text = text;
  }

  get textContent(): string {
    return this.#text + this.children.map((child) => child.textContent).join('');
  }
  set textContent(text: string) {
    this.children = [];
    this.#text = text;
  }
  append(...children: Element[]): void {
    this.children.push(...children);
  }
  replaceChildren(...children: Element[]): void {
    this.#text = '';
    this.children = children;
  }
  setAttribute(name: string, value: string): void {
    assert.match(name, /^(d|y1|y2)$/, `attribute ${name} is set to numbers only`);
    assert.match(value, /^[\dMLZ.\s-]*$/);
    this.attributes.set(name, value);
  }
  addEventListener(name: string, listener: Listener): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }
  emit(name: string): void {
    for (const listener of this.listeners.get(name) ?? []) listener();
  }
  showModal(): void {
    this.hidden = false;
  }
  /** All below, itself included. */
  all(): Element[] {
    return [this, ...this.children.flatMap((child) => child.all())];
  }
}

interface PlayedPage {
  readonly byId: (id: string) => Element;
  readonly requests: { readonly url: string; readonly options: { readonly method?: string; readonly body?: string } }[];
  readonly title: () => string;
  readonly pollAgain: () => Promise<void>;
}

/** Runs the script against a server that answers so. */
async function play(answer: (url: string) => { readonly status: number; readonly body: unknown } | undefined): Promise<PlayedPage> {
  const ids = [...html.matchAll(/\bid="([\w-]+)"/g)].map((match) => match[1] ?? '');
  const elements = new Map(ids.map((id) => [id, new Element(`#${id}`)]));
  const byId = (id: string): Element => elements.get(id) ?? assert.fail(`the page has no element ${id}`);
  const requests: PlayedPage['requests'] = [];
  let poll: (() => void) | undefined;
  const document = {
    title: '',
    getElementById: (id: string) => (id.startsWith('no-') ? (elements.get(id) ?? null) : byId(id)),
    createElement: (name: string) => new Element(name),
    createTextNode: (text: string) => new Element('#text', text),
  };
  const fetch = async (url: string, options: { method?: string; body?: string }) => {
    requests.push({ url, options });
    const answered = answer(url);
    if (answered === undefined) throw new TypeError('fetch failed');
    return { ok: answered.status < 300, status: answered.status, json: async () => JSON.parse(JSON.stringify(answered.body)) as unknown };
  };
  const context = vm.createContext({ document, fetch, Intl, setTimeout: (next: () => void) => (poll = next) });
  // Modules may await at their top, plain scripts may not.
  await (vm.runInContext(`(async () => {${script}\n})()`, context) as Promise<void>);
  // The page waits for nobody's turn but its own: its request and what it makes of the answer take a few.
  const pollAgain = async (): Promise<void> => {
    poll?.();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { byId, requests, title: () => document.title, pollAgain };
}

function showing(changes: Partial<RunStatus> = {}): Promise<PlayedPage> {
  return play(() => ({ status: 200, body: { ...sampleStatus, ...changes } }));
}

const INJECTION = "<img src=x onerror=\"fetch('/commands/halt',{method:'POST'})\"><script>alert(1)</script>";

describe('the status page', () => {
  test('shows the state of the session', async () => {
    const { byId, title } = await showing();
    assert.equal(byId('equity').textContent, '10,251.00');
    assert.equal(byId('change').textContent, '+251.00 (2.51 %) of 10,000.00');
    assert.equal(byId('change').className, 'gain');
    assert.equal(byId('state').dataset['state'], 'running');
    assert.equal(byId('positions').children.length, 2);
    assert.match(byId('positions').textContent, /BTC\/USDT:USDT.*60,525\.10.*59,800\.00.*venue/);
    assert.match(byId('positions').textContent, /on the spread.*engine/);
    assert.match(byId('minutes').textContent, /from flat to long/);
    assert.match(byId('alerts').textContent, /daily-loss: lost 4 % today/);
    assert.match(byId('rulings').textContent, /position-limit4/);
    assert.match(byId('curve-line').attributes.get('d') ?? '', /^M0\.0 [\d.]+L500\.0 [\d.]+L1000\.0 [\d.]+$/);
    assert.equal(byId('trouble').hidden, true);
    assert.equal(byId('no-positions').hidden, true);
    assert.equal(title(), '10,251.00 · Ballast');
  });

  test('words from outside stay text, wherever they come from', async () => {
    const { byId } = await showing({
      runId: INJECTION,
      haltCause: INJECTION,
      strategies: [INJECTION],
      symbols: [INJECTION],
      rulings: { [INJECTION]: 1 },
      alerts: [{ at: INJECTION, rule: INJECTION, why: INJECTION }],
      minutes: [{ at: INJECTION, words: INJECTION }],
      staleSymbols: [INJECTION],
      suspendedMinds: [INJECTION],
      folder: INJECTION,
      positions: sampleStatus.positions.map((position) => ({ ...position, sleeve: INJECTION, symbol: INJECTION, quantity: INJECTION })),
    });
    for (const id of ['run', 'state', 'trouble', 'folder', 'minutes', 'alerts', 'rulings', 'positions']) {
      assert.ok(byId(id).textContent.includes(INJECTION), `${id} shows the words as they are`);
      const made = new Set(
        byId(id)
          .all()
          .map(({ name }) => name),
      );
      for (const name of ['img', 'script']) assert.ok(!made.has(name), `no ${name} in ${id}`);
    }
  });

  test('its script knows no way from text to markup', () => {
    assert.doesNotMatch(
      script,
      /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|srcdoc|DOMParser|setHTML|javascript:/,
    );
    assert.match(script, /\.textContent = /);
  });

  test('asks before it says a command, and says it as JSON', async () => {
    const { byId, requests } = await showing();
    byId('halt').emit('click');
    assert.equal(byId('question-title').textContent, 'Halt trading?');
    byId('question').emit('close');
    await new Promise(setImmediate);
    assert.equal(requests.length, 1, 'nothing was said without a yes');

    byId('halt').emit('click');
    byId('question').returnValue = 'yes';
    byId('question').emit('close');
    await new Promise(setImmediate);
    const last = requests.at(-1);
    assert.equal(last?.url, 'commands/halt');
    assert.equal(JSON.stringify(last.options), '{"method":"POST","headers":{"content-type":"application/json"},"body":"{}"}');
  });

  test('closes one sleeve by its name', async () => {
    const { byId, requests } = await showing();
    const button = byId('positions')
      .all()
      .find(({ name }) => name === 'button');
    button?.emit('click');
    assert.equal(byId('question-title').textContent, 'Close trend BTC/USDT:USDT?');
    byId('question').returnValue = 'yes';
    byId('question').emit('close');
    await new Promise(setImmediate);
    assert.equal(requests.at(-1)?.options.body, '{"argument":"trend BTC/USDT:USDT"}');
  });

  test('only what makes sense can be pressed', async () => {
    const running = await showing();
    assert.deepEqual(
      ['halt', 'resume', 'flatten'].map((id) => running.byId(id).disabled),
      [false, true, false],
    );
    const halted = await showing({ state: 'halted', positions: [] });
    assert.deepEqual(
      ['halt', 'resume', 'flatten'].map((id) => halted.byId(id).disabled),
      [true, false, true],
    );
    const ended = await showing({ state: 'ended' });
    assert.deepEqual(
      ['halt', 'resume', 'flatten'].map((id) => ended.byId(id).disabled),
      [true, true, true],
    );
  });

  test('says that what it shows is old when nobody answers, and goes on asking', async () => {
    let isThere = true;
    const page = await play(() => (isThere ? { status: 200, body: sampleStatus } : undefined));
    isThere = false;
    await page.pollAgain();
    assert.equal(page.byId('state').textContent, 'no answer');
    assert.equal(page.byId('trouble').hidden, false);
    isThere = true;
    await page.pollAgain();
    assert.equal(page.byId('state').textContent, 'running');
    assert.equal(page.byId('trouble').hidden, true);
  });

  test('a session that is starting, and one without estimates, are shown', async () => {
    const error = {
      code: 'SESSION_STARTING',
      place: 'request',
      found: 'a session that is still starting',
      expected: 'a running one',
      remedy: null,
    };
    const starting = await play(() => ({ status: 503, body: { error } }));
    assert.equal(starting.byId('state').textContent, 'starting');
    const empty = await showing({ equity: NaN, drawdownRatio: NaN, equityCurve: [], positions: [], minutes: [], alerts: [], rulings: {} });
    assert.equal(empty.byId('equity').textContent, '–');
    assert.equal(empty.byId('no-positions').hidden, false);
  });
});

describe('the policy of the page', () => {
  test('allows its own script and style by their hashes, its own server, and nothing else', () => {
    const directives = new Map(policy.split('; ').map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1).join(' ')]));
    assert.equal(directives.get('default-src'), "'none'");
    assert.equal(directives.get('connect-src'), "'self'");
    for (const name of ['base-uri', 'form-action', 'frame-ancestors']) assert.equal(directives.get(name), "'none'");
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    for (const [name, tag] of [
      ['script-src', 'script'],
      ['style-src', 'style'],
    ] as const) {
      const blocks = [...html.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))].map((match) => match[1] ?? '');
      assert.equal(blocks.length, 1, `one ${tag}`);
      assert.equal(
        directives.get(name),
        `'sha256-${createHash('sha256')
          .update(blocks[0] ?? '')
          .digest('base64')}'`,
      );
    }
  });

  test('the page needs nothing that the policy forbids', () => {
    const outside = html.replace(/<(script|style)[\s\S]*?<\/\1>/g, '');
    assert.doesNotMatch(outside, /\sstyle=|\son\w+=|\bsrc=|href="(?!data:)/, 'no inline style, no inline handler, no resource');
    assert.doesNotMatch(html, /https?:\/\/(?!www\.w3\.org\/2000\/svg)/, 'no address of elsewhere');
  });
});
