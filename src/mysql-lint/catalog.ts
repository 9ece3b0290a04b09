import type { Alteration } from '../mysql-sql/alteration.ts';
import type { Column } from '../mysql-sql/column.ts';
import type { Definition, Reading } from '../mysql-sql/statement.ts';

/** A table as the scripts so far have left it. */
export interface Table {
  name: string;
  /** Made by this script, so that nobody else uses it yet. */
  isNew: boolean;
  /** Whether all of its columns and indexes are known. */
  readonly isKnown: boolean;
  readonly columns: Map<string, Column>;
  indexes: { readonly name: string; readonly kind: string; readonly columns: readonly string[] }[];
  charset: string | undefined;
  collate: string | undefined;
  engine: string;
  isPartitioned: boolean;
}

/** Rows and bytes up to which a table is read or written anew in a moment. */
const SMALL = { rows: 10_000, bytes: 16 * 1024 * 1024 };

/** Size of a table as the server estimates it (`information_schema.TABLES`). */
export interface MysqlTableSize {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
}

/** The schema as the scripts change it, as far as it is known. Names are compared without regard to case. */
export class Catalog {
  readonly #tables = new Map<string, Table>();
  readonly #sizes: ReadonlyMap<string, MysqlTableSize>;

  constructor(sizes: readonly MysqlTableSize[] = []) {
    this.#sizes = new Map(sizes.map((size) => [key(size.table), size]));
  }

  /** What an earlier script made may be in use by now. */
  beginScript(): void {
    for (const table of this.#tables.values()) table.isNew = false;
  }

  table(name: string): Table | undefined {
    return this.#tables.get(key(name));
  }

  isNew(name: string): boolean {
    return this.table(name)?.isNew === true;
  }

  /** Whether its size is known, and so small that whatever is done to it is soon over. */
  isSmall(name: string): boolean {
    const size = this.#sizes.get(key(name));
    return size !== undefined && size.rows <= SMALL.rows && size.bytes <= SMALL.bytes;
  }

  /** Takes in what a statement changes. */
  apply(reading: Reading): void {
    if (reading.kind === 'create table') this.#created(reading);
    if (reading.kind === 'alter table') for (const one of reading.alterations) this.#alter(reading.table, one);
    if (reading.kind === 'drop table') for (const table of reading.tables) this.#tables.delete(key(table));
    if (reading.kind === 'rename table') for (const [from, to] of reading.pairs) this.#rename(from, to);
  }

  #created(reading: Extract<Reading, { kind: 'create table' }>): void {
    const { table: name, definition, like, isTemporary, ifNotExists } = reading;
    // Under IF NOT EXISTS it may have been there for long, with rows in it.
    if (ifNotExists && !isTemporary && this.table(name) !== undefined) return;
    const isNew = isTemporary || !ifNotExists;
    const model = like === undefined ? undefined : this.table(like);
    this.#create(name, definition, isNew, like === undefined && reading.from === undefined);
    if (model === undefined) return;
    this.#tables.set(key(name), {
      ...model,
      columns: new Map(model.columns),
      indexes: [...model.indexes],
      name,
      isNew,
    });
  }

  #create(name: string, definition: Definition, isNew: boolean, isKnown: boolean): void {
    const { charset, collate, engine = 'innodb', isPartitioned, columns, elements } = definition;
    const table: Table = {
      name,
      isNew,
      isKnown,
      columns: new Map(),
      indexes: [],
      charset,
      collate,
      engine,
      isPartitioned,
    };
    this.#tables.set(key(name), table);
    for (const column of columns) this.#alter(name, { do: 'add column', column, isPlaced: false });
    for (const one of elements) this.#alter(name, one);
  }

  #alter(name: string, one: Alteration): void {
    const table = this.table(name);
    if (table === undefined) return;
    if (one.do === 'add column' || one.do === 'modify column') this.#column(table, one);
    if (one.do === 'drop column') table.columns.delete(key(one.name));
    if (one.do === 'rename column') {
      const column = table.columns.get(key(one.name));
      table.columns.delete(key(one.name));
      if (column !== undefined) table.columns.set(key(one.to), { ...column, name: one.to });
      this.#renameInIndexes(table, one.name, one.to);
    }
    if (one.do === 'add index') this.#index(table, one);
    if (one.do === 'add foreign key') table.indexes.push({ name: one.name, kind: 'plain', columns: one.columns });
    if (one.do === 'drop primary key') table.indexes = table.indexes.filter(({ kind }) => kind !== 'primary');
    if (one.do === 'drop index') table.indexes = table.indexes.filter((index) => key(index.name) !== key(one.name));
    if (one.do === 'convert charset') {
      table.charset = one.charset;
      table.collate = undefined;
      for (const [at, { collate: _, ...column }] of table.columns) {
        table.columns.set(at, { ...column, charset: one.charset });
      }
    }
    if (one.do === 'default charset' && one.charset !== '') table.charset = one.charset;
    if (one.do === 'engine') table.engine = one.engine;
    if (one.do === 'rename table') this.#rename(name, one.to);
  }

  #column(table: Table, one: Extract<Alteration, { do: 'add column' | 'modify column' }>): void {
    const { column } = one;
    if (one.do === 'modify column') {
      table.columns.delete(key(one.name));
      this.#renameInIndexes(table, one.name, column.name);
    }
    // The server keeps the character set of the moment with the column.
    const charset = column.charset ?? (column.collate === undefined ? table.charset : undefined);
    table.columns.set(key(column.name), { ...column, ...(charset !== undefined && { charset }) });
    if (column.primary) table.indexes.push({ name: 'PRIMARY', kind: 'primary', columns: [column.name] });
    if (column.unique) table.indexes.push({ name: column.name, kind: 'unique', columns: [column.name] });
  }

  #index(table: Table, index: Extract<Alteration, { do: 'add index' }>): void {
    table.indexes.push(index);
    for (const one of index.kind === 'primary' ? index.columns : []) {
      const column = table.columns.get(key(one));
      if (column !== undefined) table.columns.set(key(one), { ...column, notNull: true });
    }
  }

  #renameInIndexes(table: Table, from: string, to: string): void {
    table.indexes = table.indexes.map((index) => ({
      ...index,
      columns: index.columns.map((column) => (key(column) === key(from) ? to : column)),
    }));
  }

  #rename(from: string, to: string): void {
    const table = this.table(from);
    if (table === undefined) return;
    this.#tables.delete(key(from));
    table.name = to;
    this.#tables.set(key(to), table);
  }
}

function key(name: string): string {
  return name.toLowerCase();
}

/** Whether an index holds a column. */
export function isIndexed(table: Table, column: string): boolean {
  return table.indexes.some(({ columns }) => columns.some((one) => key(one) === key(column)));
}
