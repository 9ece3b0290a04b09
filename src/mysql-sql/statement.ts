import { type AlterTable, type Alteration, alterOf, clausesOf, element, namesOf } from './alteration.ts';
import { type Column, after, charsetName, columnOf } from './column.ts';
import { Cursor, type Piece, byCommas, hasWord, piecesOf } from './cursor.ts';

/** What CREATE TABLE makes. */
export interface Definition {
  readonly columns: readonly Column[];
  readonly elements: readonly Alteration[];
  readonly charset?: string;
  readonly collate?: string;
  readonly engine?: string;
  readonly isPartitioned: boolean;
}

/** A statement, as far as its hazards need it to be understood. */
export type Reading =
  | {
      readonly kind: 'create table';
      readonly table: string;
      readonly isTemporary: boolean;
      readonly ifNotExists: boolean;
      readonly definition: Definition;
      /** The table whose rows it takes. */
      readonly from?: string;
      readonly like?: string;
    }
  | ({ readonly kind: 'alter table'; readonly index?: 'created' | 'dropped' } & AlterTable)
  | { readonly kind: 'drop table'; readonly tables: readonly string[]; readonly isTemporary: boolean }
  | { readonly kind: 'rename table'; readonly pairs: readonly (readonly [from: string, to: string])[] }
  | { readonly kind: 'truncate'; readonly table: string }
  | {
      readonly kind: 'update' | 'delete';
      readonly table: string;
      readonly where: readonly Piece[];
      readonly limit?: number;
    }
  | { readonly kind: 'insert'; readonly from?: string }
  | { readonly kind: 'maintenance'; readonly what: 'OPTIMIZE' | 'REPAIR'; readonly tables: readonly string[] }
  | { readonly kind: 'lock tables'; readonly tables: readonly string[] }
  | { readonly kind: 'drop object'; readonly what: string; readonly name: string }
  | { readonly kind: 'create trigger'; readonly table: string }
  | { readonly kind: 'begin' | 'end' | 'made sql' | 'other' }
  | { readonly kind: 'set'; readonly name: string; readonly value: string };

/** Reads a statement; what it does not know is `other`. */
export function readStatement(sql: string, flavour: 'MySQL' | 'MariaDB' = 'MySQL'): Reading {
  const pieces = piecesOf(sql);
  const cursor = new Cursor(pieces);
  if (cursor.take('CREATE')) return created(cursor, flavour);
  if (cursor.take('ALTER')) return altered(cursor, flavour);
  if (cursor.take('DROP')) return dropped(cursor);
  if (cursor.take('RENAME', 'TABLE|TABLES'))
    return { kind: 'rename table', pairs: byCommas(cursor.rest()).map(pairOf) };
  if (cursor.take('TRUNCATE')) {
    cursor.take('TABLE');
    return { kind: 'truncate', table: cursor.name() };
  }
  if (cursor.take('WITH')) return afterWith(cursor);
  return rowsOf(cursor) ?? sessionOf(cursor) ?? { kind: 'other' };
}

function created(cursor: Cursor, flavour: 'MySQL' | 'MariaDB'): Reading {
  const isReplaced = cursor.take('OR', 'REPLACE');
  const isTemporary = cursor.take('TEMPORARY');
  if (cursor.take('TABLE')) return createdTable(cursor, { isTemporary, isReplaced }, flavour);
  cursor.take('ONLINE|OFFLINE');
  const kind = (['unique', 'fulltext', 'spatial', 'vector'] as const).find((one) => cursor.take(one.toUpperCase()));
  if (cursor.take('INDEX')) {
    cursor.take('IF', 'NOT', 'EXISTS');
    const name = cursor.name();
    if (cursor.take('USING')) cursor.next();
    cursor.take('ON');
    const table = cursor.name();
    const columns = namesOf(cursor.parentheses());
    const alterations: readonly Alteration[] = [{ do: 'add index', kind: kind ?? 'plain', name, columns }];
    return { kind: 'alter table', index: 'created', table, alterations, waits: false, ...clausesOf([cursor.rest()]) };
  }
  const rest = cursor.rest();
  const head = rest.slice(0, 12);
  const trigger = head.findIndex(({ word }) => word === 'TRIGGER');
  if (trigger < 0) return { kind: 'other' };
  return { kind: 'create trigger', table: after(rest.slice(0, 30), 'ON') ?? '' };
}

