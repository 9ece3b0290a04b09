import type { IndexStmt, Node } from 'libpg-query';
import type { Table } from '../catalog.ts';
import { as, tokensOf } from '../clauses.ts';
import { madeName, quoted, rangeOf, relationOf, textsOf } from '../names.ts';
import type { Hazard, Step } from '../rule.ts';

/** Indexes: built, dropped and rebuilt. */
export function* indexes(step: Step): Generator<Hazard> {
  const index = as(step.node, 'IndexStmt');
  if (index) yield* created(step, index);
  yield* dropped(step);
  yield* rebuilt(step);
}

function* created(step: Step, index: IndexStmt): Generator<Hazard> {
  const table = rangeOf(index.relation);
  const known = step.catalog.table(table.name);
  if (known?.isNew === true) return;
  if (index.concurrent === true) {
    if (known?.kind === 'partitioned table') yield partitioned(step, index);
    else yield* concurrent(step, index);
    return;
  }
  // On the parent alone it is only a definition, which the indexes of the partitions are attached to.
  if (index.relation?.inh !== true && known?.kind !== 'table') return;
  const rewrite = known?.kind === 'partitioned table' ? byPartition(step.sql, index) : concurrently(step.sql, 'index');
  yield {
    code: 'index-not-concurrent',
    // Nobody writes to a view but its refresh.
    ...(known?.kind === 'materialized view' && { severity: 'notice' as const }),
    message: `nobody can write to ${table.name} while the index is built`,
    why: 'INSERT, UPDATE and DELETE wait until the whole table was read and sorted; reads go on.',
    remedy: 'Build it CONCURRENTLY, outside a transaction and in a script of its own.',
    ...(rewrite !== undefined && { rewrite }),
    lock: { relation: table.name, mode: 'ShareLock' },
  };
}

function partitioned({ sql }: Step, index: IndexStmt): Hazard {
  return {
    code: 'concurrently-on-partitioned',
    message: `it fails: an index of the partitioned table ${rangeOf(index.relation).name} can’t be built CONCURRENTLY`,
    why: 'PostgreSQL builds it on all partitions at once or not at all.',
    remedy: 'Define it on the table alone, build one on each partition CONCURRENTLY, and attach those.',
    rewrite: byPartition(sql, index),
  };
}

/** An index on a partitioned table step by step: with the last partition's it becomes valid. */
function byPartition(sql: string, index: IndexStmt): string {
  const alone = sql.replace(/\bconcurrently\s+/i, '').replace(/\bon\s+/i, 'ON ONLY ');
  return `${alone};
-- then for each partition, outside a transaction:
-- CREATE INDEX CONCURRENTLY <name> ON <partition> …;
-- ALTER INDEX ${quoted(index.idxname ?? '<name>')} ATTACH PARTITION <name>;`;
}

function* concurrent(step: Step, index: IndexStmt): Generator<Hazard> {
  const table = rangeOf(index.relation);
  const name = quoted(index.idxname ?? '');
  if (index.if_not_exists === true) {
    const schema = index.relation?.schemaname === undefined ? '' : `${quoted(index.relation.schemaname)}.`;
    yield {
      code: 'index-if-not-exists',
      message: `IF NOT EXISTS also accepts an invalid ${index.idxname} that an interrupted run left`,
      why: 'A build that was interrupted leaves an index that costs every write and serves no query.',
      remedy: 'Drop what may be left first.',
      rewrite: `DROP INDEX CONCURRENTLY IF EXISTS ${schema}${name};\n${step.sql.replace(/\bif\s+not\s+exists\s+/i, '')};`,
    };
  }
  if (index.unique !== true) return;
  const columns = (index.indexParams ?? []).map((one) => as(one, 'IndexElem')?.name);
  const plain = columns.filter((column) => column !== undefined).map(quoted);
  yield {
    code: 'unique-index-data',
    message: `the index on ${table.name} fails at the end of its build where two rows are alike`,
    why: 'It is then left invalid, and refuses further duplicates all the same.',
    remedy: 'Look for duplicates first.',
    ...(plain.length === columns.length && {
      rewrite: `-- gives no row where the index can be built
SELECT ${plain.join(', ')}, count(*) FROM ${table.sql} GROUP BY ${plain.join(', ')} HAVING count(*) > 1;`,
    }),
  };
}

