import { Lines } from './lines.ts';
import type { Statement } from './statement.ts';
import { tokenAt } from './tokens.ts';

/** Something in a script that is no statement. */
export interface Oddity {
  readonly kind: 'unterminated' | 'psql-command' | 'copy-from-stdin';
  /** What never ends, or the command as it stands. */
  readonly what: string;
  readonly offset: number;
}

/** A comment of a script, without `--` or its edges. */
export type Comment = Statement['comments'][number];

/** A script in its parts, in their order. */
export interface Split {
  readonly statements: readonly Statement[];
  readonly oddities: readonly Oddity[];
  /** Comments that stand above nothing, after the last statement. */
  readonly trailing: readonly Comment[];
}

/** Comments that this product reads wherever they stand. */
export const DIRECTIVE = /^migrate-db:/;
// Whole words, so that no E before a quote is taken for the end of one; numbers, spaces and signs without a meaning here.
const PLAIN =
  /(?:[ \t\r\n\f\v]+|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*(?![\w$\u0080-\uffff'])|\d[\w.$]*|[,.=<>*+:?!@#%^&|~`[\]{}]+)+/y;
const SPACES = new Set(' \t\r\n\f\v');
const COPY_DATA = /^copy\s[^]*\sfrom\s+stdin\b/i;

/**
 * Cuts a script into statements where psql does: at a semicolon outside quotes, comments, parentheses and the body of
 * `BEGIN ATOMIC`. Takes whatever text comes; what is odd about it is told, never thrown.
 */
export function splitScript(sql: string, firstLine = 1): Split {
  return new Splitter(sql, firstLine).split();
}

class Splitter {
  readonly #sql: string;
  readonly #lines: Lines;
  readonly #statements: Statement[] = [];
  readonly #oddities: Oddity[] = [];
  #comments: Comment[] = [];
  /** Where the statement under way begins; -1 between statements. */
  #start = -1;
  #end = 0;
  #parens = 0;
  #blocks = 0;
  #words: string[] = [];
  #isRoutine = false;
  #lastLine = 0;

  constructor(sql: string, firstLine: number) {
    this.#sql = sql;
    this.#lines = new Lines(sql, firstLine);
  }

  split(): Split {
    const sql = this.#sql;
    for (let at = 0; at < sql.length;) {
      if (this.#start >= 0 && !this.#isWatched) at = this.#pass(at);
      if (at >= sql.length) break;
      const token = tokenAt(sql, at);
      if (token.open !== undefined) this.#oddities.push({ kind: 'unterminated', what: token.open, offset: at });
      if (token.kind === 'comment') this.#comment(at, token.end);
      else if (token.kind === 'other' && sql[at] === '\\' && /[a-z!?.]/i.test(sql[at + 1] ?? '')) {
        at = this.#psql(at);
        continue;
      } else if (token.kind !== 'space') {
        if (sql[at] === ';' && this.#parens <= 0 && this.#blocks === 0) {
          at = this.#finish(at + 1);
          continue;
        }
        this.#take(at, token.end, token.kind === 'word');
      }
      at = token.end;
    }
    this.#finish(sql.length);
    return { statements: this.#statements, oddities: this.#oddities, trailing: this.#comments };
  }

  /** Whether words tell something yet: what kind of statement it is, and in routines all the time. */
  get #isWatched(): boolean {
    return this.#words.length < 4 || this.#isRoutine;
  }

  /** Passes over what can neither end the statement nor begin a quote, which is most of it. */
  #pass(at: number): number {
    PLAIN.lastIndex = at;
    if (!PLAIN.test(this.#sql)) return at;
    const next = PLAIN.lastIndex;
    let end = next;
    while (end > at && SPACES.has(this.#sql[end - 1] ?? '')) end -= 1;
    if (end > at) this.#end = end;
    return next;
  }

  #take(at: number, end: number, isWord: boolean): void {
    if (this.#start < 0) this.#start = at;
    this.#end = end;
    if (isWord) this.#word(this.#sql.slice(at, Math.min(end, at + 12)).toLowerCase());
    else if (this.#sql[at] === '(') this.#parens += 1;
    else if (this.#sql[at] === ')') this.#parens -= 1;
  }

  /** Follows `BEGIN ATOMIC … END` of functions in SQL, which hold semicolons outside quotes. */
  #word(word: string): void {
    if (this.#words.length < 4) {
      this.#words.push(word);
      this.#isRoutine = /^create (?:or replace )?(?:function|procedure)/.test(this.#words.join(' '));
    }
    if (this.#parens > 0 || !this.#isRoutine) return;
    if (word === 'begin') this.#blocks += 1;
    else if (word === 'case' && this.#blocks > 0) this.#blocks += 1;
    else if (word === 'end' && this.#blocks > 0) this.#blocks -= 1;
  }

  #comment(at: number, end: number): void {
    const text = this.#sql
      .slice(at, end)
      .replace(/^(?:--+|\/\*+)|\*+\/$/g, '')
      .trim();
    const { line } = this.#lines.at(at);
    if (this.#start >= 0 && !DIRECTIVE.test(text)) return;
    // What follows a statement on its line is about that one.
    if (this.#start < 0 && line === this.#lastLine && !DIRECTIVE.test(text)) return;
    this.#comments.push({ text, line });
  }

  /** @returns where to go on: after the data, where the statement copies from stdin */
  #finish(next: number): number {
    const start = this.#start;
    if (start < 0) return next;
    const sql = this.#sql.slice(start, this.#end);
    const endLine = this.#lines.at(Math.max(start, this.#end - 1)).line;
    this.#statements.push({ sql, offset: start, ...this.#lines.at(start), endLine, comments: this.#comments });
    this.#lastLine = endLine;
    [this.#comments, this.#start, this.#parens, this.#blocks, this.#words] = [[], -1, 0, 0, []];
    this.#isRoutine = false;
    return COPY_DATA.test(sql.slice(0, 10_000)) ? this.#skipData(start, next) : next;
  }

  #skipData(start: number, next: number): number {
    this.#oddities.push({ kind: 'copy-from-stdin', what: 'COPY … FROM stdin', offset: start });
    const data = /^\\\.[ \t\r]*$/gm;
    data.lastIndex = next;
    return data.test(this.#sql) ? data.lastIndex : this.#sql.length;
  }

  /** A command of psql ends with its line; behind a statement it sends that, as `\g` does. */
  #psql(at: number): number {
    const end = this.#sql.indexOf('\n', at);
    const next = end < 0 ? this.#sql.length : end;
    this.#oddities.push({
      kind: 'psql-command',
      what: this.#sql.slice(at, Math.min(next, at + 80)).trim(),
      offset: at,
    });
    this.#finish(next);
    return next;
  }
}
