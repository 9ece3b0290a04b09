import path from 'node:path';
import { isObject } from '../project/json.ts';
import { MAX_FAILURE, MAX_VALUE, type TestResult } from './result.ts';

/** A test file that began and never ended. */
export interface OpenFile {
  readonly file: string;
  /** The test within it that began and never ended, where the runner tells. */
  readonly test?: string;
}

/** What a recorder of src/recorders wrote, which may have been cut off anywhere. */
export interface Recording {
  readonly results: readonly TestResult[];
  /** Empty where the runner ended by itself. */
  readonly open: readonly OpenFile[];
}

/** More tests than this are a fault of the report. */
const MAX_RESULTS = 200_000;

type Event = Readonly<Record<string, unknown>>;

/** Reads the events of one runner, a line of JSON each; a line that is none, such as the last one of a crash, is left out. */
export function parseEvents(text: string): Recording {
  const results: TestResult[] = [];
  const begun = new Map<string, Set<string>>();
  let done = false;
  for (const event of eventsOf(text)) {
    const file = textOf(event['file']);
    if (event['type'] === 'done') done = true;
    if (file === undefined) continue;
    const open = begun.get(file) ?? new Set();
    if (event['type'] === 'end') begun.delete(file);
    else if (event['type'] === 'begin') begun.set(file, open);
    else if (event['type'] === 'start') begun.set(file, open.add(textOf(event['title']) ?? ''));
    else if (event['type'] === 'over') open.delete(textOf(event['title']) ?? '');
    else if (event['type'] === 'test' && results.length < MAX_RESULTS) {
      open.delete(titlesOf(event).at(-1) ?? '');
      results.push(resultOf(event, file));
    }
  }
  return { results, open: done ? [] : [...begun].flatMap(([file, tests]) => openOf(file, [...tests].at(-1))) };
}

/** A file all of whose known tests have ended may still be loading the next one: it is told without a test. */
function openOf(file: string, test: string | undefined): OpenFile[] {
  return [{ file, ...(test !== undefined && test !== '' && { test }) }];
}

function resultOf(event: Event, file: string): TestResult {
  const status = event['status'] === 'passed' || event['status'] === 'failed' ? event['status'] : 'skipped';
  const { ms, line, failure, expected, actual, retries } = event;
  const titles = titlesOf(event);
  return {
    name: titles.length === 0 ? path.basename(file) : titles.join(' › '),
    status,
    file,
    ...(typeof ms === 'number' && ms >= 0 && { seconds: ms / 1000 }),
    ...(Number.isInteger(line) && Number(line) > 0 && { line: Number(line) }),
    ...(status === 'failed' && { failure: (textOf(failure) ?? '').slice(0, MAX_FAILURE) }),
    ...(status === 'failed' &&
      typeof expected === 'string' &&
      typeof actual === 'string' && { expected: expected.slice(0, MAX_VALUE), actual: actual.slice(0, MAX_VALUE) }),
    ...(status === 'passed' && typeof retries === 'number' && retries > 0 && { flaky: true as const }),
  };
}

function titlesOf(event: Event): readonly string[] {
  const titles = event['titles'];
  return Array.isArray(titles) ? titles.filter((title) => typeof title === 'string' && title !== '') : [];
}

function eventsOf(text: string): readonly Event[] {
  return text.split('\n').flatMap((line) => {
    try {
      const event: unknown = JSON.parse(line);
      return isObject(event) ? [event] : [];
    } catch {
      return [];
    }
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
