import { styleText } from 'node:util';

/** Lines for a person who watches; colours only where the screen has them. */
export interface Screen {
  /** A new part of the story. */
  readonly title: (text: string) => void;
  readonly say: (text: string) => void;
  /** What somebody else wrote, marked as such. */
  readonly quote: (text: string) => void;
}

export function screen(write: (text: string) => void = (text) => void process.stdout.write(text)): Screen {
  let part = 0;
  return {
    title(text) {
      part += 1;
      write(`\n${styleText('bold', `${part}. ${text}`)}\n`);
    },
    say: (text) => write(`${indented(text, '   ')}\n`),
    quote: (text) => write(`${indented(text, styleText('dim', '   │ '))}\n`),
  };
}

/** A summary as a terminal can show it: without marks, tables in columns, folded parts by their titles. */
export function plainSummary(markdown: string): string {
  const shown = markdown
    .replaceAll(/<details><summary>([^]*?)<\/summary>[^]*?<\/details>/g, '▸ $1 (folded)')
    .replaceAll(/^#+ /gm, '')
    .replaceAll(/^```\w*$/gm, '')
    .replaceAll('**', '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/\\([\\`*_[\]~#|+-])/g, '$1');
  const blocks = shown.split(/\n{2,}/).map((block) => (block.startsWith('|') ? columns(block) : block.trim()));
  return blocks.filter((block) => block !== '').join('\n\n');
}

function columns(table: string): string {
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function indented(text: string, before: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `${before}${line}`)
    .join('\n');
}
