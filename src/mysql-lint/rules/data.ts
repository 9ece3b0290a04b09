import type { Hazard } from '../../sql-lint/rule.ts';
import type { Catalog } from '../catalog.ts';
import type { Piece } from '../../mysql-sql/cursor.ts';
import type { MysqlStep } from '../rule.ts';
import { allWait, writesWait } from '../rule.ts';

/** Rows that may be changed at once without anybody noticing. */
const FEW = 10_000;
/** Names that mostly stand for one row, where the schema is not known. */
const KEYS = /^(?:id|uuid|guid|key|code|slug|name|email|\w+_(?:key|code|uuid|slug))$/i;

/** What changes rows, or keeps whole tables to itself. */
export function* data({ reading, catalog }: MysqlStep): Generator<Hazard> {
  if (reading.kind === 'truncate' && !catalog.isNew(reading.table)) {
    yield {
      code: 'truncate',
      message: `all rows of ${reading.table} are gone`,
      why: 'It commits by itself and cannot be taken back; nobody reads or writes the table meanwhile.',
      remedy: 'Delete what is not needed in batches, and keep a copy.',
      ...allWait(reading.table),
    };
  }
  if (reading.kind === 'update' || reading.kind === 'delete') yield* rows(reading, catalog);
  if (reading.kind === 'insert' && reading.from !== undefined) yield* copied(reading.from, catalog);
  if (reading.kind === 'create table' && reading.from !== undefined) yield* copied(reading.from, catalog);
  if (reading.kind === 'lock tables') {
    yield {
      code: 'lock-table',
      message: `${reading.tables.join(', ') || 'a table'} is locked by hand`,
      why: 'Others wait until it is unlocked or the session ends, and the session itself reaches no other table, such as that of what is applied.',
      remedy: 'Leave it out: each change takes the locks that it needs.',
      ...allWait(reading.tables[0] ?? ''),
    };
  }
  if (reading.kind === 'maintenance') {
    for (const table of reading.tables.filter((one) => !catalog.isNew(one))) {
      const isRepair = reading.what === 'REPAIR';
      yield {
        code: isRepair ? 'alter-blocks-writes' : 'alter-rebuilds-table',
        message: `${reading.what} TABLE writes ${table} anew`,
        why: isRepair
          ? 'Reads and writes wait for it.'
          : 'It takes as much disk again, and replicas stand still for as long as it took.',
        remedy: 'Do it apart from deploys, in a quiet hour.',
        ...(isRepair && allWait(table)),
      };
    }
  }
}

function* rows(
  { kind, table, where, limit }: Extract<MysqlStep['reading'], { kind: 'update' | 'delete' }>,
  catalog: Catalog,
): Generator<Hazard> {
  if (catalog.isNew(table) || (limit !== undefined && limit <= FEW)) return;
  const isAll = where.length === 0;
  if (!isAll && isBounded(where, table, catalog)) return;
  const verb = kind === 'update' ? 'UPDATE' : 'DELETE';
  const condition = isAll ? '' : ' WHERE …';
  yield {
    code: isAll ? `${kind}-all-rows` : `${kind}-unbatched`,
    message: isAll ? `all rows of ${table} are ${kind}d at once` : `any number of rows of ${table} is ${kind}d at once`,
    why: 'All of them stay locked until it commits, with the gaps between them; old versions of them pile up, and replicas lag for as long.',
    remedy: 'Do it in batches:',
    rewrite: `-- repeat until no row is ${kind}d:\n${verb === 'UPDATE' ? `UPDATE ${table} SET …` : `DELETE FROM ${table}`}${condition} LIMIT 1000;`,
    ...writesWait(table),
  };
}

/** `key = constant`, `key IN (…)`, each perhaps with more conditions behind AND. */
function isBounded(where: readonly Piece[], table: string, catalog: Catalog): boolean {
  if (where.some(({ kind, word }) => kind === 'word' && (word === 'OR' || word === 'SELECT'))) return false;
  return where.some((piece, at) => {
    const isName = piece.kind === 'name' || piece.kind === 'word';
    if (!isName || !isKey(piece.text, table, catalog)) return false;
    const [sign, value] = [where[at + 1], where[at + 2]];
    const isIn = sign?.word === 'IN' && value?.text === '(';
    return (
      isIn || (sign?.text === '=' && (value?.kind === 'string' || value?.kind === 'number' || value?.text === '?'))
    );
  });
}

function isKey(column: string, name: string, catalog: Catalog): boolean {
  const table = catalog.table(name);
  if (table?.isKnown !== true) return KEYS.test(column);
  const only = column.toLowerCase();
  return table.indexes.some(
    ({ kind, columns }) => /primary|unique/.test(kind) && columns.length === 1 && columns[0]?.toLowerCase() === only,
  );
}

function* copied(from: string, catalog: Catalog): Generator<Hazard> {
  if (catalog.isNew(from)) return;
  yield {
    code: 'select-locks-source',
    message: `the rows of ${from} are locked while they are copied`,
    why: 'InnoDB locks each row that such a SELECT reads, and the gaps beside it, until it commits: writes on them wait.',
    remedy: 'Copy in batches by ranges of the primary key.',
    ...writesWait(from),
  };
}
