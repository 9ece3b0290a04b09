import { type Column, after, charsetName, columnOf } from './column.ts';
import { Cursor, type Piece, byCommas } from './cursor.ts';

type Flavour = 'MySQL' | 'MariaDB';
export type IndexKind = 'plain' | 'unique' | 'primary' | 'fulltext' | 'spatial' | 'vector';

/** One clause of ALTER TABLE, as far as it matters for what it does to the table. */
export type Alteration =
  | { readonly do: 'add column'; readonly column: Column; readonly isPlaced: boolean }
  | { readonly do: 'drop column'; readonly name: string }
  | { readonly do: 'modify column'; readonly name: string; readonly column: Column; readonly isPlaced: boolean }
  | { readonly do: 'rename column'; readonly name: string; readonly to: string }
  | { readonly do: 'add index'; readonly kind: IndexKind; readonly name: string; readonly columns: readonly string[] }
  | {
      readonly do: 'add foreign key';
      readonly name: string;
      readonly columns: readonly string[];
      readonly parent: string;
    }
  | { readonly do: 'convert charset'; readonly charset: string }
  | { readonly do: 'default charset'; readonly charset: string }
  | { readonly do: 'rename table'; readonly to: string }
  | { readonly do: 'engine'; readonly engine: string }
  | { readonly do: 'drop index' | 'drop constraint' | 'partition'; readonly name: string }
  | {
      readonly do:
        | 'drop primary key'
        | 'drop foreign key'
        | 'add check'
        | 'change default'
        | 'rename index'
        | 'metadata'
        | 'rebuild'
        | 'order by'
        | 'versioning'
        | 'unknown';
    };

/** How ALTER TABLE or CREATE INDEX is to be done, where the statement says so. */
export interface Clauses {
  readonly algorithm?: 'DEFAULT' | 'INSTANT' | 'NOCOPY' | 'INPLACE' | 'COPY';
  readonly lock?: 'DEFAULT' | 'NONE' | 'SHARED' | 'EXCLUSIVE';
}

export interface AlterTable extends Clauses {
  readonly table: string;
  readonly alterations: readonly Alteration[];
  readonly waits: boolean;
}

/** Reads an ALTER TABLE behind these two words. */
export function alterOf(cursor: Cursor, flavour: Flavour): AlterTable {
  cursor.take('IF', 'EXISTS');
  const table = cursor.name();
  const waits =
    cursor.take('NOWAIT') ||
    (cursor.peek()?.word === 'WAIT' && cursor.next() !== undefined && cursor.next() !== undefined);
  const parts = byCommas(cursor.rest());
  const clauses = clausesOf(parts.filter(isClause));
  const alterations = parts.filter((part) => !isClause(part)).flatMap((part) => alterationsOf(part, flavour));
  return { table, alterations, waits, ...clauses };
}

/** ALGORITHM and LOCK, wherever they stand. */
export function clausesOf(parts: readonly (readonly Piece[])[]): Clauses {
  const pieces = parts.flat();
  const algorithm = after(pieces, 'ALGORITHM')?.toUpperCase();
  const lock = after(pieces, 'LOCK')?.toUpperCase();
  return {
    ...(algorithm !== undefined && { algorithm: algorithm as NonNullable<Clauses['algorithm']> }),
    ...(lock !== undefined && { lock: lock as NonNullable<Clauses['lock']> }),
  };
}

function isClause([first]: readonly Piece[]): boolean {
  return first?.kind === 'word' && (first.word === 'ALGORITHM' || first.word === 'LOCK');
}

