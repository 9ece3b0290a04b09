import type { Alteration, Clauses } from '../mysql-sql/alteration.ts';
import { type Table, isIndexed } from './catalog.ts';
import type { Column } from '../mysql-sql/column.ts';
import { columnEffect } from './column-effect.ts';
import { type Effect, type Server, WAYS, type Way, hasVirtual, since, worst } from './way.ts';

const INSTANT: Effect = { way: 'instant', waits: 'none', isSure: true };
const NOCOPY: Effect = { way: 'nocopy', waits: 'none', isSure: true };
const REBUILD: Effect = { way: 'rebuild', waits: 'none', isSure: true };
const COPY: Effect = { way: 'copy', waits: 'writes', isSure: true };
/** In place, and without writes meanwhile. */
const SHARED: Effect = { way: 'nocopy', waits: 'writes', isSure: true };

/**
 * What the clauses of an ALTER TABLE do together, by the tables of the manuals (MySQL "Online DDL Operations", MariaDB
 * "InnoDB Online DDL Overview"); for MariaDB they were checked against what the server accepts.
 * @param table as it is before; undefined where nothing is known of it
 */
export function effectOf(
  alterations: readonly Alteration[],
  table: Table | undefined,
  server: Server,
  checksKeys = true,
): Effect {
  const dropsKey = alterations.some((one) => one.do === 'drop primary key');
  const addsKey = alterations.some((one) => one.do === 'add index' && one.kind === 'primary');
  const effects = alterations.map((one): Effect => {
    if (one.do === 'drop primary key') return addsKey ? REBUILD : COPY;
    if (one.do === 'add index' && one.kind === 'primary' && dropsKey) return REBUILD;
    return single(one, table, server, checksKeys);
  });
  if (table !== undefined && table.engine !== 'innodb') return { ...COPY, way: worst([...effects, COPY]).way };
  const together = worst(effects);
  if (!alterations.some(movesColumns) || alterations.length === 1) return together;
  // Columns that come or go at once go along with nothing that works on indexes; MariaDB keeps virtual ones in order.
  if (together.way === 'nocopy') return { ...together, way: 'rebuild' };
  return together.way === 'instant' && server.flavour === 'MariaDB' && hasVirtual(table) ? COPY : together;
}

function single(one: Alteration, table: Table | undefined, server: Server, checksKeys: boolean): Effect {
  switch (one.do) {
    case 'add column':
      return addColumn(one.column, one.isPlaced, table, server);
    case 'drop column':
      return dropColumn(one.name, table, server);
    case 'modify column':
      return columnEffect(one, table, server);
    case 'rename column':
      return server.flavour === 'MariaDB' ? INSTANT : since(server, 80_028) ? INSTANT : NOCOPY;
    case 'add index':
      if (one.kind === 'primary') return REBUILD;
      if (one.kind === 'plain' || one.kind === 'unique') return NOCOPY;
      if (one.kind !== 'fulltext' || hasFulltext(table)) return SHARED;
      // The first one of a table adds a hidden column.
      return { ...SHARED, way: 'rebuild' };
    case 'add foreign key':
      return checksKeys ? COPY : NOCOPY;
    case 'add check':
      return COPY;
    case 'convert charset':
      return converted(one.charset, table, server);
    case 'rename table':
    case 'change default':
      return INSTANT;
    case 'drop foreign key':
    case 'drop constraint':
    case 'metadata':
    case 'default charset':
    case 'rename index':
      return server.flavour === 'MariaDB' ? INSTANT : NOCOPY;
    case 'drop index':
      return NOCOPY;
    case 'engine':
      return one.engine === 'innodb' ? REBUILD : COPY;
    case 'rebuild':
      if (!hasFulltext(table)) return REBUILD;
      return server.flavour === 'MySQL' ? COPY : { ...REBUILD, waits: 'writes' };
    case 'partition':
      return PARTITION[one.name] ?? COPY;
    case 'drop primary key':
    case 'order by':
    case 'versioning':
      return COPY;
    case 'unknown':
      return { ...COPY, isSure: false };
  }
}

