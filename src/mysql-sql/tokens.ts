/** What the next character of a script begins. */
export interface Token {
  readonly kind: 'space' | 'comment' | 'code-comment' | 'string' | 'name' | 'word' | 'number' | 'other';
  readonly end: number;
  /** A quote or comment that never ends. */
  readonly open?: 'string' | 'quoted name' | 'comment';
}

const WORD = /[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*/y;
const SPACE = /\s+/y;
const NUMBER = /\d[\w.]*/y;
/** Two dashes begin a comment only before a space or the end (MySQL manual, "Comments"): `5--1` is 6. */
const DASHES = /--(?=[\s\p{Cc}]|$)/uy;

/** The token at an index, by the lexer of MySQL and MariaDB in their default sql_mode. */
export function tokenAt(sql: string, at: number): Token {
  const character = sql[at] ?? '';
  const space = endOf(SPACE, sql, at);
  if (space > at) return { kind: 'space', end: space };
  if (character === "'" || character === '"') return quoted(sql, at, true);
  if (character === '`') return quoted(sql, at, false);
  if (character === '#' || endOf(DASHES, sql, at) > at) {
    const end = sql.indexOf('\n', at);
    return { kind: 'comment', end: end < 0 ? sql.length : end };
  }
  if (character === '/' && sql[at + 1] === '*') {
    const end = sql.indexOf('*/', at + 2);
    // The server runs what stands in such a comment, of its version or an older one.
    const kind = /^\/\*M?!/.test(sql.slice(at, at + 4)) ? 'code-comment' : 'comment';
    return end < 0 ? { kind, end: sql.length, open: 'comment' } : { kind, end: end + 2 };
  }
  const number = endOf(NUMBER, sql, at);
  // A name may begin with digits: `2fa_codes`.
  if (number > at)
    return { kind: /^(?:0x[\da-f]+|[\d.]+(?:e\d+)?)$/i.test(sql.slice(at, number)) ? 'number' : 'word', end: number };
  const word = endOf(WORD, sql, at);
  return word > at ? { kind: 'word', end: word } : { kind: 'other', end: at + 1 };
}

function endOf(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : at;
}

function quoted(sql: string, from: number, escapes: boolean): Token {
  const quote = sql[from];
  const kind = escapes ? 'string' : 'name';
  for (let at = from + 1; at < sql.length; at += 1) {
    if (escapes && sql[at] === '\\') at += 1;
    else if (sql[at] === quote && sql[at + 1] === quote) at += 1;
    else if (sql[at] === quote) return { kind, end: at + 1 };
  }
  return { kind, end: sql.length, open: escapes ? 'string' : 'quoted name' };
}
