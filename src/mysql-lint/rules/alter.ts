import type { Hazard } from '../../sql-lint/rule.ts';
import type { Alteration, AlterTable, Clauses } from '../../mysql-sql/alteration.ts';
import type { Table } from '../catalog.ts';
import type { Column } from '../../mysql-sql/column.ts';
import { algorithmFor, allows, effectOf } from '../effect.ts';
import type { MysqlStep } from '../rule.ts';
import { allWait, writesWait } from '../rule.ts';
import type { Effect, Server } from '../way.ts';

/** The server takes no notice of ALGORITHM there. */
const UNGUARDED = new Set(['engine', 'partition']);

/** How ALTER TABLE, CREATE INDEX and DROP INDEX work on a table that others use. */
export function* howAltered({ sql, reading, catalog, server, session }: MysqlStep): Generator<Hazard> {
  if (reading.kind !== 'alter table' || catalog.isNew(reading.table)) return;
  const table = catalog.table(reading.table);
  const { alterations } = reading;
  if (alterations.length === 0) return;
  const effect = effectOf(alterations, table, server, session.checksForeignKeys);
  const isGuarded = guards(reading, effect) && !alterations.some((one) => UNGUARDED.has(one.do));
  if (isGuarded) {
    if (effect.isSure && !isTaken(reading, effect)) yield refused(reading, effect, server);
    else if (effect.way === 'rebuild') yield rebuilt(reading, sql, effect, server);
    return;
  }
  const asked = askedFor(reading, effect);
  if (asked.waits === 'all') yield locked(reading);
  else if (asked.way === 'copy' || asked.waits === 'writes') yield copied(reading, asked, table, server);
  else if (asked.way === 'rebuild') yield rebuilt(reading, sql, asked, server);
  else yield unguarded(reading, sql, asked, server);
}

/** Whether the server rather refuses than makes others wait. */
function guards({ algorithm, lock }: Clauses, { way, waits }: Effect): boolean {
  const isInPlace = algorithm === 'INPLACE' && (way === 'copy' || waits === 'none');
  return algorithm === 'INSTANT' || algorithm === 'NOCOPY' || lock === 'NONE' || isInPlace;
}

function isTaken({ algorithm, lock }: Clauses, { way, waits }: Effect): boolean {
  return allows(algorithm, way) && (lock !== 'NONE' || waits === 'none');
}

/** What the statement itself asks for may be worse than what the server would do. */
function askedFor({ algorithm, lock }: Clauses, effect: Effect): Effect {
  if (lock === 'EXCLUSIVE') return { ...effect, waits: 'all' };
  if (algorithm === 'COPY') return { way: 'copy', waits: 'writes', isSure: true };
  return lock === 'SHARED' ? { ...effect, waits: 'writes' } : effect;
}

function refused({ table, algorithm, lock }: AlterTable, effect: Effect, server: Server): Hazard {
  const asks = [algorithm && `ALGORITHM=${algorithm}`, lock && `LOCK=${lock}`].filter(Boolean).join(', ');
  return {
    code: 'algorithm-refused',
    message: `the server refuses ${asks} for this change of ${table}: ${does(effect)}`,
    why: 'The migration stops here, and what stands before it stays applied, as each change commits by itself.',
    remedy:
      effect.way === 'copy' || effect.waits !== 'none'
        ? 'Make the change in steps that need no copy, or by gh-ost or pt-online-schema-change.'
        : `Ask for ALGORITHM=${algorithmFor(effect, server)}.`,
  };
}

function does({ way, waits }: Effect): string {
  const what = {
    instant: 'it changes the definition alone',
    nocopy: 'it works in place',
    rebuild: 'it writes the table anew',
    copy: 'it copies the table',
  }[way];
  return waits === 'none' ? what : `${what} while writes wait`;
}

