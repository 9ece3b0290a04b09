import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A script whose statements are judged one by one. */
export interface Case {
  /** Family and title: `indexes: plain index`. */
  readonly name: string;
  readonly sql: string;
  /** What is there before, besides the fixture. */
  readonly setup: readonly string[];
  /** Whether a tool would open a transaction around it. */
  readonly transaction: boolean;
  /** Whether the session has a short lock_timeout before, as `mode: apply` sees to. */
  readonly timeouts: boolean;
  /** A script with the same result that may need less of a lock. */
  readonly weaker?: string;
}

const FAMILIES = ['indexes', 'constraints', 'columns', 'objects', 'data', 'transactions'] as const;
const folder = path.join(import.meta.dirname, 'corpus');

export const fixture = readFileSync(path.join(folder, 'fixture.sql'), 'utf8');
/** What the running version asks, one statement a line. */
export const oldVersion: readonly string[] = readFileSync(path.join(folder, 'old-version.sql'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('--'));

/** All cases: a title behind `---`, what else is to be known of it in further such lines, and its script. */
export function cases(): readonly Case[] {
  return FAMILIES.flatMap((family) => {
    const lines = readFileSync(path.join(folder, `${family}.sql`), 'utf8')
      .trimEnd()
      .split('\n');
    const found: Case[] = [];
    for (let at = 0; at < lines.length;) {
      const title = /^--- (.*)$/.exec(lines[at] ?? '')?.[1] ?? '';
      at += 1;
      const notes: string[] = [];
      for (
        ;
        lines[at]?.startsWith('--- ') === true &&
        /^--- (?:setup|weaker|transaction$|no timeouts$|fails$)/.test(lines[at] ?? '');
        at += 1
      )
        notes.push((lines[at] ?? '').slice(4));
      const from = at;
      while (at < lines.length && lines[at]?.startsWith('--- ') !== true) at += 1;
      const named = (key: string): readonly string[] =>
        notes.filter((note) => note.startsWith(`${key}: `)).map((note) => note.slice(key.length + 2));
      const [weaker] = named('weaker');
      found.push({
        name: `${family}: ${title}`,
        sql: lines.slice(from, at).join('\n'),
        setup: named('setup'),
        transaction: notes.includes('transaction'),
        timeouts: !notes.includes('no timeouts'),
        ...(weaker !== undefined && { weaker }),
      });
    }
    return found;
  });
}
