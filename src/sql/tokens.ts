/** What the next character of a script begins, as far as it matters for where statements end. */
export interface Token {
  readonly kind: 'space' | 'comment' | 'quoted' | 'word' | 'other';
  readonly end: number;
  /** A quote or comment that never ends. */
  readonly open?: 'quoted string' | 'quoted name' | 'dollar-quoted string' | 'comment';
}

const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const SPACE = /[ \t\r\n\f\v]+/y;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
// A number or parameter is taken whole, so that no `$` inside is mistaken for a quote.
const NUMBER = /\$?\d[\w.$]*/y;

/** The token at an index, by the rules of PostgreSQL's lexer (manual, 4.1) with standard_conforming_strings on. */
export function tokenAt(sql: string, at: number): Token {
  const character = sql[at] ?? '';
  switch (character) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case '\f':
    case '\v':
      return { kind: 'space', end: endOf(SPACE, sql, at) };
    case "'":
      return quoted(sql, at + 1, "'", 'quoted string');
    case '"':
      return quoted(sql, at + 1, '"', 'quoted name');
    case '-':
      if (sql[at + 1] === '-') return { kind: 'comment', end: orEnd(sql.indexOf('\n', at), sql) };
      return { kind: 'other', end: at + 1 };
    case '/':
      return sql[at + 1] === '*' ? blockComment(sql, at) : { kind: 'other', end: at + 1 };
    case '$':
      return dollar(sql, at);
    default:
  }
  if (character >= '0' && character <= '9') return { kind: 'word', end: endOf(NUMBER, sql, at) };
  const end = endOf(WORD, sql, at);
  if (end === at) return { kind: 'other', end: at + 1 };
  // E'…' knows backslashes; the letters of B'', N'', U&'' and X'' change nothing about where they end.
  if (end === at + 1 && (character === 'E' || character === 'e') && sql[end] === "'") return escaped(sql, end + 1);
  return { kind: 'word', end };
}

function endOf(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : at;
}

function orEnd(at: number, sql: string): number {
  return at < 0 ? sql.length : at;
}

function quoted(sql: string, from: number, quote: string, what: 'quoted string' | 'quoted name'): Token {
  for (let at = sql.indexOf(quote, from); at >= 0; at = sql.indexOf(quote, at + 2)) {
    if (sql[at + 1] !== quote) return { kind: 'quoted', end: at + 1 };
  }
  return { kind: 'quoted', end: sql.length, open: what };
}

function escaped(sql: string, from: number): Token {
  for (let at = from; at < sql.length; at += 1) {
    if (sql[at] === '\\') at += 1;
    else if (sql[at] === "'" && sql[at + 1] === "'") at += 1;
    else if (sql[at] === "'") return { kind: 'quoted', end: at + 1 };
  }
  return { kind: 'quoted', end: sql.length, open: 'quoted string' };
}

function dollar(sql: string, at: number): Token {
  const opened = endOf(DOLLAR, sql, at);
  if (opened === at) return { kind: 'other', end: Math.max(at + 1, endOf(NUMBER, sql, at)) };
  const tag = sql.slice(at, opened);
  const closed = sql.indexOf(tag, opened);
  if (closed < 0) return { kind: 'quoted', end: sql.length, open: 'dollar-quoted string' };
  return { kind: 'quoted', end: closed + tag.length };
}

const COMMENT_EDGE = /\/\*|\*\//g;

/** Comments between slash and star nest in PostgreSQL. */
function blockComment(sql: string, at: number): Token {
  COMMENT_EDGE.lastIndex = at;
  let depth = 0;
  for (let edge = COMMENT_EDGE.exec(sql); edge; edge = COMMENT_EDGE.exec(sql)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return { kind: 'comment', end: COMMENT_EDGE.lastIndex };
  }
  return { kind: 'comment', end: sql.length, open: 'comment' };
}
