import { stripControls } from '../action/log.ts';
import type { TestResult } from './result.ts';

/** The lines of a message that a gist takes, and the characters of a value. */
const MAX_LINES = 6;
const MAX_VALUE = 100;

/**
 * What a failed test said, on one line: the first line of its message, and the two values that differ where that line
 * does not hold them.
 */
export function gist({ failure = '', expected, actual }: Pick<TestResult, 'failure' | 'expected' | 'actual'>): string {
  const lines = messageOf(failure);
  const [first] = lines;
  if (first === undefined) return 'it failed without a message';
  // Node's assertions announce what follows.
  const said = first.endsWith(':') ? lines.slice(0, MAX_LINES).join(' ') : first;
  const whole = said.replace(/^AssertionError(?: \[ERR_ASSERTION\])?: (?=.)/, '');
  const told = [expected, actual].every((value) => value === undefined || whole.includes(value));
  if (expected !== undefined && actual !== undefined && !told) {
    return `${whole} (expected ${clip(expected)}, received ${clip(actual)})`;
  }
  const differing = /\bexpect\(/.test(first) ? differences(lines.slice(1)) : [];
  return differing.length === 0 ? whole : `${whole}: ${differing.join(', ')}`;
}

/** The lines before the stack. */
function messageOf(failure: string): readonly string[] {
  const lines = stripControls(failure)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const stack = lines.findIndex((line, index) => index > 0 && /^(?:at|❯) \S/.test(line));
  return stack < 0 ? lines : lines.slice(0, stack);
}

/** Of jest and Playwright: `Expected: 2` and `Received: 1`, or the lines of a difference. */
function differences(lines: readonly string[]): readonly string[] {
  const named = lines.filter((line) => /^(?:Expected|Received)\b[^:]{0,40}:/.test(line));
  if (named.length > 0) return named.slice(0, 2);
  const changed = lines.filter((line) => /^[-+] (?!Expected|Received)/.test(line));
  return changed.slice(0, MAX_LINES).map((line) => line.replace(/,$/, ''));
}

function clip(value: string): string {
  const line = value.replaceAll(/\s+/g, ' ');
  return line.length > MAX_VALUE ? `${line.slice(0, MAX_VALUE - 1)}…` : line;
}