function locked({ table }: AlterTable): Hazard {
  return {
    code: 'alter-blocks-writes',
    message: `LOCK=EXCLUSIVE keeps reads and writes of ${table} waiting until it is done`,
    why: 'The service stands still for that long.',
    remedy: 'Write LOCK=NONE: the server then refuses what it cannot do so.',
    ...allWait(table),
  };
}

/** What is said of a change that copies, by the clause that makes it do so. */
function copied(alter: AlterTable, effect: Effect, table: Table | undefined, server: Server): Hazard {
  const { table: name, alterations } = alter;
  const worst = alterations.find((one) => !allows('INPLACE', effectOf([one], table, server).way)) ?? alterations[0];
  const unknown = effect.isSure ? '' : ', unless it is as it was before, which the scripts do not show';
  const isCopy = effect.way === 'copy';
  const how = isCopy ? 'copies all rows' : 'works in place';
  return {
    ...detail(worst, name, isCopy),
    message: `${what(worst, name)} ${how} of ${name} while writes wait${unknown}`,
    why: `Every INSERT, UPDATE and DELETE on ${name} waits until it is done, on replicas too, and each waiting one takes a connection.`,
    ...(worst !== undefined && rewriteOf(worst, name, server)),
    ...writesWait(name),
  };
}

function what(one: Alteration | undefined, table: string): string {
  if (one === undefined || one.do === 'unknown') return 'what this does is not known here, so it is taken as one that';
  if (one.do === 'modify column') return `the new definition of ${table}.${one.name}`;
  if (one.do === 'add column') return `adding the column ${one.column.name}`;
  if (one.do === 'convert charset') return `converting to ${one.charset}`;
  if (one.do === 'add foreign key') return `a foreign key to ${one.parent}`;
  if (one.do === 'add index') return one.kind === 'primary' ? 'a primary key' : `a ${one.kind} index`;
  if (one.do === 'engine') return `the engine ${one.engine}`;
  if (one.do === 'partition') return `${one.name} of partitions`;
  return one.do === 'add check' ? 'a CHECK' : `\`${one.do}\``;
}

function detail(one: Alteration | undefined, table: string, isCopy: boolean): Pick<Hazard, 'code' | 'remedy'> {
  const online = 'Or let gh-ost or pt-online-schema-change copy it beside the running service.';
  const code = isCopy ? 'alter-copies-table' : 'alter-blocks-writes';
  if (one?.do === 'modify column') return columnDetail(one.column, online);
  if (one?.do === 'convert charset') {
    return { code: 'charset-copies', remedy: `Convert one column after the other by new columns. ${online}` };
  }
  if (one?.do === 'add foreign key') {
    return {
      code: 'foreign-key-copies',
      remedy:
        'With foreign_key_checks off it is added in place; the rows that are there are then not checked, so look for strays first.',
    };
  }
  if (one?.do === 'add check') {
    return { code: 'check-copies', remedy: `Check it in the service, or by triggers. ${online}` };
  }
  if (one?.do === 'drop primary key') {
    return {
      code: 'primary-key-rebuilds',
      remedy: 'Drop and add it in one statement, which writes the table anew in place.',
    };
  }
  if (one?.do === 'add column' && one.column.default === '(…)') {
    return { code, remedy: 'Add it without the default, fill it in batches, then set the default by ALTER COLUMN.' };
  }
  if (one?.do === 'add column') return { code, remedy: `Add a plain column, and fill it in batches. ${online}` };
  return { code, remedy: `Do it in a quiet hour if ${table} is small. ${online}` };
}

function columnDetail({ type, charset, collate }: Column, online: string): Pick<Hazard, 'code' | 'remedy'> {
  if (type === 'enum' || type === 'set') {
    return { code: 'enum-copies', remedy: `Add new values at the end of the list, and remove none. ${online}` };
  }
  return {
    code: charset === undefined && collate === undefined ? 'column-type-copies' : 'charset-copies',
    remedy: `Add a new column, write both, fill it in batches, then read the new one and drop the old after the deploy. ${online}`,
  };
}

