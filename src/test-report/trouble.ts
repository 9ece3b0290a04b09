import { stripControls } from '../action/log.ts';
import type { OpenFile } from './events.ts';

/** How a task of tests ended other than by tests that pass or fail: a phrase and the next step. */
export interface Trouble {
  readonly what: string;
  readonly whatToDo: string;
}

const MAX_NAMED = 3;

/** Signs of a runner that died, in what it or the shell around it wrote; the first that fits is told. */
const DEATHS: readonly (Trouble & { readonly sign: RegExp })[] = [
  {
    sign: /heap out of memory|JavaScript heap|ERR_WORKER_OUT_OF_MEMORY|Ineffective mark-compacts/,
    what: 'the test runner ran out of memory',
    whatToDo:
      'Run fewer test files at the same time, or allow more: `NODE_OPTIONS: --max-old-space-size=4096` under `env` of the step.',
  },
  {
    sign: /\bMemoryError\b|Cannot allocate memory|std::bad_alloc/,
    what: 'the test runner ran out of memory',
    whatToDo: 'Run fewer tests at the same time, or use a runner with more memory.',
  },
  {
    sign: /Segmentation fault|SIGSEGV|signal 11\b/,
    what: 'the test runner crashed with a segmentation fault',
    whatToDo: 'Look for a native module or extension that was built for another version, and update it.',
  },
  {
    sign: /\bSIGKILL\b|^Killed$/m,
    what: 'the test runner was killed from outside, mostly because the machine ran out of memory',
    whatToDo: 'Run fewer test files at the same time, or use a runner with more memory.',
  },
  {
    sign: /\bSIGABRT\b|\bAborted\b|\bSIGBUS\b|\bSIGILL\b/,
    what: 'the test runner crashed',
    whatToDo: 'Look for a native module or extension that was built for another version, and update it.',
  },
];

/** The runner's sentence for a worker of it that is gone. */
const WORKER_GONE = /worker process .*terminated|Worker (?:exited|terminated) unexpectedly|worker process exited/i;

/** Tests that had not ended when the time was up. `open` comes from a recorder; without one, the output is read. */
export function hung(open: readonly OpenFile[], output: string, seconds: number): Trouble {
  const named = open.length > 0 ? open.map(showOpen) : pytestOpen(output);
  const shown = named.slice(0, MAX_NAMED).join(', ');
  const more = named.length > MAX_NAMED ? ` and ${named.length - MAX_NAMED} more` : '';
  const what =
    named.length === 0
      ? `the tests had not ended after ${seconds.toFixed(0)} s`
      : `${shown}${more} had not ended after ${seconds.toFixed(0)} s`;
  return {
    what,
    whatToDo:
      'Look there for an endless loop, a promise that never settles, or a server or timer that is never closed; give the runner a timeout of its own for each test.',
  };
}

/**
 * Why a runner that failed is to be taken for crashed; undefined when nothing says so.
 * @param tests how many tests ended, as far as reports tell
 */
export function crash(
  open: readonly OpenFile[],
  output: string,
  tests: { readonly failed: number },
): Trouble | undefined {
  const text = stripControls(output);
  const death = DEATHS.find(({ sign }) => sign.test(text));
  const gone = death === undefined && WORKER_GONE.test(text);
  if (death === undefined && !gone && (open.length === 0 || tests.failed > 0)) return undefined;
  const during = open.length === 0 ? '' : ` during ${open.slice(0, MAX_NAMED).map(showOpen).join(', ')}`;
  return {
    what: `${death?.what ?? (gone ? 'a worker of the test runner died' : 'the test runner ended before its tests had')}${during}`,
    whatToDo: death?.whatToDo ?? 'Look in the last lines, and in the test, for what ends the process.',
  };
}

function showOpen({ file, test }: OpenFile): string {
  return test === undefined ? file : `${file} (${JSON.stringify(test)})`;
}

/**
 * pytest writes the name of a file before its first test, a sign for each test, and the percentage once all have ended:
 * `tests/test_a.py ..` is a file that has not. Its fault handler, once a test takes too long, writes its stack.
 */
function pytestOpen(output: string): readonly string[] {
  const lines = stripControls(output).trimEnd().split('\n');
  const dumped = lines.findLastIndex((line) => /^(?:.*\s)?Timeout \(\d+:\d\d:\d\d\)!$/.test(line));
  const frame = /^ {2}File "([^"\n]{1,300})", line (\d{1,7}) in (test\w*)$/;
  const [, file, line, test] = lines.slice(Math.max(0, dumped)).flatMap((one) => frame.exec(one) ?? []);
  if (dumped >= 0 && file !== undefined) return [`${file}:${line} (${JSON.stringify(test)})`];
  const [, last] = /^([\w./-]{1,300}\.py)(?:::(\S{1,200}))? [.FEsxXR]*(?: *)$/.exec(`${lines.at(-1) ?? ''} `) ?? [];
  return last === undefined ? [] : [last];
}
