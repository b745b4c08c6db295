import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineOf, readSource } from './source-text.ts';

test('comments are blanks, and lines stay where they were', () => {
  const { code, text } = readSource('a; // any\n/* any\n any */ b;\n');
  assert.equal(code, 'a;       \n      \n        b;\n');
  assert.equal(text, code);
});

test('the inside of a string is blank in the code and whole in the text', () => {
  const { code, text, strings } = readSource(`x = 'it\\'s // any' + "b";`);
  assert.equal(code, `x = '            ' + " ";`);
  assert.equal(text, `x = 'it\\'s // any' + "b";`);
  assert.deepEqual([...strings.values()], [`it\\'s // any`, 'b']);
});

test('a template keeps its substitutions as code, nested ones too', () => {
  const { code } = readSource('x = `a any ${ f({ y: `b ${z} any` }) } any` + any;');
  assert.equal(code, 'x = `      ${ f({ y: `  ${z}    ` }) }    ` + any;');
});

test('a regular expression is no comment and no string', () => {
  const { code } = readSource(`a = /['"\`/*]\\/any/.test(b) ? c / d / any : e;`);
  assert.equal(code.replace(/\s+/g, ' '), 'a = / /.test(b) ? c / d / any : e;');
});

test('an offset is told as a line', () => {
  assert.equal(lineOf('a\nb\nc', 0), 1);
  assert.equal(lineOf('a\nb\nc', 4), 3);
});
