import type { Node } from 'libpg-query';
import { characterAtByte } from '../sql/lines.ts';
import type { Parser } from '../sql/parser.ts';
import { as, within } from './clauses.ts';
import { textsOf } from './names.ts';
import type { Hazard } from './rule.ts';
import { isSteady } from './volatility.ts';

/** SQL inside a block of PL/pgSQL. */
export interface Inner {
  readonly sql: string;
  readonly node: Node;
  /** Character of the statement around it. */
  readonly offset: number;
}

/** What a `DO` block runs, as far as its text tells, and whether it makes SQL while it runs. */
export interface Block {
  readonly inner: readonly Inner[];
  readonly opaque: readonly Hazard[];
}

/** Looks into a `DO` block; undefined where the statement is none. */
export function blockOf(sql: string, node: Node, parser: Parser): Block | undefined {
  const options = (as(node, 'DoStmt')?.args ?? []).map((arg) => as(arg, 'DefElem'));
  const body = options.find((option) => option?.defname === 'as');
  if (!body) return undefined;
  const language = as(options.find((option) => option?.defname === 'language')?.arg, 'String')?.sval ?? 'plpgsql';
  const tree = language === 'plpgsql' ? parser.plpgsql(sql) : undefined;
  if (tree === undefined) return { inner: [], opaque: [opaque(`what this block in ${language} does can’t be read`)] };
  return new BlockReader(sql, characterAtByte(sql, body.location ?? 0), parser).read(tree);
}

class BlockReader {
  readonly #sql: string;
  readonly #start: number;
  readonly #parser: Parser;
  readonly #inner: Inner[] = [];
  readonly #opaque: Hazard[] = [];
  /** Where the same text is looked for next. */
  readonly #next = new Map<string, number>();

  constructor(sql: string, start: number, parser: Parser) {
    this.#sql = sql;
    this.#start = start;
    this.#parser = parser;
  }

  read(tree: unknown): Block {
    this.#visit(tree);
    return { inner: this.#inner.toSorted((a, b) => a.offset - b.offset), opaque: this.#opaque.slice(0, 1) };
  }

  #visit(tree: unknown): void {
    if (typeof tree !== 'object' || tree === null) return;
    for (const [name, value] of Object.entries(tree)) {
      const query = queryOf(value);
      if (query !== undefined && STATIC.has(name)) this.#take(query, query);
      else if (query !== undefined && DYNAMIC.has(name)) this.#takeMade(query);
      this.#visit(value);
    }
  }

  #take(query: string, written: string): void {
    const parsed = this.#parser.parse(query);
    if ('node' in parsed) this.#inner.push({ sql: query, node: parsed.node, offset: this.#place(written) });
  }

  /** EXECUTE of a constant is as plain as the statement itself. */
  #takeMade(expression: string): void {
    const parsed = this.#parser.parse(`SELECT ${expression}`);
    const target = 'node' in parsed ? as(parsed.node, 'SelectStmt')?.targetList?.[0] : undefined;
    const text = as(as(target, 'ResTarget')?.val, 'A_Const')?.sval?.sval;
    if (text !== undefined) this.#take(text, expression);
    else this.#opaque.push(opaque('this block makes SQL while it runs, which nobody can read before'));
  }

  #place(written: string): number {
    const at = this.#sql.indexOf(written, this.#next.get(written) ?? this.#start);
    if (at < 0) return this.#start;
    this.#next.set(written, at + written.length);
    return at;
  }
}

const STATIC = new Set(['PLpgSQL_stmt_execsql', 'PLpgSQL_stmt_fors', 'PLpgSQL_stmt_perform', 'PLpgSQL_stmt_call']);
const DYNAMIC = new Set(['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors']);

function queryOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const key of ['sqlstmt', 'query', 'expr']) {
    const expression = (value as Readonly<Record<string, { PLpgSQL_expr?: { query?: string } } | undefined>>)[key];
    if (typeof expression?.PLpgSQL_expr?.query === 'string') return expression.PLpgSQL_expr.query;
  }
  return undefined;
}

// Functions of the server that change no schema; by their names, since only the schema tells all others.
const HARMLESS =
  /^(?:pg_\w+|setval|nextval|currval|lastval|set_config|gen_random_uuid|random|clock_timestamp|count|min|max|sum|avg|(?:bool|string|array|jsonb?)_\w+|generate_series|unnest|exists|row_number)$/;

/** Calls of procedures and functions of the schema: what they do stands elsewhere. */
export function callOf(node: Node): Hazard | undefined {
  const call = as(node, 'CallStmt')?.funccall;
  const select = as(node, 'SelectStmt');
  const called = call
    ? [call]
    : select && select.fromClause === undefined
      ? [...within(select.targetList, 'FuncCall')]
      : [];
  for (const { funcname } of called) {
    const parts = textsOf(funcname);
    const name = parts.at(-1) ?? '';
    if (parts[0] === 'pg_catalog' || isSteady(name) || (HARMLESS.test(name) && parts.length === 1)) continue;
    return opaque(`what ${parts.join('.')}() does does not stand here`);
  }
  return undefined;
}

function opaque(message: string): Hazard {
  return {
    code: 'opaque-sql',
    message,
    why: 'It may lock or rewrite anything; only a rehearsal shows it.',
    remedy: 'Write the statements out, or let the rehearsal show what they do.',
  };
}
