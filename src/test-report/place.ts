import path from 'node:path';
import type { Place } from '../action/errors.ts';
import type { TestResult } from './result.ts';

/** `at fn (file:///a/b.js:3:9)`, `at /a/b.js:3:9`, `a/b.py:3: in test`, `❯ b.test.ts:3:9`. */
const FRAME = /(?:file:\/\/)?((?:\/|\.{0,2}\/)?[\w@.+~/-]{1,300}\.[A-Za-z]{1,5}):(\d{1,7})(?::(\d{1,7}))?/g;

/**
 * Where in the repository a failed test should be looked at: the stack's first line inside the test's own file,
 * else the first inside the repository, else what the report says of the test itself.
 * @param directory where the runner stood, absolute
 * @param workspace root of the repository, absolute; the place's file is relative to it
 */
export function placeOf(result: TestResult, directory: string, workspace: string): Place | undefined {
  const inside = (file: string): string | undefined => {
    const relative = path.relative(workspace, path.resolve(directory, file));
    const foreign = relative.startsWith('..') || path.isAbsolute(relative) || /(^|\/)node_modules\//.test(relative);
    return foreign || relative === '' ? undefined : relative;
  };
  const own = result.file === undefined ? undefined : inside(result.file);
  const frames = framesOf(result.failure ?? '').flatMap((frame) => {
    const file = inside(frame.file);
    return file === undefined ? [] : [{ ...frame, file }];
  });
  const frame = frames.find(({ file }) => file === own) ?? (own === undefined ? frames[0] : undefined);
  if (frame !== undefined) return frame;
  if (own === undefined) return undefined;
  return { file: own, ...(result.line !== undefined && { line: result.line }) };
}

/** Node prints the assertion that really failed as the `cause` of its own error: those frames come first. */
function framesOf(failure: string): Required<Omit<Place, 'endLine'>>[] {
  const cause = failure.indexOf('cause: ');
  const ordered = cause < 0 ? failure : failure.slice(cause) + failure.slice(0, cause);
  return [...ordered.matchAll(FRAME)].map(([, file = '', line, column]) => ({
    file,
    line: Number(line),
    column: Number(column ?? 1),
  }));
}
