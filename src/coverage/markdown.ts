import { type Markdown, code, details, md, paragraphs, raw, table, text } from '../action/markdown.ts';
import { type Total, percentOf } from './coverage.ts';
import type { ChangedFile, CoverageOutcome, Range } from './outcome.ts';

const MAX_ROWS = 15;
const MAX_RANGES = 8;

/** Coverage in the summary: one sentence, a table of changed files with uncovered lines, all files folded. */
export function coverageMarkdown({ total, files, changed, unknown }: CoverageOutcome): Markdown | undefined {
  if (total.total === 0) return undefined;
  const overall = md`**Coverage:** ${raw(share(total))} of all lines`;
  const sentence =
    changed === undefined || changed.total === 0
      ? overall
      : md`${raw(overall)}; of ${count(changed.total)} changed lines ${count(changed.covered)} ${changed.covered === 1 ? 'is' : 'are'} covered (${percentOf(changed)} %)`;
  const open = changed?.files.filter(({ uncovered }) => uncovered.length > 0) ?? [];
  return paragraphs(
    sentence,
    open.length > 0 && changedTable(open),
    unknown !== undefined && md`${capital(unknown)}.`,
    files.length > 0 &&
      details(`Coverage of ${files.length === 1 ? '1 file' : `${files.length} files`}`, fileTable(files)),
  );
}

/** The output `coverage`: JSON of percent and lines, overall and of the changed lines where they are known. */
export function coverageOutput({ total, changed }: CoverageOutcome): string {
  const share = (of: Total): object => ({ percent: percentOf(of), covered: of.covered, total: of.total });
  return JSON.stringify({ ...share(total), ...(changed && { changed: share(changed) }) });
}

/** `12–15, 20`; what is beyond a few is counted. */
export function showRanges(ranges: readonly Range[]): string {
  const shown = ranges.slice(0, MAX_RANGES).map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`));
  const more = ranges.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function changedTable(files: readonly ChangedFile[]): Markdown {
  const rows = files
    .slice(0, MAX_ROWS)
    .map((file) => [code(file.file), text(`${file.covered} of ${file.total}`), text(showRanges(file.uncovered))]);
  const more = files.length - rows.length;
  return paragraphs(
    table(['changed file', 'changed lines covered', 'lines not covered'], rows),
    more > 0 && md`… and ${more} more.`,
  );
}

function fileTable(files: CoverageOutcome['files']): Markdown {
  const rows = files
    .slice(0, MAX_ROWS)
    .map((file) => [code(file.file), text(`${percentOf(file)} %`), text(count(file.total - file.covered))]);
  const more = files.length - rows.length;
  return paragraphs(
    table(['file', 'covered', 'lines not covered'], rows),
    more > 0 && md`… and ${more} more with fewer uncovered lines.`,
  );
}

function share(total: Total): Markdown {
  return md`${percentOf(total)} % (${count(total.covered)} of ${count(total.total)})`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
