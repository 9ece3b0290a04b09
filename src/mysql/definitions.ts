import { piecesOf } from '../mysql-sql/cursor.ts';
import { readStatement } from '../mysql-sql/statement.ts';
import type { MysqlDatabase } from './connect.ts';
import { MysqlError } from './error.ts';
import { hashOf } from './history.ts';

type Kind = 'TABLE' | 'VIEW' | 'TRIGGER' | 'PROCEDURE' | 'FUNCTION' | 'EVENT';

/** What a statement changes, by its kind and name, as SQL. */
interface Named {
  readonly kind: Kind;
  readonly name: string;
}

const HEAD =
  /^\W*(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:(?:algorithm|definer|sql\s+security)\s*=?\s*\S+\s+)*(?:aggregate\s+)?(view|trigger|procedure|function|event)\s+(?:if\s+(?:not\s+)?exists\s+)?((?:`[^`]+`|[\w$]+)(?:\s*\.\s*(?:`[^`]+`|[\w$]+))?)/i;
/** No such table, view, procedure or function, trigger, event; not a view. */
const MISSING = new Set([1146, 1305, 1360, 1539, 1347, 1109]);

/**
 * SHA-256 of the definitions of all that a statement names and changes, as the server shows them. A change of the schema
 * is whole or not at all (MySQL 8.0 and MariaDB 10.6, "Atomic DDL"), so that they tell whether it took place.
 * @returns undefined where they would tell nothing: it changes rows, users, or what is not known here
 */
export async function definitionsOf(database: MysqlDatabase, sql: string): Promise<string | undefined> {
  const isAtomic = database.version >= (database.flavour === 'MySQL' ? 80_000 : 100_600);
  const named = isAtomic ? objectsOf(sql) : [];
  if (named.length === 0) return undefined;
  const texts: string[] = [];
  for (const { kind, name } of named) texts.push(await definitionOf(database, kind, name));
  return hashOf(texts);
}

function objectsOf(sql: string): readonly Named[] {
  // What lies in another database is not looked for.
  if (piecesOf(sql).some(({ kind, text }) => kind === 'sign' && text === '.')) return [];
  const [, kind, object] = HEAD.exec(sql.slice(0, 2000)) ?? [];
  if (kind !== undefined && object !== undefined) return [{ kind: kind.toUpperCase() as Kind, name: object }];
  const reading = readStatement(sql);
  const tables = (...names: readonly string[]): readonly Named[] =>
    names.map((name) => ({ kind: 'TABLE', name: `\`${name.replaceAll('`', '``')}\`` }));
  switch (reading.kind) {
    case 'create table':
    case 'alter table': {
      if (reading.kind === 'create table') {
        return reading.isTemporary || reading.from !== undefined ? [] : tables(reading.table);
      }
      const renamed = reading.alterations.flatMap((one) => (one.do === 'rename table' ? [one.to] : []));
      // Rows go with them, and the definition may be the same afterwards.
      const isOfRows = reading.alterations.some((one) => one.do === 'partition' && /TRUNCATE|EXCHANGE/.test(one.name));
      return isOfRows ? [] : tables(reading.table, ...renamed);
    }
    case 'drop table':
      // Of several, some may be gone.
      return reading.isTemporary || reading.tables.length > 1 ? [] : tables(...reading.tables);
    case 'rename table':
      return tables(...reading.pairs.flat());
    case 'truncate':
    case 'update':
    case 'delete':
    case 'insert':
    case 'maintenance':
    case 'lock tables':
    case 'drop object':
    case 'create trigger':
    case 'begin':
    case 'end':
    case 'made sql':
    case 'set':
    case 'other':
      return [];
  }
}

async function definitionOf(database: MysqlDatabase, kind: Kind, name: string): Promise<string> {
  try {
    const [row] = await database.query(`SHOW CREATE ${kind} ${name}`);
    const texts = Object.entries(row ?? {}).filter(([key]) => /^(Create|SQL Original|Body)/i.test(key));
    // It goes on counting while the service writes.
    return texts.map(([, text]) => String(text).replace(/ AUTO_INCREMENT=\d+/, '')).join('\n');
  } catch (error) {
    if (error instanceof MysqlError && MISSING.has(error.errno)) return 'missing';
    throw error;
  }
}
