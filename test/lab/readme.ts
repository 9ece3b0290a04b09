import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The code blocks of one language in a page of this repository, in their order. */
export function codeBlocks(page: string, language: string): readonly string[] {
  const text = readFileSync(path.resolve(import.meta.dirname, '../..', page), 'utf8');
  const found = text.matchAll(/^( *)```(\w+)\n([^]*?)^\1```$/gm);
  return [...found]
    .filter(([, , name]) => name === language)
    .map(([, indent = '', , body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}
