import { describe, expect, test } from '@jest/globals';
import { safe, stripControls, workflowLog } from '../../src/action/log.ts';
import { block, code, link, md, table, text } from '../../src/action/markdown.ts';

function recorded(): { lines: string[]; log: ReturnType<typeof workflowLog> } {
  const lines: string[] = [];
  return { lines, log: workflowLog((line) => void lines.push(line)) };
}

describe('the log', () => {
  test.each([
    '::set-output name=x::y',
    '  ::add-mask::x',
    'fine\n::stop-commands::t',
    '##[error]x',
    'ok 1 - cart ##[set-output name=image]evil##[set-output name=digest]evil',
  ])('foreign text never becomes a workflow command: %j', (message) => {
    for (const line of safe(message).split('\n')) expect(commandIn(line)).toBeUndefined();
  });

  test('a carriage return cannot smuggle a command onto a line of its own', () => {
    expect(safe('a\r::error::b').split('\n')[1]).toMatch(/^\u200b::error/);
  });

  test('terminal escapes go, line breaks and tabs stay', () => {
    expect(stripControls('\u001b[31mred\u001b[0m\u001b]0;title\u0007\tx\n\u0000y\u009b')).toBe('red\tx\ny');
  });

  test('annotations carry their place, escaped', () => {
    const { lines, log } = recorded();
    log.error('100% wrong\nreally', { file: 'a,b:c.yaml', line: 3 });
    expect(lines).toEqual(['::error file=a%2Cb%3Ac.yaml,line=3::100%25 wrong%0Areally']);
  });

  test('the eleventh annotation of a kind goes to the log as text, since GitHub drops it', () => {
    const { lines, log } = recorded();
    for (let i = 0; i < 11; i += 1) log.warning(`w${i}`);
    expect(lines.filter((line) => line.startsWith('::warning'))).toHaveLength(10);
    expect(lines.at(-1)).toBe('warning: w10');
  });

  test('a group ends when its body throws', async () => {
    const { lines, log } = recorded();
    await expect(log.group('g', () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(lines).toEqual(['::group::g', '::endgroup::']);
  });
});

describe('markdown', () => {
  test('text shows markup, mentions, references and HTML literally', () => {
    expect(text('<img src=x> *a* @team #12 [x](y) $x$')).toBe(
      '&#60;img src=x&#62; \\*a\\* &#64;team \\#12 \\[x\\](y) &#36;x&#36;',
    );
  });

  test('values inside md`` are escaped', () => {
    expect(md`**Why:** ${'*boom*'}`).toBe('**Why:** \\*boom\\*');
  });

  test('code and blocks hold any backticks', () => {
    expect(code('a`b')).toBe('``a`b``');
    expect(block('```\nx')).toBe('````\n```\nx\n````');
  });

  test('a table survives pipes and line breaks in its cells', () => {
    expect(table(['a'], [[code('x|y')]])).toBe('| a |\n| --- |\n| `x\\|y` |');
  });

  test('only web addresses become links', () => {
    expect(link('x', 'javascript:alert(1)')).toBe('x');
    expect(link('x', 'https://example.com/a')).toBe('[x](https://example.com/a)');
  });
});

/** Where the runner reads a command: `::` begins one at the start of a line, `##[` anywhere in it. */
function commandIn(line: string): string | undefined {
  return /^\s*::/.exec(line)?.[0] ?? /##\[/.exec(line)?.[0];
}