function createdTable(
  cursor: Cursor,
  { isTemporary, isReplaced }: { readonly isTemporary: boolean; readonly isReplaced: boolean },
  flavour: 'MySQL' | 'MariaDB',
): Reading {
  const ifNotExists = cursor.take('IF', 'NOT', 'EXISTS') || isReplaced;
  const table = cursor.name();
  const common = { kind: 'create table', table, isTemporary, ifNotExists } as const;
  const none: Definition = { columns: [], elements: [], isPartitioned: false };
  const isParenthesized = cursor.peek()?.text === '(';
  if (cursor.take('LIKE') || (isParenthesized && cursor.peek(1)?.word === 'LIKE' && cursor.take('(', 'LIKE'))) {
    return { ...common, definition: none, like: cursor.name() };
  }
  const parts = isParenthesized && cursor.peek(1)?.word !== 'SELECT' ? byCommas(cursor.parentheses()) : [];
  const columns: Column[] = [];
  const elements: Alteration[] = [];
  for (const part of parts) {
    const one = element(new Cursor(part));
    if (one === undefined) columns.push(columnOf(part, flavour));
    else elements.push(one);
  }
  const rest = cursor.rest();
  const select = rest.findIndex(({ kind, word }) => kind === 'word' && word === 'SELECT');
  const options = select < 0 ? rest : rest.slice(0, select);
  const charset = after(options, 'CHARSET') ?? after(options, 'CHARACTER', 'SET');
  const [collate, engine] = [after(options, 'COLLATE'), after(options, 'ENGINE')];
  const from = select < 0 ? undefined : after(rest, 'FROM');
  return {
    ...common,
    definition: {
      columns,
      elements,
      ...(charset !== undefined && { charset: charsetName(charset) }),
      ...(collate !== undefined && { collate: collate.toLowerCase() }),
      ...(engine !== undefined && { engine: engine.toLowerCase() }),
      isPartitioned: hasWord(options, 'PARTITION'),
    },
    ...(from !== undefined && { from }),
  };
}

function altered(cursor: Cursor, flavour: 'MySQL' | 'MariaDB'): Reading {
  cursor.take('ONLINE|OFFLINE');
  cursor.take('IGNORE');
  return cursor.take('TABLE') ? { kind: 'alter table', ...alterOf(cursor, flavour) } : { kind: 'other' };
}

function dropped(cursor: Cursor): Reading {
  const isTemporary = cursor.take('TEMPORARY');
  if (cursor.take('TABLE|TABLES')) {
    cursor.take('IF', 'EXISTS');
    return { kind: 'drop table', tables: byCommas(cursor.rest()).map((part) => new Cursor(part).name()), isTemporary };
  }
  if (cursor.take('INDEX')) {
    cursor.take('IF', 'EXISTS');
    const name = cursor.name();
    cursor.take('ON');
    const table = cursor.name();
    const alterations: readonly Alteration[] = [
      name === 'PRIMARY' ? { do: 'drop primary key' } : { do: 'drop index', name },
    ];
    return { kind: 'alter table', index: 'dropped', table, alterations, waits: false, ...clausesOf([cursor.rest()]) };
  }
  const what = cursor.next()?.word.toLowerCase() ?? '';
  if (cursor.take('BODY')) return { kind: 'other' };
  cursor.take('IF', 'EXISTS');
  return { kind: 'drop object', what, name: cursor.name() };
}

function pairOf(part: readonly Piece[]): readonly [from: string, to: string] {
  const cursor = new Cursor(part);
  const from = cursor.name();
  cursor.take('TO');
  return [from, cursor.name()];
}

function afterWith(cursor: Cursor): Reading {
  const rest = cursor.rest();
  let depth = 0;
  const main = rest.findIndex(({ kind, word, text }) => {
    if (kind === 'sign') depth += text === '(' ? 1 : text === ')' ? -1 : 0;
    return depth === 0 && kind === 'word' && (word === 'UPDATE' || word === 'DELETE');
  });
  return (main < 0 ? undefined : rowsOf(new Cursor(rest.slice(main)))) ?? { kind: 'other' };
}

