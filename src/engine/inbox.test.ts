// Words from outside under a flood: bounded, and the last word of each mind is the one that counts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { abstain } from '../domain/opinion.ts';
import { NEVER } from '../domain/time.ts';
import { Inbox } from './inbox.ts';

const letter = (source: number, words: string) => ({ kind: 'opinion.formed', source, opinion: abstain(words) }) as const;

describe('F26: words that nobody has heard yet', () => {
  test('F26: of each mind one letter waits, its latest, and it is not known before it came', () => {
    let now = 0;
    const inbox = new Inbox(
      () => now,
      () => 0,
    );
    for (now = 1; now <= 10_000; now++) inbox.post(letter(now % 3, `number ${now}`));
    inbox.post({ kind: 'operator.spoke', command: 'halt', argument: '', by: 'test' });
    const heard: unknown[] = [];
    while (inbox.peekAt() !== NEVER) {
      const word = inbox.take();
      heard.push(word.kind === 'opinion.formed' ? [word.source, word.at] : word.command);
    }
    assert.deepEqual(heard, ['halt', [2, 9_998], [0, 9_999], [1, 10_000]]);
  });

  test('F26: an operator who says too much is told, and what he said before is heard', () => {
    const inbox = new Inbox(
      () => 0,
      () => 0,
    );
    for (let word = 0; word < 5; word++) inbox.post(letter(word, ''));
    const halt = { kind: 'operator.spoke', command: 'halt', argument: '', by: 'a program' } as const;
    for (let word = 0; word < 1_000; word++) inbox.post(halt);
    assert.throws(() => inbox.post(halt), { code: 'COMMAND_REFUSED', found: /1000 words/ });
    inbox.take();
    inbox.post(halt);
    let left = 0;
    for (; inbox.hasWords; left++) inbox.take();
    assert.equal(left, 1_005);
  });
});
