import type { Hazard } from './rule.ts';

/** Twice what the largest schema dumps have; beyond it are data, which belong elsewhere. */
const LARGEST_SCRIPT = 10 * 1024 * 1024;

/** Why a script is not looked into at all; undefined where it may be. */
export function textFault(sql: string): Hazard | undefined {
  if (sql.length > LARGEST_SCRIPT) {
    return {
      code: 'script-too-large',
      message: `it has ${(sql.length / 1024 / 1024).toFixed(0)} MB; up to ${LARGEST_SCRIPT / 1024 / 1024} MB are checked`,
      why: 'Nobody can say what it locks.',
      remedy: 'Split it, and load data apart from the schema.',
    };
  }
  const nul = sql.indexOf('\0');
  // Bytes that are no UTF-8 were read as U+FFFD.
  const garbage = sql.slice(0, 100_000).split('\uFFFD').length - 1;
  if (nul < 0 && garbage * 20 <= Math.min(sql.length, 100_000)) return undefined;
  const isWide = nul >= 0 && /^(?:.\0){4}|^(?:\0.){4}|^\uFFFD\uFFFD/s.test(sql);
  return {
    code: 'not-text',
    message: isWide ? 'it is text in UTF-16; the server takes UTF-8' : 'it is no text: it holds bytes that no SQL has',
    why: 'The server refuses it.',
    remedy: isWide ? 'Save it as UTF-8.' : 'See whether it is the right file.',
  };
}