function alterationsOf(part: readonly Piece[], flavour: Flavour): readonly Alteration[] {
  const cursor = new Cursor(part);
  if (cursor.take('ADD')) return added(cursor, flavour);
  if (cursor.take('DROP')) return [dropped(cursor)];
  if (cursor.take('MODIFY')) {
    cursor.take('COLUMN');
    cursor.take('IF', 'EXISTS');
    const name = cursor.peek()?.text ?? '';
    return [{ do: 'modify column', name, ...placed(cursor.rest(), flavour) }];
  }
  if (cursor.take('CHANGE')) {
    cursor.take('COLUMN');
    cursor.take('IF', 'EXISTS');
    return [{ do: 'modify column', name: cursor.name(), ...placed(cursor.rest(), flavour) }];
  }
  if (cursor.take('RENAME')) return [renamed(cursor)];
  if (cursor.take('ALTER')) return [{ do: cursor.take('INDEX|KEY|CHECK|CONSTRAINT') ? 'metadata' : 'change default' }];
  if (cursor.take('CONVERT', 'TO', 'CHARACTER', 'SET') || cursor.take('CONVERT', 'TO', 'CHARSET')) {
    return [{ do: 'convert charset', charset: charsetName(cursor.name()) }];
  }
  if (cursor.take('ORDER', 'BY')) return [{ do: 'order by' }];
  if (cursor.take('FORCE')) return [{ do: 'rebuild' }];
  return optionsOf(cursor);
}

function added(cursor: Cursor, flavour: Flavour): readonly Alteration[] {
  if (cursor.take('PARTITION')) return [{ do: 'partition', name: 'ADD' }];
  if (cursor.take('SYSTEM|PERIOD')) return [{ do: 'versioning' }];
  const constraint = element(cursor);
  if (constraint !== undefined) return [constraint];
  cursor.take('COLUMN');
  cursor.take('IF', 'NOT', 'EXISTS');
  if (cursor.peek()?.text !== '(') return [{ do: 'add column', ...placed(cursor.rest(), flavour) }];
  // A list of them, in which indexes may stand too.
  return byCommas(cursor.parentheses()).map(
    (one) => element(new Cursor(one)) ?? { do: 'add column', column: columnOf(one, flavour), isPlaced: false },
  );
}

/** An index or a constraint, as it stands in ALTER TABLE and CREATE TABLE; undefined where it is a column. */
export function element(cursor: Cursor): Exclude<Alteration, { do: 'add column' }> | undefined {
  let name = '';
  if (cursor.take('CONSTRAINT') && !/^(?:PRIMARY|UNIQUE|FOREIGN|CHECK)$/.test(cursor.peek()?.word ?? '')) {
    name = cursor.name();
  }
  if (cursor.take('PRIMARY', 'KEY')) return indexOf(cursor, 'primary', 'PRIMARY');
  if (cursor.take('FOREIGN', 'KEY')) {
    cursor.take('IF', 'NOT', 'EXISTS');
    if (cursor.peek()?.text !== '(') name ||= cursor.name();
    const columns = namesOf(cursor.parentheses());
    cursor.take('REFERENCES');
    return { do: 'add foreign key', name, columns, parent: cursor.name() };
  }
  if (cursor.peek()?.kind === 'word' && cursor.take('CHECK')) return { do: 'add check' };
  for (const kind of ['unique', 'fulltext', 'spatial', 'vector'] as const) {
    // Else a column that is called so.
    const isKind = cursor.peek()?.kind === 'word' && cursor.peek()?.word === kind.toUpperCase();
    if (!isKind) continue;
    cursor.next();
    cursor.take('INDEX|KEY');
    return indexOf(cursor, kind, name);
  }
  return cursor.take('INDEX|KEY') ? indexOf(cursor, 'plain', name) : undefined;
}

function indexOf(cursor: Cursor, kind: IndexKind, given: string): Exclude<Alteration, { do: 'add column' }> {
  cursor.take('IF', 'NOT', 'EXISTS');
  const isNamed = cursor.peek()?.text !== '(' && cursor.peek()?.word !== 'USING';
  const name = isNamed ? cursor.name() : given;
  if (cursor.take('USING')) cursor.next();
  const columns = namesOf(cursor.parentheses());
  return { do: 'add index', kind, name: kind === 'primary' ? 'PRIMARY' : name || (columns[0] ?? ''), columns };
}

