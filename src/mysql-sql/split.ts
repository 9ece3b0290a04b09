import { Lines } from '../sql/lines.ts';
import { type Comment, DIRECTIVE } from '../sql/split.ts';
import type { Statement } from '../sql/statement.ts';
import { tokenAt } from './tokens.ts';

/** Something in a script that is no statement. */
export interface MysqlOddity {
  readonly kind: 'unterminated' | 'client-command';
  /** What never ends, or the command as it stands. */
  readonly what: string;
  readonly offset: number;
}

/** A script in its parts, in their order. */
export interface MysqlSplit {
  readonly statements: readonly Statement[];
  readonly oddities: readonly MysqlOddity[];
  /** Comments that stand above nothing, after the last statement. */
  readonly trailing: readonly Comment[];
}

/** Bodies whose statements end with semicolons of their own. */
const ROUTINE =
  /^(?:begin not atomic|create (?:or replace )?(?:definer .*)?(?:aggregate )?(?:procedure|function|trigger|event|package)\b)/;
const AFTER_END = /\s+(if|loop|while|repeat|case|for)\b/iy;
const DELIMITER = /delimiter[ \t]+(\S{1,16})[^\n]*/iy;
/** What the mysql client takes for itself at the start of a statement. */
const CLIENT =
  /(?:source|system|tee|notee|pager|nopager|prompt|status|warnings|nowarning)\b[^;\n]*|\\[a-zA-Z.!#?][^\n]*/iy;
const LONGEST_HEAD = 40;

/**
 * Cuts a script into statements where the mysql client does: at the delimiter, which `DELIMITER` changes, outside quotes
 * and comments. Other than that client it also keeps the body of a routine together where no delimiter was changed.
 * Takes whatever text comes; what is odd about it is told, never thrown.
 */
export function splitMysql(sql: string, firstLine = 1): MysqlSplit {
  return new Splitter(sql, firstLine).split();
}

class Splitter {
  readonly #sql: string;
  readonly #lines: Lines;
  readonly #statements: Statement[] = [];
  readonly #oddities: MysqlOddity[] = [];
  #comments: Comment[] = [];
  #delimiter = ';';
  /** Where the statement under way begins; -1 between statements. */
  #start = -1;
  #end = 0;
  #words: string[] = [];
  #isRoutine = false;
  #blocks = 0;
  #lastLine = 0;

  constructor(sql: string, firstLine: number) {
    this.#sql = sql;
    this.#lines = new Lines(sql, firstLine);
  }

  split(): MysqlSplit {
    const sql = this.#sql;
    for (let at = 0; at < sql.length;) {
      if (this.#blocks === 0 && sql.startsWith(this.#delimiter, at)) {
        at += this.#delimiter.length;
        this.#finish();
        continue;
      }
      const command = this.#start < 0 ? this.#command(at) : at;
      if (command > at) {
        at = command;
        continue;
      }
      at = this.#token(at);
    }
    this.#finish();
    return { statements: this.#statements, oddities: this.#oddities, trailing: this.#comments };
  }

  #token(at: number): number {
    const token = tokenAt(this.#sql, at);
    if (token.open !== undefined) this.#oddities.push({ kind: 'unterminated', what: token.open, offset: at });
    if (token.kind === 'space') return token.end;
    if (token.kind === 'comment') {
      this.#comment(at, token.end);
      return token.end;
    }
    if (this.#start < 0) this.#start = at;
    // A delimiter such as $$ would be taken for part of a name.
    const end = token.kind === 'word' || token.kind === 'number' ? this.#beforeDelimiter(at, token.end) : token.end;
    this.#end = end;
    return token.kind === 'word' ? this.#word(this.#sql.slice(at, Math.min(end, at + 20)).toLowerCase(), end) : end;
  }

  #beforeDelimiter(at: number, end: number): number {
    const found = this.#sql.slice(at, end).indexOf(this.#delimiter);
    return found > 0 ? at + found : end;
  }

  /** Follows the blocks of a routine. @returns where to go on */
  #word(word: string, end: number): number {
    if (this.#words.length < LONGEST_HEAD) {
      this.#words.push(word);
      const [first] = this.#words;
      this.#isRoutine ||= (first === 'create' || first === 'begin') && ROUTINE.test(this.#words.join(' '));
    }
    if (!this.#isRoutine || this.#delimiter !== ';') return end;
    if (word === 'begin' || word === 'case') this.#blocks += 1;
    if (word !== 'end' || this.#blocks === 0) return end;
    AFTER_END.lastIndex = end;
    const after = AFTER_END.exec(this.#sql);
    const closes = after?.[1]?.toLowerCase();
    if (closes === undefined || closes === 'case') this.#blocks -= 1;
    if (after === null) return end;
    this.#end = AFTER_END.lastIndex;
    return AFTER_END.lastIndex;
  }

  #command(at: number): number {
    DELIMITER.lastIndex = at;
    const delimiter = DELIMITER.exec(this.#sql);
    if (delimiter?.[1] !== undefined) {
      this.#delimiter = delimiter[1];
      return DELIMITER.lastIndex;
    }
    CLIENT.lastIndex = at;
    const [command] = CLIENT.exec(this.#sql) ?? [];
    if (command === undefined) return at;
    this.#oddities.push({ kind: 'client-command', what: command.slice(0, 80).trim(), offset: at });
    return CLIENT.lastIndex;
  }

  #comment(at: number, end: number): void {
    const text = this.#sql
      .slice(at, end)
      .replace(/^(?:--+|#+|\/\*+)|\*+\/$/g, '')
      .trim();
    const { line } = this.#lines.at(at);
    if (!DIRECTIVE.test(text) && (this.#start >= 0 || line === this.#lastLine)) return;
    this.#comments.push({ text, line });
  }

  #finish(): void {
    const start = this.#start;
    if (start < 0) return;
    const sql = this.#sql.slice(start, this.#end);
    const endLine = this.#lines.at(Math.max(start, this.#end - 1)).line;
    this.#statements.push({ sql, offset: start, ...this.#lines.at(start), endLine, comments: this.#comments });
    this.#lastLine = endLine;
    [this.#comments, this.#start, this.#words, this.#isRoutine, this.#blocks] = [[], -1, [], false, 0];
  }
}