function rewriteOf(one: Alteration, table: string, { flavour }: Server): Pick<Hazard, 'rewrite'> {
  if (one.do === 'add foreign key') {
    const columns = one.columns.join(', ');
    const name = one.name === '' ? '' : `CONSTRAINT ${one.name} `;
    const add = `ALTER TABLE ${table} ADD ${name}FOREIGN KEY (${columns}) REFERENCES ${one.parent} (…), ALGORITHM=${flavour === 'MariaDB' ? 'NOCOPY' : 'INPLACE'}, LOCK=NONE;`;
    return { rewrite: `SET SESSION foreign_key_checks = 0;\n${add}\nSET SESSION foreign_key_checks = 1;` };
  }
  if (one.do !== 'modify column' || one.column.type === 'enum' || one.column.type === 'set') return {};
  const length = one.column.args.length > 0 ? `(${one.column.args.join(', ')})` : '';
  return {
    rewrite: `ALTER TABLE ${table} ADD COLUMN ${one.name}_new ${one.column.type}${length}, ALGORITHM=INSTANT;\n-- repeat until no row is left:\nUPDATE ${table} SET ${one.name}_new = ${one.name} WHERE ${one.name}_new IS NULL AND ${one.name} IS NOT NULL LIMIT 1000;`,
  };
}

function rebuilt(alter: AlterTable, sql: string, effect: Effect, server: Server): Hazard {
  const { table, alterations } = alter;
  const isKey = alterations.some((one) => one.do === 'add index' && one.kind === 'primary');
  const isPlaced = alterations.some((one) => (one.do === 'add column' || one.do === 'modify column') && one.isPlaced);
  return {
    code: isKey ? 'primary-key-rebuilds' : isPlaced ? 'column-order-rebuilds' : 'alter-rebuilds-table',
    ...(isKey && { severity: 'warning' as const }),
    message: `the whole of ${table} is written anew, while reads and writes go on`,
    why: 'It takes as much disk again, slows others down, and replicas stand still for as long as it took.',
    remedy: isPlaced
      ? 'Leave the place out: the order of columns means nothing to queries that name them.'
      : 'Do it in a quiet hour, and let the server refuse anything worse:',
    rewrite: withClauses(sql, alter, effect, server),
  };
}

function unguarded(alter: AlterTable, sql: string, effect: Effect, server: Server): Hazard {
  return {
    code: 'algorithm-missing',
    message: `nothing keeps the server from copying ${alter.table}, should it have to`,
    why: `As far as is known ${does(effect)}; a full-text index, an old server or another engine makes it copy without a word.`,
    remedy: 'Say how it is to be done, so that anything else is refused:',
    rewrite: withClauses(sql, alter, effect, server),
  };
}

/** The statement with the clauses of its best way. */
function withClauses(
  sql: string,
  { index, table, alterations, algorithm, lock }: AlterTable & { readonly index?: string },
  effect: Effect,
  server: Server,
): string {
  const separator = index === undefined ? ', ' : ' ';
  const best = algorithmFor(effect, server);
  if (index === 'dropped' && server.flavour === 'MariaDB') {
    // There DROP INDEX knows no clauses.
    const name = alterations[0]?.do === 'drop index' ? `INDEX ${alterations[0].name}` : 'PRIMARY KEY';
    return withClauses(`ALTER TABLE ${table} DROP ${name}`, { table, alterations, waits: false }, effect, server);
  }
  const isWhole = algorithm !== undefined || lock !== undefined || alterations.some((one) => one.do === 'partition');
  if (isWhole) return `${sql};`;
  // Where nothing but the definition changes, LOCK may say nothing else.
  const clauses = best === 'INSTANT' ? [`ALGORITHM=${best}`] : [`ALGORITHM=${best}`, 'LOCK=NONE'];
  return `${[sql, ...clauses].join(separator)};`;
}
