import type { Database } from '../postgres/database.ts';
import type { MysqlSession } from './connect.ts';

/** How src/migration/history.ts asks whether a table is there. */
const IS_THERE = /^SELECT to_regclass\(E'((?:[^'\\]|\\.)*)'\) IS NOT NULL AS is_there$/;

/**
 * A session for what asks a tool's own table in the words of PostgreSQL: names stand between double quotes there, and
 * tables are looked for by to_regclass. The session is for nothing else, as its sql_mode is changed.
 */
export async function toolDatabase(session: MysqlSession): Promise<Pick<Database, 'query'>> {
  await session.query("SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')");
  const query: MysqlSession['query'] = async (sql, parameters) => {
    const [, literal] = IS_THERE.exec(sql) ?? [];
    if (literal === undefined) return session.query(sql, parameters);
    const name = literal.replaceAll(/\\(.)/g, '$1');
    const parts = [...name.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
    );
    return session
      .query(
        `SELECT COUNT(*) > 0 AS is_there FROM information_schema.TABLES WHERE TABLE_NAME = ? AND TABLE_SCHEMA = DATABASE()`,
        [parts.at(-1) ?? ''],
      )
      .then((rows) => rows.map((row) => ({ is_there: Number(row['is_there']) === 1 })) as never);
  };
  return { query };
}
