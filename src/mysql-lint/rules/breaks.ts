import type { Hazard } from '../../sql-lint/rule.ts';
import type { Alteration } from '../../mysql-sql/alteration.ts';
import type { MysqlStep } from '../rule.ts';
import { allWait } from '../rule.ts';

const AFTER_DEPLOY = 'Deploy a version that does without it first, then run this in the phase contract.';

/** What takes away or renames something that the running version uses. */
export function* breaks({ reading, catalog }: MysqlStep): Generator<Hazard> {
  if (reading.kind === 'drop table' && !reading.isTemporary) {
    for (const table of reading.tables.filter((one) => !catalog.isNew(one))) {
      yield {
        code: 'table-dropped',
        message: `the table ${table} is dropped`,
        why: 'Every query of the running version on it fails, and its rows are gone; a large one also holds up the server while its file is removed.',
        remedy: `${AFTER_DEPLOY} Renaming it first lets you go back for a while.`,
        ...allWait(table),
      };
    }
  }
  if (reading.kind === 'rename table')
    for (const [from, to] of reading.pairs) yield* renamed(from, to, catalog.isNew(from));
  if (reading.kind === 'drop object' && reading.what !== 'user' && reading.what !== 'role') {
    yield {
      code: reading.what === 'database' || reading.what === 'schema' ? 'schema-dropped' : 'object-dropped',
      message: `the ${reading.what} ${reading.name} is dropped`,
      why: 'What of the running version uses it fails.',
      remedy: AFTER_DEPLOY,
    };
  }
  if (reading.kind !== 'alter table' || catalog.isNew(reading.table)) return;
  const { table, alterations } = reading;
  for (const one of alterations) {
    if (one.do === 'rename table') yield* renamed(table, one.to, false);
    else
      yield* broken(
        one,
        table,
        alterations,
        catalog.table(table)?.columns.get('name' in one ? one.name.toLowerCase() : '')?.notNull,
      );
  }
}

function* broken(
  one: Alteration,
  table: string,
  all: readonly Alteration[],
  wasNotNull: boolean | undefined,
): Generator<Hazard> {
  if (one.do === 'drop column') {
    yield {
      code: 'column-dropped',
      message: `the column ${table}.${one.name} is dropped`,
      why: 'Queries of the running version that name it fail, and its values are gone.',
      remedy: AFTER_DEPLOY,
    };
  }
  if (
    one.do === 'rename column' ||
    (one.do === 'modify column' && one.column.name.toLowerCase() !== one.name.toLowerCase())
  ) {
    const to = one.do === 'rename column' ? one.to : one.column.name;
    yield {
      code: 'column-renamed',
      message: `the column ${table}.${one.name} becomes ${to}`,
      why: 'The running version knows the old name, the next one the new name: one of them fails.',
      remedy: `Add ${to}, write both, fill it in batches, and drop ${one.name} after the deploy.`,
    };
  }
  if (one.do === 'add column') {
    const { column } = one;
    const isFilled = column.default !== undefined || column.autoIncrement || column.generated !== undefined;
    if (column.notNull && !isFilled) {
      yield {
        code: 'column-not-null-without-default',
        message: `the new column ${table}.${column.name} has to be filled, and has no default`,
        why: 'Rows that are there get an empty value, and every INSERT of the running version fails in strict mode, as it does not name the column.',
        remedy: 'Give it a default, or leave NOT NULL to the phase contract.',
        rewrite: `ALTER TABLE ${table} ADD COLUMN ${column.name} ${column.type}${column.args.length > 0 ? `(${column.args.join(', ')})` : ''} NULL, ALGORITHM=INSTANT;`,
      };
    }
    if (column.unique) yield duplicates(table, [column.name]);
  }
  if (one.do === 'modify column' && one.column.notNull && wasNotNull !== true && !makesKey(all, one.column.name)) {
    yield {
      code: 'not-null-breaks-writers',
      message: `${table}.${one.column.name} may no longer be empty`,
      why: 'The running version may still write NULL there, which then fails; rows that have it make this statement fail.',
      remedy: 'Fill what is empty and have the service write it always, then run this in the phase contract.',
    };
  }
  if (one.do === 'add index' && one.kind === 'unique') yield duplicates(table, one.columns);
}

function makesKey(all: readonly Alteration[], column: string): boolean {
  return all.some((one) => one.do === 'add index' && one.kind === 'primary' && one.columns.includes(column));
}

function duplicates(table: string, columns: readonly string[]): Hazard {
  const list = columns.filter(Boolean).join(', ');
  return {
    code: 'unique-index-data',
    message: `it fails if ${table} has two rows with the same ${list || 'values'}`,
    why: 'The server finds that out at the end, and one that is written meanwhile makes it fail too.',
    remedy: 'Look for them first:',
    ...(list !== '' && {
      rewrite: `SELECT ${list}, COUNT(*) FROM ${table} GROUP BY ${list} HAVING COUNT(*) > 1 LIMIT 10;`,
    }),
  };
}

function* renamed(from: string, to: string, isNew: boolean): Generator<Hazard> {
  if (isNew) return;
  yield {
    code: 'table-renamed',
    message: `the table ${from} becomes ${to}`,
    why: 'The running version knows the old name, the next one the new name: one of them fails.',
    remedy: 'Leave the old name as a view of the new table in the same migration, and drop the view after the deploy.',
    rewrite: `RENAME TABLE ${from} TO ${to};\nCREATE VIEW ${from} AS SELECT * FROM ${to};`,
    ...allWait(from),
  };
}
