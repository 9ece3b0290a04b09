import { type Place, type Problem, describe } from './errors.ts';

/** Where the run's log goes; everything written is made safe first. */
export interface Log {
  info(message: string): void;
  debug(message: string): void;
  warning(message: string, place?: Place): void;
  error(message: string, place?: Place): void;
  /** What is worth a look at its place, and no fault. */
  notice(message: string, place?: Place): void;
  /** A folded section of the log; it closes when `body` ends, however it ends. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>;
}

/** GitHub shows ten annotations of a type per step; what comes after goes to the log alone. */
const MAX_ANNOTATIONS = 10;
const MAX_MESSAGE = 4096;

/** A log that speaks the runner's workflow commands; `write` takes whole lines. */
export function workflowLog(write: (line: string) => void): Log {
  const left = { error: MAX_ANNOTATIONS, warning: MAX_ANNOTATIONS, notice: MAX_ANNOTATIONS };
  const annotate = (kind: 'error' | 'warning' | 'notice', message: string, place?: Place): void => {
    if (left[kind] <= 0) return write(safe(`${kind}: ${message}`));
    left[kind] -= 1;
    const properties = place
      ? Object.entries({ file: place.file, line: place.line, endLine: place.endLine, col: place.column })
      : [];
    const shown = properties.flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${property(String(value))}`],
    );
    write(
      `::${kind}${shown.length > 0 ? ` ${shown.join(',')}` : ''}::${data(stripControls(message).slice(0, MAX_MESSAGE))}`,
    );
  };
  return {
    info: (message) => write(safe(message)),
    debug: (message) => write(`::debug::${data(stripControls(message))}`),
    warning: (message, place) => annotate('warning', message, place),
    error: (message, place) => annotate('error', message, place),
    notice: (message, place) => annotate('notice', message, place),
    async group(title, body) {
      write(`::group::${data(stripControls(title))}`);
      try {
        return await body();
      } finally {
        write('::endgroup::');
      }
    },
  };
}

/** Shows every problem of an error as an annotation of its own. */
export function reportProblems(log: Log, problems: readonly Problem[]): void {
  for (const { message, remedy, place } of problems) {
    log.error(describe({ message, ...(remedy === undefined ? {} : { remedy }) }), place);
  }
}

/**
 * Makes foreign text safe for the log: terminal escapes and control characters go, and what would be read as a
 * workflow command is parted by a space of no width: `::` at the start of a line, `##[` anywhere in it
 * (ActionCommand.cs of the runner).
 */
export function safe(message: string): string {
  return stripControls(message)
    .split('\n')
    .map((line) => (/^\s*::/.test(line) ? `\u200b${line}` : line).replaceAll('##[', '##\u200b['))
    .join('\n');
}

/** Drops terminal escape sequences and control characters, all but line breaks and tabs. */
export function stripControls(message: string): string {
  return (
    message
      .replace(/\r\n?/g, '\n')
      // oxlint-disable-next-line no-control-regex -- these are what is dropped
      .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g, '')
      // oxlint-disable-next-line no-control-regex -- these are what is dropped
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
  );
}

/** The runner's command that hides a value in all logs from there on. */
export function maskCommand(secret: string): string {
  return `::add-mask::${data(secret)}`;
}

function data(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(value: string): string {
  return data(value).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
