import { type Place, showPlace } from '../action/errors.ts';
import { type Markdown, block, code, md, paragraphs, table, text } from '../action/markdown.ts';

/** A test that failed, as the summary shows it. */
export interface FailedTest {
  readonly name: string;
  readonly place?: Place;
  /** Message and stack. */
  readonly failure: string;
}

const MAX_ROWS = 20;
const MAX_SHOWN = 5;
const SHOWN_LINES = 30;

/** What a failed test said first; where that only announces what follows, with some of it. */
export function gist(failure: string): string {
  const lines = failure
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const [first] = lines;
  if (first === undefined) return 'it failed without a message';
  if (!first.endsWith(':')) return first;
  const end = lines.findIndex((line, index) => index > 0 && line.startsWith('at '));
  return lines.slice(0, Math.min(end < 0 ? lines.length : end, 6)).join(' ');
}

/** The failed tests, a row each. */
export function failedTable(failedTests: readonly FailedTest[]): Markdown {
  const rows = failedTests
    .slice(0, MAX_ROWS)
    .map(({ name, place, failure }) => [
      text(name, 200),
      place === undefined ? text('—') : code(showPlace(place)),
      text(gist(failure), 300),
    ]);
  const more = failedTests.length - rows.length;
  return paragraphs(
    table(['failed test', 'where', 'what it said'], rows),
    more > 0 && md`… and ${more} more in the log.`,
  );
}

/** The first lines of what each failed test said. */
export function failuresInFull(failedTests: readonly FailedTest[]): Markdown {
  const shown = failedTests.slice(0, MAX_SHOWN);
  return paragraphs(
    ...shown.flatMap(({ name, failure }) => {
      return [text(name, 200), block(failure.split('\n').slice(0, SHOWN_LINES).join('\n'))];
    }),
    failedTests.length > shown.length && md`… and ${failedTests.length - shown.length} more in the log.`,
  );
}