/** Only what moves no rows is quick; the clause ALGORITHM says nothing of partitions. */
const PARTITION: Readonly<Record<string, Effect>> = {
  ADD: NOCOPY,
  DROP: NOCOPY,
  TRUNCATE: NOCOPY,
  EXCHANGE: NOCOPY,
  ANALYZE: NOCOPY,
  CHECK: NOCOPY,
  DISCARD: NOCOPY,
  IMPORT: NOCOPY,
};

function addColumn(column: Column, isPlaced: boolean, table: Table | undefined, server: Server): Effect {
  if (column.generated === 'stored' || column.references || column.default === '(…)') return COPY;
  if (column.autoIncrement) return { ...REBUILD, waits: 'writes' };
  if (column.check && server.flavour === 'MySQL') return COPY;
  if (column.primary || column.unique) return REBUILD;
  if (server.flavour === 'MariaDB') {
    if (hasFulltext(table)) return { ...SHARED, way: 'rebuild' };
    if (isPlaced && hasVirtual(table)) return COPY;
    return isPlaced && !since(server, 100_400) ? REBUILD : INSTANT;
  }
  if (column.generated === 'virtual') return isPlaced ? REBUILD : since(server, 80_000) ? INSTANT : NOCOPY;
  if (hasFulltext(table)) return REBUILD;
  return since(server, isPlaced ? 80_029 : 80_012) ? INSTANT : REBUILD;
}

function dropColumn(name: string, table: Table | undefined, server: Server): Effect {
  const column = table?.columns.get(name.toLowerCase());
  if (server.flavour === 'MariaDB') {
    if (!since(server, 100_400)) return REBUILD;
    return table !== undefined && isIndexed(table, name) ? NOCOPY : INSTANT;
  }
  if (column?.generated === 'virtual') return INSTANT;
  if (column?.generated === 'stored' || (table !== undefined && hasFulltext(table))) return REBUILD;
  return since(server, 80_029) ? INSTANT : REBUILD;
}

function converted(charset: string, table: Table | undefined, server: Server): Effect {
  const texts = [...(table?.columns.values() ?? [])].filter(({ type }) => /char|text|enum|set/.test(type));
  const isSame = table?.isKnown === true && texts.every((column) => column.charset === charset);
  if (!isSame) return { ...COPY, isSure: table?.isKnown === true };
  return server.flavour === 'MariaDB' ? INSTANT : REBUILD;
}

function movesColumns(one: Alteration): boolean {
  return one.do === 'add column' || one.do === 'drop column' || (one.do === 'modify column' && one.isPlaced);
}

function hasFulltext(table: Table | undefined): boolean {
  return table?.indexes.some(({ kind }) => kind === 'fulltext') === true;
}

/** What ALGORITHM has to say so that the server takes this way and no worse one. */
export function algorithmFor({ way }: Effect, { flavour, version }: Server): NonNullable<Clauses['algorithm']> {
  if (way === 'copy') return 'COPY';
  if (way === 'rebuild') return 'INPLACE';
  if (way === 'nocopy') return flavour === 'MariaDB' ? 'NOCOPY' : 'INPLACE';
  return flavour === 'MySQL' && version < 80_012 ? 'INPLACE' : 'INSTANT';
}

/** The ways that the clause ALGORITHM allows. */
export function allows(algorithm: Clauses['algorithm'], way: Way): boolean {
  const most = { INSTANT: 'instant', NOCOPY: 'nocopy', INPLACE: 'rebuild', COPY: 'copy', DEFAULT: 'copy' } as const;
  return algorithm === undefined || WAYS.indexOf(way) <= WAYS.indexOf(most[algorithm] ?? 'copy');
}
