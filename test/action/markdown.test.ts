import { describe, expect, test } from '@jest/globals';
import { block, code, link, md, paragraphs, raw, table, text } from '../../src/action/markdown.ts';

describe('text from outside', () => {
  test.each([
    ['<img src=x onerror=alert(1)>', '&#60;img src=x onerror=alert(1)&#62;'],
    ['**bold** _it_ `code`', String.raw`\*\*bold\*\* \_it\_ \`code\``],
    ['[click](javascript:x)', String.raw`\[click\](javascript:x)`],
    ['@everyone #1', String.raw`&#64;everyone \#1`],
    ['# heading', String.raw`\# heading`],
    ['1. item', String.raw`1\. item`],
    ['0.3 s', '0.3 s'],
    ['a | b', 'a &#124; b'],
    ['two\nlines\u001b[31m', 'two lines'],
  ])('%j is shown literally', (value, shown) => {
    expect(text(value)).toBe(shown);
  });

  test.each([
    ['a|b', String.raw`a\|b`],
    [String.raw`a\|b`, String.raw`a\|b`],
    [String.raw`a\\|b`, String.raw`a\\\|b`],
  ])('%j cannot leave its cell', (value, shown) => {
    // An even number of backslashes before a pipe would end the cell.
    expect(
      table(['x'], [[code(value)]])
        .split('\n')
        .at(-1),
    ).toBe(`| \`${shown}\` |`);
  });

  test('is cut at its limit', () => {
    expect(text('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
  });

  test('is escaped inside md, all but what is marked as safe', () => {
    expect(md`${'*'} ${raw(code('*'))}`).toBe('\\* `*`');
  });
});

test.each([
  ['plain', '`plain`'],
  ['a`b', '``a`b``'],
  ['`', '`` ` ``'],
])('code holds %j whatever backticks it has', (value, shown) => {
  expect(code(value)).toBe(shown);
});

test('a block cannot be left from inside', () => {
  expect(block('```\n# out\n````\n')).toBe('`````\n```\n# out\n````\n`````');
});

test('a table keeps its cells apart', () => {
  const rows = table(['a', 'b'], [[code('x|y'), text('line\nbreak')]]).split('\n');
  expect(rows).toEqual(['| a | b |', '| --- | --- |', String.raw`| ${'`'}x\|y${'`'} | line break |`]);
});

test.each(['javascript:alert(1)', 'https://a.b/ x', 'https://a.b/)[x](y', 'https://a.b/"'])('%j is no link', (url) => {
  expect(link('label', url)).toBe('label');
});

test('an address is a link, and empty paragraphs vanish', () => {
  expect(paragraphs(link('run', 'https://example.com/1'), false, undefined, text('end'))).toBe(
    '[run](https://example.com/1)\n\nend',
  );
});