function dropped(cursor: Cursor): Alteration {
  if (cursor.take('PRIMARY', 'KEY')) return { do: 'drop primary key' };
  if (cursor.take('FOREIGN', 'KEY')) return { do: 'drop foreign key' };
  if (cursor.take('PARTITION')) return { do: 'partition', name: 'DROP' };
  if (cursor.take('SYSTEM|PERIOD')) return { do: 'versioning' };
  const kind = cursor.take('INDEX|KEY')
    ? 'drop index'
    : cursor.take('CONSTRAINT|CHECK')
      ? 'drop constraint'
      : 'drop column';
  if (kind === 'drop column') cursor.take('COLUMN');
  cursor.take('IF', 'EXISTS');
  return { do: kind, name: cursor.name() };
}

function renamed(cursor: Cursor): Alteration {
  if (cursor.take('INDEX|KEY')) return { do: 'rename index' };
  if (cursor.take('COLUMN')) {
    cursor.take('IF', 'EXISTS');
    const name = cursor.name();
    cursor.take('TO');
    return { do: 'rename column', name, to: cursor.name() };
  }
  cursor.take('TO|AS|=');
  return { do: 'rename table', to: cursor.name() };
}

/** Options of a table stand one after the other, with commas or without. */
function optionsOf(cursor: Cursor): readonly Alteration[] {
  const found: Alteration[] = [];
  while (!cursor.isDone) {
    cursor.take('DEFAULT');
    const piece = cursor.next();
    const word = piece?.kind === 'word' ? piece.word : '';
    if (PARTITIONING.has(word)) return [...found, { do: 'partition', name: word }];
    if (KEYS.has(word) && (cursor.take('KEYS') || cursor.take('TABLESPACE'))) {
      found.push({ do: 'metadata' });
      continue;
    }
    const isCharset = word === 'CHARSET' || (word === 'CHARACTER' && cursor.take('SET')) || word === 'COLLATE';
    cursor.take('=');
    const value = cursor.next()?.text ?? '';
    if (isCharset) found.push({ do: 'default charset', charset: word === 'COLLATE' ? '' : charsetName(value) });
    else if (word === 'ENGINE') found.push({ do: 'engine', engine: value.toLowerCase() });
    else if (METADATA.test(word)) found.push({ do: 'metadata' });
    else if (REBUILDS.test(word)) found.push({ do: 'rebuild' });
    else return [...found, { do: 'unknown' }];
  }
  return found.length === 0 ? [{ do: 'unknown' }] : found;
}

const PARTITIONING = new Set([
  'REORGANIZE',
  'REBUILD',
  'COALESCE',
  'EXCHANGE',
  'TRUNCATE',
  'PARTITION',
  'REMOVE',
  'OPTIMIZE',
  'ANALYZE',
  'CHECK',
  'REPAIR',
]);
const KEYS = new Set(['DISABLE', 'ENABLE', 'DISCARD', 'IMPORT']);
const METADATA =
  /^(?:COMMENT|AUTO_INCREMENT|STATS_\w+|MAX_ROWS|MIN_ROWS|AVG_ROW_LENGTH|CHECKSUM|DELAY_KEY_WRITE|PACK_KEYS|CONNECTION|AUTOEXTEND_SIZE|SECONDARY_ENGINE\w*|INSERT_METHOD|UNION)$/;
const REBUILDS =
  /^(?:ROW_FORMAT|KEY_BLOCK_SIZE|PAGE_COMPRESSED|PAGE_COMPRESSION_LEVEL|ENCRYPTED|ENCRYPTION|ENCRYPTION_KEY_ID|COMPRESSION|TABLESPACE)$/;

function placed(pieces: readonly Piece[], flavour: Flavour): { readonly column: Column; readonly isPlaced: boolean } {
  const last = pieces.at(-1);
  const before = pieces.at(-2);
  const isFirst = last?.kind === 'word' && last.word === 'FIRST';
  const isAfter = before?.kind === 'word' && before.word === 'AFTER';
  const kept = isFirst ? pieces.slice(0, -1) : isAfter ? pieces.slice(0, -2) : pieces;
  return { column: columnOf(kept, flavour), isPlaced: isFirst || isAfter };
}

/** The columns of an index, without lengths and directions; an expression has no name. */
export function namesOf(pieces: readonly Piece[]): readonly string[] {
  return byCommas(pieces).map(([first]) => (first?.kind === 'sign' ? '' : (first?.text ?? '')));
}