function* dropped(step: Step): Generator<Hazard> {
  const drop = as(step.node, 'DropStmt');
  if (drop?.removeType !== 'OBJECT_INDEX') return;
  for (const object of drop.objects ?? []) {
    const index = relationOf(textsOf(as(object, 'List')?.items));
    const table = step.catalog.tableOfIndex(index.name);
    if (table?.isNew === true) continue;
    yield* uniqueDropped(table, index.name);
    if (drop.concurrent === true || table?.kind === 'partitioned table') continue;
    yield {
      code: 'index-drop-not-concurrent',
      message: `all queries of the table of ${index.name} wait while the index is dropped`,
      why: 'It is soon done, but first it waits for every query of the table, and all others wait behind it.',
      remedy: 'Drop it CONCURRENTLY, outside a transaction and in a script of its own.',
      rewrite: `DROP INDEX CONCURRENTLY ${drop.missing_ok === true ? 'IF EXISTS ' : ''}${index.sql};`,
      ...(table && { lock: { relation: table.name, mode: 'AccessExclusiveLock' } }),
    };
  }
}

function* uniqueDropped(table: Table | undefined, name: string): Generator<Hazard> {
  if (table?.indexes.some((index) => index.name === name && index.unique) !== true) return;
  yield {
    code: 'constraint-dropped',
    message: `${name} makes rows of ${table.name} unique; \`ON CONFLICT\` on its columns fails without it`,
    why: 'INSERT … ON CONFLICT needs a unique index on just these columns.',
    remedy: 'Drop it once no running version needs it.',
    lock: { relation: table.name, mode: 'AccessExclusiveLock' },
  };
}

function* rebuilt(step: Step): Generator<Hazard> {
  const reindex = as(step.node, 'ReindexStmt');
  if (!reindex || isConcurrent(reindex.params)) return;
  const relation = rangeOf(reindex.relation);
  const own = reindex.kind === 'REINDEX_OBJECT_INDEX' ? step.catalog.tableOfIndex(relation.name)?.name : relation.name;
  if (own !== undefined && step.catalog.isNew(own)) return;
  const what = reindex.relation ? relation.name : (reindex.name ?? 'the database');
  const rewrite = concurrently(step.sql.replace(/^(reindex\s+)\([^)]*\)\s*/i, '$1'), 'reindex');
  yield {
    code: 'reindex-not-concurrent',
    message: `writes wait while the indexes of ${what} are rebuilt, and queries that would use them too`,
    why: 'The table is locked against writes, and each index against everything, until it is whole.',
    remedy: 'Rebuild it CONCURRENTLY, outside a transaction.',
    // The system's own indexes can't be rebuilt so.
    ...(rewrite !== undefined && reindex.kind !== 'REINDEX_OBJECT_SYSTEM' && { rewrite }),
    ...(own !== undefined && reindex.relation && { lock: { relation: own, mode: 'ShareLock' } }),
  };
}

/** Whether a list of options has CONCURRENTLY and does not switch it off. */
export function isConcurrent(options: readonly Node[] | undefined): boolean {
  return hasOption(options, 'concurrently');
}

/** Whether a list of options has one that is on, as `(FULL)`, `(FULL true)` or `FULL`. */
export function hasOption(options: readonly Node[] | undefined, name: string): boolean {
  return (options ?? []).some((node) => {
    const option = as(node, 'DefElem');
    const [text, number] = [as(option?.arg, 'String')?.sval, as(option?.arg, 'Integer')];
    const isOff = (text !== undefined && /^(?:false|off|no)$/i.test(text)) || (number && number.ival === undefined);
    return option?.defname === name && !isOff;
  });
}

/** The statement with CONCURRENTLY behind INDEX, or behind what is reindexed. */
function concurrently(sql: string, kind: 'index' | 'reindex'): string | undefined {
  const isPlace = kind === 'index' ? /^index$/i : /^(?:index|table|schema|database)$/i;
  const place = [...tokensOf(sql)].find(({ text }) => isPlace.test(text));
  if (!place) return undefined;
  const end = place.at + place.text.length;
  return `-- in a script of its own, outside a transaction\n${sql.slice(0, end)} CONCURRENTLY${sql.slice(end)};`;
}

/** The name PostgreSQL gives an index of columns. */
export function indexName(table: string, columns: readonly string[]): string {
  return madeName(table, ...columns, 'idx');
}
