import { stripControls } from './log.ts';

/** Markdown that is safe to place: made only by the functions of this file. */
export type Markdown = string & { readonly __markdown: never };

/** Text from outside as Markdown that shows it literally, on one line. */
export function text(value: string, max = 1000): Markdown {
  const shown = clip(stripControls(value).replaceAll('\n', ' '), max);
  return shown
    .replace(/[\\`*_[\]~#]/g, String.raw`\$&`)
    .replace(/[<>&@|$]|:(?=\/\/)/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/^[-+]/, String.raw`\$&`)
    .replace(/^(\d+)([.)])(?=\s|$)/, String.raw`$1\$2`) as Markdown;
}

/** Markdown written in this repository, with values escaped: md`**Why:** ${reason}`. */
export function md(strings: TemplateStringsArray, ...values: readonly (string | number | Markdown | Raw)[]): Markdown {
  return strings.reduce((out, part, i) => {
    const value = values[i - 1];
    return out + (value instanceof Raw ? value.markdown : text(String(value))) + part;
  }) as Markdown;
}

/** Marks Markdown that is already safe, so that md`…` does not escape it again. */
export class Raw {
  readonly markdown: Markdown;
  constructor(markdown: Markdown) {
    this.markdown = markdown;
  }
}

/** Places safe Markdown inside md`…` as it is. */
export function raw(markdown: Markdown): Raw {
  return new Raw(markdown);
}

/** Text as inline code on one line, whatever backticks it holds. */
export function code(value: string, max = 300): Markdown {
  const shown = clip(stripControls(value).replaceAll('\n', ' '), max);
  const fence = '`'.repeat(longestRun(shown) + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') || shown === '' ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}` as Markdown;
}

/** Text as a fenced block, whatever backticks it holds. */
export function block(value: string, language = ''): Markdown {
  const shown = stripControls(value).replace(/\n+$/, '');
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}${language}\n${shown}\n${fence}` as Markdown;
}

/** A table; cells are safe Markdown. Line breaks in cells become `<br>`, pipes are escaped. */
export function table(head: readonly string[], rows: readonly (readonly Markdown[])[]): Markdown {
  const body = rows.map((cells) =>
    row(cells.map((cell) => cell.replaceAll('\n', '<br>').replace(/\\*\|/g, escapedPipe))),
  );
  return [row(head.map((cell) => text(cell))), row(head.map(() => '---')), ...body].join('\n') as Markdown;
}

/** A pipe after an even number of backslashes ends the cell, even within code. */
function escapedPipe(found: string): string {
  return found.length % 2 === 0 ? found : `${found.slice(0, -1)}\\|`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A folded section. */
export function details(title: string, body: Markdown): Markdown {
  return `<details><summary>${text(title)}</summary>\n\n${body}\n\n</details>` as Markdown;
}

/** A Mermaid picture; the source must come from this repository, with names made safe by the caller. */
export function mermaid(source: string): Markdown {
  return block(source, 'mermaid');
}

/** A link; anything but http(s) becomes plain text. */
export function link(label: string, url: string): Markdown {
  if (!/^https?:\/\/[^\s<>()"'\\]+$/.test(url)) return text(label);
  return `[${text(label)}](${url})` as Markdown;
}

/** Paragraphs: the parts with an empty line between them, without empty parts. */
export function paragraphs(...parts: readonly (Markdown | undefined | false | '')[]): Markdown {
  return parts.filter(Boolean).join('\n\n') as Markdown;
}

function clip(value: string, max: number): string {
  return value.length > max ? `${value.slice(0, max - 1)}…` : value;
}

function longestRun(value: string): number {
  return Math.max(0, ...[...value.matchAll(/`+/g)].map(([run]) => run.length));
}