/** What changes rows. */
function rowsOf(cursor: Cursor): Reading | undefined {
  const kind = cursor.take('UPDATE') ? 'update' : cursor.take('DELETE') ? 'delete' : undefined;
  if (kind === undefined) return insertOf(cursor);
  while (cursor.take('LOW_PRIORITY|IGNORE|QUICK|FROM'));
  const table = cursor.name();
  const rest = cursor.rest();
  const at = topLevel(rest, 'WHERE');
  const end = rest.findIndex(
    (_, index) =>
      index > at &&
      ['ORDER', 'LIMIT', 'RETURNING'].includes(rest[index]?.word ?? '') &&
      topLevel(rest.slice(index), rest[index]?.word ?? '') === 0,
  );
  const limit = topLevel(rest, 'LIMIT');
  const most = limit < 0 ? undefined : Number(rest[limit + 1]?.text);
  return {
    kind,
    table,
    where: at < 0 ? [] : rest.slice(at + 1, end < 0 ? undefined : end),
    ...(most !== undefined && Number.isFinite(most) && { limit: most }),
  };
}

function topLevel(pieces: readonly Piece[], word: string): number {
  let depth = 0;
  return pieces.findIndex((piece) => {
    if (piece.kind === 'sign') depth += piece.text === '(' ? 1 : piece.text === ')' ? -1 : 0;
    return depth === 0 && piece.kind === 'word' && piece.word === word;
  });
}

function insertOf(cursor: Cursor): Reading | undefined {
  if (!cursor.take('INSERT|REPLACE')) return undefined;
  const rest = cursor.rest();
  const select = rest.findIndex(({ kind, word }) => kind === 'word' && word === 'SELECT');
  const from = select < 0 ? undefined : after(rest.slice(select), 'FROM');
  return { kind: 'insert', ...(from !== undefined && { from }) };
}

/** What changes the session, or what nobody can read. */
function sessionOf(cursor: Cursor): Reading | undefined {
  const maintenance = (['OPTIMIZE', 'REPAIR'] as const).find((one) => cursor.take(one));
  if (maintenance !== undefined) {
    cursor.take('NO_WRITE_TO_BINLOG|LOCAL');
    cursor.take('TABLE|TABLES');
    return {
      kind: 'maintenance',
      what: maintenance,
      tables: byCommas(cursor.rest()).map((part) => new Cursor(part).name()),
    };
  }
  if (cursor.take('LOCK', 'TABLE|TABLES')) {
    return { kind: 'lock tables', tables: byCommas(cursor.rest()).map((part) => new Cursor(part).name()) };
  }
  if (cursor.take('BEGIN') && cursor.take('NOT')) return { kind: 'made sql' };
  if (cursor.isDone || cursor.take('START', 'TRANSACTION') || cursor.take('WORK')) return { kind: 'begin' };
  if (cursor.take('COMMIT') || (cursor.take('ROLLBACK') && !hasWord(cursor.rest(), 'TO'))) return { kind: 'end' };
  if (cursor.take('CALL|PREPARE|EXECUTE')) return { kind: 'made sql' };
  if (!cursor.take('SET')) return undefined;
  cursor.take('SESSION|LOCAL');
  while (cursor.take('@') || cursor.take('SESSION', '.'));
  const name = cursor.name().toLowerCase();
  cursor.take(':');
  cursor.take('=');
  return { kind: 'set', name, value: cursor.next()?.text ?? '' };
}

/** Whether the server commits what is open before it (MySQL manual, "Statements That Cause an Implicit Commit"). */
export function commitsImplicitly(sql: string): boolean {
  const words = piecesOf(sql.slice(0, 200))
    .slice(0, 4)
    .map(({ word }) => word);
  const [first = '', second = '', third = ''] = words;
  const isTemporary = second === 'TEMPORARY' || (second === 'OR' && words[3] === 'TEMPORARY');
  if (/^(?:CREATE|DROP)$/.test(first) && isTemporary) return false;
  if (first === 'SET') return second === 'PASSWORD';
  if (first === 'BEGIN') return third !== 'ATOMIC';
  return /^(?:CREATE|ALTER|DROP|RENAME|TRUNCATE|OPTIMIZE|ANALYZE|REPAIR|CHECK|CACHE|GRANT|REVOKE|LOCK|INSTALL|UNINSTALL|FLUSH|RESET|START|LOAD)$/.test(
    first,
  );
}
