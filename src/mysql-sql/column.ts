import { Cursor, type Piece, byCommas, hasWord } from './cursor.ts';

/** A column as its definition says. */
export interface Column {
  readonly name: string;
  /** In lower case, with one name for each type: `int`, `varchar`, `enum`. */
  readonly type: string;
  /** What stands in its parentheses: a length, or the values of an ENUM without their quotes. */
  readonly args: readonly string[];
  readonly unsigned: boolean;
  readonly charset?: string;
  readonly collate?: string;
  readonly notNull: boolean;
  /** As text; undefined without one. `(…)` where it is an expression. */
  readonly default?: string;
  readonly autoIncrement: boolean;
  readonly generated?: 'virtual' | 'stored';
  readonly unique: boolean;
  readonly primary: boolean;
  readonly references: boolean;
  readonly check: boolean;
}

/** Names that mean the same type. */
const SAME: Readonly<Record<string, string>> = {
  integer: 'int',
  int4: 'int',
  int8: 'bigint',
  int2: 'smallint',
  int1: 'tinyint',
  middleint: 'mediumint',
  dec: 'decimal',
  numeric: 'decimal',
  fixed: 'decimal',
  bool: 'tinyint',
  boolean: 'tinyint',
  character: 'char',
  varcharacter: 'varchar',
  real: 'double',
  json: 'longtext',
};
const SERIAL = { type: 'bigint', unsigned: true, notNull: true, autoIncrement: true, unique: true } as const;
/** Types whose size in rows their parentheses do not change. */
const SHOWN_WIDTH = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);

/** Reads the definition of a column, from its name on. */
export function columnOf(pieces: readonly Piece[], flavour: 'MySQL' | 'MariaDB' = 'MySQL'): Column {
  const cursor = new Cursor(pieces);
  const name = cursor.name();
  const written = cursor.next()?.word.toLowerCase() ?? '';
  if (written === 'double') cursor.take('PRECISION');
  const isVarying = written === 'character' || written === 'char' ? cursor.take('VARYING') : false;
  // To MySQL it is a type of its own.
  const type = isVarying ? 'varchar' : written === 'json' && flavour === 'MySQL' ? 'json' : (SAME[written] ?? written);
  const inside = byCommas(cursor.parentheses()).map(([piece]) => unquoted(piece));
  const args = SHOWN_WIDTH.has(type) ? [] : inside;
  const rest = cursor.rest();
  const charset = after(rest, 'CHARSET') ?? after(rest, 'CHARACTER', 'SET');
  const collate = after(rest, 'COLLATE');
  const fallback = defaultOf(rest);
  const primary = hasWord(rest, 'PRIMARY') || (hasWord(rest, 'KEY') && !hasWord(rest, 'UNIQUE'));
  const isGenerated = hasWord(rest, 'AS') || hasWord(rest, 'GENERATED');
  return {
    name,
    type,
    args,
    unsigned: hasWord(rest, 'UNSIGNED'),
    ...(charset !== undefined && { charset: charsetName(charset) }),
    ...(collate !== undefined && { collate: collate.toLowerCase() }),
    notNull: /NOT NULL/.test(wordsOf(rest)) || primary,
    ...(fallback !== undefined && { default: fallback }),
    autoIncrement: hasWord(rest, 'AUTO_INCREMENT'),
    ...(isGenerated && {
      generated: hasWord(rest, 'STORED') || hasWord(rest, 'PERSISTENT') ? ('stored' as const) : ('virtual' as const),
    }),
    unique: hasWord(rest, 'UNIQUE'),
    primary,
    references: hasWord(rest, 'REFERENCES'),
    check: hasWord(rest, 'CHECK'),
    ...(type === 'serial' && SERIAL),
  };
}

/** `utf8` is the one of three bytes, whatever it will mean some day. */
export function charsetName(name: string): string {
  return name.toLowerCase() === 'utf8' ? 'utf8mb3' : name.toLowerCase();
}

/** The word after these, behind an `=` that may be missing. */
export function after(pieces: readonly Piece[], ...words: readonly string[]): string | undefined {
  const at = pieces.findIndex((_, index) =>
    words.every((word, ahead) => {
      const piece = pieces[index + ahead];
      return piece?.kind === 'word' && piece.word === word;
    }),
  );
  if (at < 0) return undefined;
  const next = at + words.length;
  return unquoted(pieces[pieces[next]?.text === '=' ? next + 1 : next]);
}

function defaultOf(rest: readonly Piece[]): string | undefined {
  const at = rest.findIndex(({ kind, word }) => kind === 'word' && word === 'DEFAULT');
  const value = rest[at + 1];
  if (at < 0 || value === undefined || value.word === 'NULL') return undefined;
  if (value.text === '(') return '(…)';
  const call = rest[at + 2]?.text === '(' && !/^(?:CURRENT_TIMESTAMP|NOW|LOCALTIME|LOCALTIMESTAMP)$/.test(value.word);
  return call ? '(…)' : value.text;
}

function wordsOf(pieces: readonly Piece[]): string {
  return pieces.map(({ kind, word }) => (kind === 'word' ? word : '·')).join(' ');
}

function unquoted(piece: Piece | undefined): string {
  if (piece?.kind !== 'string') return piece?.text ?? '';
  const quote = piece.text[0] ?? "'";
  return piece.text.slice(1, -1).replaceAll(quote + quote, quote);
}
