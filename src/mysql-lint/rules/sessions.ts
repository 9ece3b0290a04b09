import type { Hazard } from '../../sql-lint/rule.ts';
import type { Column } from '../../mysql-sql/column.ts';
import type { MysqlStep } from '../rule.ts';
import { commitsImplicitly } from '../../mysql-sql/statement.ts';

/** What is odd about transactions, since every change of the schema commits by itself. */
export function* transactions({ sql, reading, session, catalog }: MysqlStep): Generator<Hazard> {
  if (reading.kind === 'made sql') {
    yield {
      code: 'opaque-sql',
      message: 'what this runs does not stand here',
      why: 'It may lock or copy anything.',
      remedy: 'Write the statements out.',
    };
  }
  if (!isDdl(sql, reading)) return;
  if (session.inTransaction) {
    yield {
      code: 'ddl-commits',
      message: 'this commits the transaction that is open here',
      why: 'What stands before it cannot be taken back any more, whatever comes after.',
      remedy: 'Leave BEGIN and COMMIT out, or put the rows into a migration of their own.',
    };
  }
  const [first] = session.ddl;
  if (session.ddl.length !== 1 || first === undefined) return;
  if (!first.isShared && !isShared({ reading, catalog })) return;
  yield {
    code: 'several-ddl',
    message: `this is the second change of the schema of this migration, the first stands in line ${first.line}`,
    why: 'Each commits by itself: when a later one fails, the earlier ones stay, and most tools then start again with the first and fail there.',
    remedy: 'Put each into a migration of its own, or several of one table into one ALTER TABLE.',
  };
}

/** Whether it changes the schema for good. */
export function isDdl(sql: string, { kind }: MysqlStep['reading']): boolean {
  return (
    commitsImplicitly(sql) &&
    !['begin', 'end', 'set', 'lock tables', 'maintenance', 'made sql'].includes(kind) &&
    /^\W*(create|alter|drop|rename|truncate)\b/i.test(sql)
  );
}

/** Whether it changes a table that others use. */
export function isShared({ reading, catalog }: Pick<MysqlStep, 'reading' | 'catalog'>): boolean {
  if (reading.kind === 'alter table' || reading.kind === 'truncate') return !catalog.isNew(reading.table);
  if (reading.kind === 'drop table') return reading.tables.some((table) => !catalog.isNew(table));
  return reading.kind === 'rename table';
}

/** Without it a change waits for ever, and all others on the table behind it. */
export function* timeouts({ reading, session, catalog }: MysqlStep): Generator<Hazard> {
  if (session.hasLockTimeout || !isShared({ reading, catalog })) return;
  if (reading.kind === 'alter table' && reading.waits) return;
  yield {
    code: 'lock-timeout-missing',
    message: 'nothing limits how long this waits for its lock',
    why: 'Behind one long transaction it waits for a day (MariaDB) or a year (MySQL), and every query on the table waits behind it.',
    remedy: 'Set lock_wait_timeout before:',
    rewrite: 'SET SESSION lock_wait_timeout = 2;',
  };
}

/** What is made in a way that somebody regrets later. */
export function* definitions({ reading }: MysqlStep): Generator<Hazard> {
  const columns: Column[] = [];
  const charsets: string[] = [];
  const engines: string[] = [];
  if (reading.kind === 'create table') {
    columns.push(...reading.definition.columns);
    charsets.push(reading.definition.charset ?? '', reading.definition.collate ?? '');
    if (!reading.isTemporary) engines.push(reading.definition.engine ?? '');
  }
  for (const one of reading.kind === 'alter table' ? reading.alterations : []) {
    if (one.do === 'add column' || one.do === 'modify column') columns.push(one.column);
    if (one.do === 'convert charset' || one.do === 'default charset') charsets.push(one.charset);
    if (one.do === 'engine') engines.push(one.engine);
  }
  charsets.push(...columns.flatMap(({ charset, collate }) => [charset ?? '', collate ?? '']));
  if (charsets.some((one) => /^utf8(?:mb3)?(?:_|$)/.test(one))) {
    yield {
      code: 'utf8-three-bytes',
      message: 'utf8 is utf8mb3 here, which has no emoji and not all names',
      why: 'What does not fit is refused or cut, and the change to utf8mb4 copies the table later.',
      remedy: 'Write utf8mb4.',
    };
  }
  const unsafe = engines.find((one) => /^(?:myisam|aria|memory|heap|csv|archive|merge)$/.test(one));
  if (unsafe === undefined) return;
  yield {
    code: 'engine-unsafe',
    message: `the engine ${unsafe} knows no transactions`,
    why: 'Each write locks the whole table, and what a failed one left cannot be rolled back.',
    remedy: 'Write ENGINE=InnoDB.',
  };
}

/** Triggers work on every write of the running version. */
export function* triggers({ reading, catalog }: MysqlStep): Generator<Hazard> {
  if (reading.kind !== 'create trigger' || catalog.isNew(reading.table)) return;
  yield {
    code: 'trigger-created',
    message: `every write on ${reading.table || 'the table'} runs the trigger from now on`,
    why: 'A fault in it makes writes of the running version fail.',
    remedy: 'Try it with the running version first.',
  };
}
