import { type Place, showPlace } from '../action/errors.ts';
import { type Markdown, block, code, md, paragraphs, table, text } from '../action/markdown.ts';

/** A test that failed, as the summary shows it. */
export interface FailedTest {
  readonly name: string;
  readonly place?: Place;
  /** Message and stack. */
  readonly failure: string;
  /** What it said, on one line. */
  readonly gist: string;
}

const MAX_ROWS = 20;
const MAX_SHOWN = 5;
const SHOWN_LINES = 30;

/** The flaky tests in a sentence and, where there are several, a row each. */
export function flakyNote(flaky: readonly FailedTest[]): Markdown {
  const one = flaky.length === 1;
  const count = one ? 'One test is' : `${flaky.length} tests are`;
  return paragraphs(
    md`⚠️ **${count} flaky:** ${one ? 'it' : 'they'} failed, and passed when run again. Mend ${one ? 'it' : 'them'} before a fault hides behind.`,
    testTable(flaky, 'flaky test', 'what it said first'),
  );
}

/** The failed tests, a row each. */
export function failedTable(failedTests: readonly FailedTest[]): Markdown {
  return testTable(failedTests, 'failed test', 'what it said');
}

function testTable(tests: readonly FailedTest[], head: string, said: string): Markdown {
  const rows = tests
    .slice(0, MAX_ROWS)
    .map(({ name, place, gist }) => [
      text(name, 200),
      place === undefined ? text('—') : code(showPlace(place)),
      text(gist, 300),
    ]);
  const more = tests.length - rows.length;
  return paragraphs(table([head, 'where', said], rows), more > 0 && md`… and ${more} more in the log.`);
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
