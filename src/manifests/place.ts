import type { Document } from '../kube/document.ts';
import type { Place } from '../action/errors.ts';

/**
 * The place within a document's file where one of `words` stands as a word of its own: those that come first count
 * more. The document's first line when none does.
 * @param source text of the whole file
 */
export function placeOf({ file, line }: Document, source: string, words: readonly string[]): Place {
  const lines = source.split('\n').slice(line - 1);
  const end = lines.findIndex((text, i) => i > 0 && /^---(\s|$)/.test(text));
  const own = end === -1 ? lines : lines.slice(0, end);
  for (const word of words.filter((candidate) => candidate !== '')) {
    const found = own.findIndex((text) => standsIn(word, text));
    if (found !== -1) return { file, line: line + found };
  }
  return { file, line };
}

/** A comment names things too, but is no place to mend them. */
function standsIn(word: string, text: string): boolean {
  const code = text.replace(/(^|\s)#.*$/, '');
  const around = '[^A-Za-z0-9._-]';
  const escaped = word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`(^|${around})${escaped}($|${around})`).test(code);
}
